"""Recognises what engines, Debian, npm, the network and the kernel say when a build fails."""

from __future__ import annotations

import difflib
import re

from datalab_package.dockerfile_reading import INSTRUCTIONS
from datalab_package.failure_told import Told, did_you_mean

_REFUSED = re.compile(
    r"Tunnel connection failed: 403|tunnel error: unsuccessful|CONNECT tunnel failed, response 403|403  ?Forbidden"
    r"|Received HTTP code 403 from proxy|npm (?:error|ERR!) code E403"
)
_UNREACHED = re.compile(
    r"Connection refused|ECONNREFUSED|Temporary failure (?:in name resolution|resolving)|Could not resolve host"
    r"|dns error|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|Network is unreachable|Failed to establish a new connection"
    r"|Could not connect to|Connection timed out|operation timed out"
)
_HOSTS = re.compile(r"https?://([\w.-]+)|host='([\w.-]+)'|Could not resolve host: ([\w.-]+)|resolving '([\w.-]+)'")


def memory(log: str) -> Told | None:
    """Recognise a step that was killed for its memory."""
    killed = r"exit (?:status|code):? 137|signal: killed|Killed signal terminated|^Killed$"
    if not re.search(rf"{killed}|Cannot allocate memory|^MemoryError", log, re.MULTILINE):
        return None
    return Told(
        "The step used more memory than a build may have, and was ended",
        "Choose packages that come built (wheels), build with fewer processes at once (MAKEFLAGS=-j1), or ask the"
        " platform's operators for more.",
    )


def disk(log: str) -> Told | None:
    """Recognise a full disk."""
    if not re.search(r"No space left on device|Disk quota exceeded|ENOSPC", log):
        return None
    return Told(
        "There was no room left on the disk",
        "Leave out what is not needed, above all data and caches; if that does not help, tell the operators.",
    )


def dockerfile_words(log: str) -> Told | None:
    """Recognise what an engine says about the Dockerfile itself."""
    if found := re.search(r"[Uu]nknown instruction: \"?(\w+)", log):
        near = difflib.get_close_matches(found[1].upper(), INSTRUCTIONS, 1)
        return Told(f"“{found[1]}” is no instruction of a Dockerfile", f"Did you mean {near[0]}?" if near else "")
    missing = r"(?:copier: stat: |COPY failed: .*?stat |failed to compute cache key.*?)"
    if found := re.search(missing + r"\"?([^\"\s:]+)\"?: (?:no such file|not found)", log):
        message = f"{found[1].lstrip('/')} is to be copied and is not in the package"
        return Told(message, "Check its name, capitals included, and .dockerignore.")
    if found := re.search(r"([A-Z]+ (?:must have|requires) [^\n]+)", log):
        return Told(f"The Dockerfile can't be read: {found[1]}", "Look at that instruction's form.")
    if re.search(r"parsing main Dockerfile|dockerfile parse error|Dockerfile parse error", log):
        text = re.search(r"(?:arse error[^\n:]*: |parsing main Dockerfile: [^\n:]*: )([^\n]+)", log)
        return Told(
            f"The Dockerfile can't be read: {text[1] if text else 'its form is wrong'}", "Look at that line's form."
        )
    if found := re.search(
        r"(?:pinging container registry|manifest unknown|image not known|name unknown|reading manifest)", log
    ):
        image = re.search(r"(?:docker://|Trying to pull )([^\s\":]+(?::[\w.-]+)?)", log)
        message = f"The image {image[1].rstrip('.') if image else ''} to build on is not on the platform".replace(
            "  ", " "
        )
        return Told(message, "Build on one of the platform's bases, or ask its operators for that image.")
    return None


def npm(log: str) -> Told | None:
    """Recognise npm's own codes."""
    code = re.search(r"npm (?:error|ERR!) code (E\w+)", log)
    if not code:
        return None
    if code[1] == "E404" and (
        found := re.search(r"(?:error|ERR!) 404\s+(?:The requested resource )?'?(@?[\w./-]+)@", log)
    ):
        return Told(f"There is no npm package called {found[1]}", "Check its name.", (found[1],))
    if code[1] == "ETARGET" and (found := re.search(r"No matching version found for (\S+?)\.?$", log, re.MULTILINE)):
        return Told(
            f"There is no version {found[1]} on npm", "Leave the version open, or name one that exists.", (found[1],)
        )
    if code[1] == "ERESOLVE":
        found = re.search(r"Found: (\S+)", log)
        peer = re.search(r"peer (\S+) from (\S+)", log)
        if found and peer:
            message = f"{peer[2]} needs {peer[1]}, which does not fit with {found[1]}"
            return Told(message.replace('"', ""), "Choose versions that fit in package.json.", (peer[2],))
    return None


def _host(text: str, *, last: bool = False) -> str:
    """Return the first or last host in a text that is not this machine itself."""
    hosts = [next(part for part in found if part).rstrip(".") for found in _HOSTS.findall(text)]
    outside = [host for host in hosts if not host.startswith("127.")]
    return (outside[-1] if last else outside[0]) if outside else ""


def network(log: str) -> Told | None:
    """Recognise addresses that the platform's policy refuses, and ones that can't be reached at all."""
    refused, unreached = _REFUSED.search(log), _UNREACHED.search(log)
    sign = refused or unreached
    if not sign:
        return None
    host = _host(log[max(0, sign.start() - 600) : sign.end()], last=True) or _host(log[sign.end() : sign.end() + 600])
    host = host or "the address that it needs"
    if refused:
        return Told(
            f"The platform does not let builds reach {host}",
            "Use the package registries that it allows, put the file into the package, or ask its operators.",
        )
    return Told(
        f"The build could not reach {host}",
        "Try again; if it stays so, the registry is down or this platform's builds have no network: ask its operators.",
    )


def apt(log: str) -> Told | None:
    """Recognise Debian packages and versions that are not there, and ones that exclude each other."""
    if found := re.search(r"E: Version '([^']+)' for '([^']+)' was not found", log):
        advice = f"Debian keeps one version of each package in a release: write {found[2]} without a version."
        return Told(f"Debian has no version {found[1]} of {found[2]}", advice, (found[2],))
    found = re.search(r"E: (?:Unable to locate package|Package '?)\s*([\w.+:-]+)", log)
    if found:
        name = found[1].rstrip("'")
        advice = did_you_mean(name, "Check the name at packages.debian.org.", debian=True)
        return Told(f"Debian has no package called {name}", advice, (name,))
    if found := re.search(r"^\s*([\w.+-]+) : (Depends|Conflicts|Breaks): (.+)$", log, re.MULTILINE):
        message = f"{found[1]} can't be installed: {found[2].lower()} {found[3].strip()}"
        return Told(message, "Leave versions out of packages.txt, or remove one of the two.", (found[1],))
    return None
