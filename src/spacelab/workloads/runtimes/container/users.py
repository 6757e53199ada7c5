"""As whom a workload runs, so that the files it writes belong to the person, and the files that name that user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from spacelab.workloads.runtimes.container.engine import Facts
from spacelab.workloads.runtimes.shared.variables import Places


@dataclass(frozen=True)
class User:
    """The user of a workload: `uid` inside; `owner` is to own its folders on the host, None where they do already."""

    uid: int
    owner: int | None
    userns: str = ""
    """The user namespace to ask the engine for."""


def workload_user(facts: Facts, workload_uid: int) -> User:
    """Choose the user: where the engine has root's rights, the one who owns the platform's writable volumes."""
    if not facts.rootless:
        return User(workload_uid, workload_uid) if os.geteuid() == 0 else User(os.geteuid(), None)
    if facts.podman:
        return User(os.geteuid(), None, "keep-id")
    return User(0, None)  # rootless Docker: root inside is the engine's user outside


def passwd(places: Places, own: Mapping[str, str]) -> str:
    """Return /etc/passwd: the workload's user first, then whom the image knows."""
    line = f"{places.user}:x:{places.uid}:{places.uid}:{places.user}:{places.home}:/bin/bash\n"
    others = own.get("/etc/passwd") or "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin"
    return line + _ending(others)


def group(places: Places, own: Mapping[str, str]) -> str:
    """Return /etc/group: the workload's group first, then the image's."""
    return f"{places.user}:x:{places.uid}:\n" + _ending(own.get("/etc/group") or "root:x:0:\nnogroup:x:65534:\n")


def _ending(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"
