"""Which portal is asked with which token: from the environment, or from a file that only its owner reads."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from spacelab.kit.loopback import is_loopback
from spacelab.site.client.trouble import Trouble, Wrong

OWNER_ONLY = 0o600
URL, TOKEN = "SPACELAB_URL", "SPACELAB_TOKEN"
ADVICE = f"Run `spacelab datalab sign-in URL`, or set {URL} and {TOKEN}."


@dataclass(frozen=True)
class Access:
    """A portal's address without a slash at its end, and a token for it, which no `repr` shows."""

    url: str
    token: str

    def __repr__(self) -> str:
        return f"Access({self.url!r})"


def default_file(environment: Mapping[str, str]) -> Path:
    """Return where the address and the token are kept when nobody says otherwise."""
    folder = environment.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "spacelab" / "access.toml"


def find(environment: Mapping[str, str], file: Path | None = None) -> Access:
    """Return the access that the environment or the file gives; raise `Wrong` where something is missing.

    The environment wins, but a token is never sent to another address than the one that it was kept with.
    """
    kept = _read(file or default_file(environment), must=file is not None)
    url, token = environment.get(URL, ""), environment.get(TOKEN, "")
    if not token:
        if url and kept and checked_url(url) != kept.url:
            raise Wrong(f"There is no token for {url}.", ADVICE)
        if kept:
            return kept
    elif not url and kept:
        url = kept.url
    if not url or not token:
        raise Wrong("It is not known which platform to ask.", ADVICE)
    return Access(checked_url(url), token)


def checked_url(text: str) -> str:
    """Return an address that a token may be sent to: https, or this machine; raise `Wrong` for any other."""
    url = text.strip().rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise Wrong(f"“{text[:100]}” is no address of a platform.", "It looks like https://spacelab.example.org.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Wrong("A token is sent over https only.", "Use the platform's https address.")
    return url


def save(access: Access, file: Path) -> None:
    """Keep the access in a file that only its owner reads; it appears whole or not at all."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as out:
            out.write(f'url = "{access.url}"\ntoken = "{access.token}"\n')
        fresh.replace(file)
    except OSError as error:
        raise Trouble(f"{file} can't be written: {error.strerror}.") from error


def _read(file: Path, *, must: bool) -> Access | None:
    """Read the file; raise `Wrong` for one that others can read, or that says nothing."""
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            if mode & 0o077:
                raise Wrong(f"Others can read {file}, which holds a token.", f"Run: chmod 600 {file}")
            said = tomllib.load(opened)
    except FileNotFoundError:
        if must:
            raise Wrong(f"There is no {file}.", ADVICE) from None
        return None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Wrong(f"{file} can't be read: {error}.", ADVICE) from error
    url, token = said.get("url"), said.get("token")
    if not isinstance(url, str) or not isinstance(token, str):
        raise Wrong(f'{file} needs the lines url = "…" and token = "…".', ADVICE)
    return Access(checked_url(url), token)
