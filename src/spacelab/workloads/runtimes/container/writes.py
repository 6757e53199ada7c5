"""What a container wrote into its own file system, told from what the engine says has changed in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

DELETED = 2
"""The kind of a change that is none of these: 0 changed, 1 added (Docker Engine API, ContainerChanges)."""
MADE_BY_ENGINES = ("/dev", "/proc", "/sys", "/run", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab")
"""What engines make or mount in every container."""
MOST_TOLD = 100


def outside(changes: Iterable[Mapping[str, Any]], found: Mapping[str, Any]) -> list[str]:
    """Return the changed paths below none of the container's mounts, sorted, without folders of which more is told.

    `changes` are the engine's, `found` is what its inspection of the container says.
    """
    places = {PurePosixPath(one) for one in (*_mounted(found), *MADE_BY_ENGINES)}
    paths = {
        path
        for one in changes
        if one.get("Kind") != DELETED
        for path in [PurePosixPath(str(one.get("Path", "/")))]
        if not any(path == place or path in place.parents or place in path.parents for place in places)
    }
    above = {parent for path in paths for parent in path.parents}
    return sorted(str(path) for path in paths - above)[:MOST_TOLD]


def _mounted(found: Mapping[str, Any]) -> list[str]:
    """List the places of the container that are mounts: volumes of the host, and what ends with it."""
    binds = [str(one["Destination"]) for one in found.get("Mounts") or () if one.get("Destination")]
    return [*binds, *(found["HostConfig"].get("Tmpfs") or {})]
