"""What a recogniser of failures says, and names that look like a wrong one."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from datalab_package import known_names


@dataclass(frozen=True)
class Told:
    """What one recogniser found. `names` are packages whose line the author may want to change, the likeliest first."""

    message: str
    advice: str
    names: tuple[str, ...] = ()
    python: bool = False
    debian: str = ""
    """A Debian package that would help."""


def near_names(name: str, *, debian: bool = False) -> list[str]:
    """Return up to three names of packages that look like this one."""
    plain = name.lower()
    if debian:
        known = {*known_names.DESKTOP_PROGRAMS, *known_names.CONDA_TO_DEBIAN.values()}
        known |= {*known_names.HEADER_TO_DEBIAN.values(), *known_names.PROGRAM_TO_DEBIAN.values()}
        meant = known_names.CONDA_TO_DEBIAN.get(plain) or known_names.PROGRAM_TO_DEBIAN.get(name)
    else:
        known = {*known_names.POPULAR, *known_names.MODULE_TO_PYPI.values()}.union(*known_names.BASE_PACKAGES.values())
        meant = known_names.MODULE_TO_PYPI.get(name) or known_names.CONDA_TO_PYPI.get(plain)
        meant = meant or known_names.CONDA_TO_DEBIAN.get(plain)
    by_key = {str(canonicalize_name(one)): one for one in known if one}
    close = [by_key[key] for key in difflib.get_close_matches(plain, by_key, 3, 0.75)]
    return list(dict.fromkeys([*([meant] if meant else []), *close]))[:3]


def did_you_mean(name: str, otherwise: str, *, debian: bool = False) -> str:
    """Write advice that begins with near names, where there are any."""
    near = near_names(name, debian=debian)
    return f"Did you mean {' or '.join(near)}? {otherwise}" if near else otherwise
