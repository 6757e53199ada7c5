"""Decisions about repositories: which addresses are fetched, what may be asked of them, and what a fetch printed."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from spacelab.kit.refusals import Invalid

LONGEST_URL = 500
REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+@-]{0,199}")
LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa")
"""Names that, alone or as a domain, never lie outside."""
GIT_ADVICE = "Give the address of a public repository, such as https://example.org/people/tool.git."


def check_git_url(url: str, *, blocked: Sequence[str] = (), allowed: Sequence[str] = ()) -> str:
    """Return the address of a Git repository, tidied; raise `Invalid` for what is not http(s) or lies inside.

    `blocked` are networks; `allowed` are networks or host names that are reachable all the same. What a name resolves
    to is decided where the request is made; this refuses early what can be told from the address alone.
    """
    tidy = url.strip()
    if not tidy:
        raise Invalid("There is no address.", advice=GIT_ADVICE, field="git_url")
    if len(tidy) > LONGEST_URL or any(one.isspace() or not one.isprintable() for one in tidy):
        raise Invalid("This is no address of a repository.", advice=GIT_ADVICE, field="git_url")
    try:
        parts = urlsplit(tidy)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if "::" in tidy.split("/", 1)[0] or parts.scheme not in {"http", "https"}:
        kind = tidy.split(":", 1)[0][:20] if ":" in tidy else "a path"
        raise Invalid(f"Only http and https addresses are fetched, not {kind}.", advice=GIT_ADVICE, field="git_url")
    if parts.username is not None or parts.password is not None:
        raise Invalid(
            "The address holds a name or a password, which would be stored.",
            advice="Use a public repository, or upload the files instead.",
            field="git_url",
        )
    if "?" in tidy or "#" in tidy:
        raise Invalid(
            "The address of a repository has no “?” and no “#”; what stands behind them would be stored.",
            advice="Leave that part out; a private repository's files can be uploaded instead.",
            field="git_url",
        )
    if not host or port == 0:
        raise Invalid("The address names no host.", advice=GIT_ADVICE, field="git_url")
    if _is_inside(host, blocked) and not _is_allowed(host, allowed):
        raise Invalid(
            f"“{host}” lies inside the platform's own network, which is not fetched from.",
            advice="Use a repository on the public network, or upload the files instead.",
            field="git_url",
        )
    return tidy


def check_git_ref(ref: str) -> str:
    """Return a branch, tag or commit, tidied; raise `Invalid` for what Git would not take as one."""
    tidy = ref.strip()
    if tidy and (not REF.fullmatch(tidy) or ".." in tidy or "@{" in tidy or tidy.endswith((".lock", "/", "."))):
        raise Invalid(
            f"“{tidy[:60]}” is no branch, tag or commit.",
            advice="Leave it empty for the repository's main branch.",
            field="git_ref",
        )
    return tidy


@dataclass(frozen=True)
class Fetch:
    """A repository to fetch: its address, and a branch, tag or commit (empty: its main branch).

    What comes lies in `work`/made/source afterwards; the folder `work` is on this host and there already.
    """

    workload_id: str
    owner: str
    """Username."""
    url: str
    ref: str
    work: Path
    minutes: int
    disk_mb: int

    @property
    def source(self) -> Path:
        """The folder that holds what was fetched."""
        return self.work / "made" / "source"


COMMIT = re.compile(rb"^COMMIT ([0-9a-f]{40,64})$", re.MULTILINE)


def commit_in(printed: bytes) -> str:
    """Return the commit that a fetch announced; empty where it told none."""
    found = COMMIT.search(printed)
    return found[1].decode() if found else ""


CAUSES = (
    (
        ("lies in a network", "CONNECT tunnel failed, response 403", "error: 403"),
        "The address leads into a network that is not fetched from.",
        "Use a repository on the public network, or upload the files instead.",
    ),
    (
        ("Could not resolve", "is not known", "response 502", "error: 502"),
        "The host of this address is not known.",
        "Check the address.",
    ),
    (
        ("Authentication failed", "could not read Username", "not found", "error: 404", "error: 401"),
        "There is no public repository at this address.",
        "Check the address; a private repository's files can be uploaded instead.",
    ),
    (
        ("couldn't find remote ref", "has no “"),
        "The repository has no such branch, tag or commit.",
        "Look at its list of branches and tags.",
    ),
    (("No space left", "Disk quota"), "There was no room for the repository.", "Tell an operator."),
)
"""What Git prints → what that means, and what to do."""


def why_not(printed: str, url: str, ref: str) -> tuple[str, str]:
    """Say why a repository did not come, from what its fetch printed, and what to try."""
    where = f"{url}{' at ' + ref if ref else ''}"
    for marks, message, advice in CAUSES:
        if any(mark in printed for mark in marks):
            return f"{message[:-1]}: {where}.", advice
    return f"The repository can't be fetched: {where}.", ""


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Read a host as an address, in the odd forms too that the C library takes: 127.1, 0x7f000001, 2130706433."""
    with contextlib.suppress(ValueError):
        return ip_address(host.strip("[]").split("%")[0])
    with contextlib.suppress(OSError, UnicodeError):
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    return None


def _is_inside(host: str, blocked: Sequence[str]) -> bool:
    address = _address(host)
    if address is None:
        name = host.lower().rstrip(".")
        return "." not in name or any(name == one or name.endswith(f".{one}") for one in LOCAL_NAMES)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(one in ip_network(network) for network in blocked for one in (address, mapped)) or mapped.is_loopback


def _is_allowed(host: str, allowed: Sequence[str]) -> bool:
    address = _address(host)
    for entry in allowed:
        if entry.lower().rstrip(".") == host.lower().rstrip("."):
            return True
        with contextlib.suppress(ValueError):
            if address is not None and address in ip_network(entry, strict=False):
                return True
    return False
