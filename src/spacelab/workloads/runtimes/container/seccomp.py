"""A narrower filter of system calls than Podman's own: no user namespaces and no keyrings, as with Docker.

Whoever may make user namespaces reaches parts of the kernel that were written for root alone; keyrings belong to a
user id, which sessions share. The filter is the engine's own with these calls taken out.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SOURCES = (Path("/etc/containers/seccomp.json"), Path("/usr/share/containers/seccomp.json"))
"""Where Podman's filter is, the operator's first."""

NEW_USER = 0x10000000
"""The flag `CLONE_NEWUSER`."""
KEYRINGS = ("add_key", "keyctl", "request_key")
BY_FLAGS = ("clone", "unshare")
"""Calls whose first argument tells what they make; it is another one on S/390, where these stay as they are."""
UNSEEN = ("clone3",)
"""Calls whose flags a filter can't see; a C library that is told of no such call takes the older one."""


def narrowed(own: dict[str, Any]) -> dict[str, Any]:
    """Take the calls out of a filter, wherever it allows them."""
    changed = {*KEYRINGS, *BY_FLAGS, *UNSEEN}
    rules = []
    for rule in own["syscalls"]:
        names = [name for name in rule["names"] if name not in changed]
        if names:
            rules.append({**rule, "names": names})
    rules.append(_rule(KEYRINGS, "SCMP_ACT_ERRNO", errno.EPERM))
    rules.append(_rule(UNSEEN, "SCMP_ACT_ERRNO", errno.ENOSYS))
    rules.append(_rule(BY_FLAGS, "SCMP_ACT_ALLOW", None, _first_argument(0)))
    rules.append(_rule(BY_FLAGS, "SCMP_ACT_ERRNO", errno.EPERM, _first_argument(NEW_USER)))
    return {**own, "syscalls": rules}


def _first_argument(flags: int) -> dict[str, Any]:
    return {"index": 0, "value": NEW_USER, "valueTwo": flags, "op": "SCMP_CMP_MASKED_EQ"}


def _rule(names: Iterable[str], action: str, error: int | None, *arguments: dict[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {"names": list(names), "action": action, "args": list(arguments)}
    return rule if error is None else {**rule, "errnoRet": error}


def write(target: Path, sources: Iterable[Path] = SOURCES) -> str:
    """Write the filter for Podman to read; return its path, or nothing where Podman keeps its own in no file."""
    if os.uname().machine == "s390x":
        return ""
    for source in sources:
        try:
            text = json.dumps(narrowed(json.loads(source.read_text())))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if not target.exists() or target.read_text() != text:
            fresh = target.with_name(f"{target.name}.{os.getpid()}")
            fresh.write_text(text)
            fresh.replace(target)
        return str(target.absolute())
    return ""
