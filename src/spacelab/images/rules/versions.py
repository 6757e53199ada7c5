"""How the versions of Python, Debian and npm packages (and of those that follow semver.org) are ordered."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import semver
from debian_inspector.version import Version as DebianVersion
from packaging.version import InvalidVersion, Version

SEMVER_ECOSYSTEMS = frozenset({"npm", "crates.io", "Go"})
"""Ecosystems of the OSV schema whose versions are those of semver.org."""


class UnknownVersionError(ValueError):
    """The text is no version of its ecosystem, or nobody here knows how that ecosystem orders its versions."""


def family(ecosystem: str) -> str:
    """Return the ecosystem without its release: `Debian` for `Debian:12`."""
    return ecosystem.partition(":")[0]


def _semver(text: str) -> semver.Version:
    return semver.Version.parse(text.removeprefix("v"), optional_minor_and_patch=True)


READERS: dict[str, Callable[[str], Any]] = {
    "PyPI": Version,
    "Debian": DebianVersion.from_string,
    "Ubuntu": DebianVersion.from_string,
    **dict.fromkeys(SEMVER_ECOSYSTEMS, _semver),
}
"""Family of ecosystems → what makes comparable versions of texts (PEP 440, Debian Policy 5.6.12, semver.org)."""


def is_known(ecosystem: str) -> bool:
    """Say whether versions of this ecosystem can be compared."""
    return family(ecosystem) in READERS


@lru_cache(maxsize=20_000)
def read_version(ecosystem: str, text: str) -> Any:
    """Make a version that can be compared with others of its ecosystem; raise `UnknownVersionError`."""
    reader = READERS.get(family(ecosystem))
    if reader is None:
        raise UnknownVersionError(ecosystem)
    try:
        return reader(text)
    except (InvalidVersion, ValueError, TypeError, AttributeError) as error:
        raise UnknownVersionError(text) from error


def same_version(ecosystem: str, one: str, other: str) -> bool:
    """Say whether two texts name the same version, as `1.0` and `1.0.0` do for Python packages."""
    if one == other:
        return True
    try:
        return bool(read_version(ecosystem, one) == read_version(ecosystem, other))
    except UnknownVersionError:
        return False
