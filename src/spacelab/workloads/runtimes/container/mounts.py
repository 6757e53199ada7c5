"""What of the host a container sees: the person's volumes under all their names, and the platform's own files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from docker.types import Mount as Bind

from spacelab.volumes.rules import ARCHIVE_ROOT, HOME, OLD_ARCHIVE_ROOT, SCRATCH, TEAM_ROOT
from spacelab.workloads.rules import WorkloadSpec
from spacelab.workloads.runtimes.container.folder import Folder
from spacelab.workloads.runtimes.shared.variables import Places

GATE = "/.datalab"
GATE_PATH = PurePosixPath(GATE)
HOMES = PurePosixPath("/home")
PASSING_HOME = "/.home"
"""The home of a workload without the person's; a path that no image has, since some engines keep an image's mode."""


def bind(source: object, target: object, *, read_only: bool = True) -> Bind:
    """Show a file or folder of the host at `target`; the engine refuses one that isn't there."""
    return Bind(str(target), str(source), type="bind", read_only=read_only, propagation="rprivate")


def volumes(spec: WorkloadSpec, places: Places) -> list[Bind]:
    """Return the workload's volumes, outer paths first; archives and the home go by two names each."""
    found = []
    named = {mount.target for mount in spec.mounts}
    for mount in sorted(spec.mounts, key=lambda mount: PurePosixPath(mount.target).parts):
        target = PurePosixPath(mount.target)
        found.append(bind(mount.source, target, read_only=mount.read_only))
        if target.parent == ARCHIVE_ROOT and str(OLD_ARCHIVE_ROOT / target.name) not in named:
            found.append(bind(mount.source, OLD_ARCHIVE_ROOT / target.name))
        if target == HOME:
            found.append(bind(mount.source, places.home, read_only=mount.read_only))
    return found


def has_home(spec: WorkloadSpec) -> bool:
    """Say whether the person's home is among the workload's volumes; if not, it gets one that ends with it."""
    return any(mount.target == str(HOME) for mount in spec.mounts)


def own(spec: WorkloadSpec, folder: Folder) -> list[Bind]:
    """Return the platform's own part of the inside; roots without volumes are there, and empty."""
    found = [bind(folder.gate, GATE)]
    found += [bind(folder.path / name, f"/etc/{name}") for name in ("passwd", "group", "hosts")]
    targets = [PurePosixPath(mount.target) for mount in spec.mounts]
    for root in (ARCHIVE_ROOT, TEAM_ROOT):
        if not any(target.is_relative_to(root) for target in targets):
            found.append(bind(folder.gate / "empty", root))
    if not has_home(spec):
        found += [bind(folder.path / "home", HOMES), bind(folder.gate / "empty", HOME)]
    return found


def private(spec: WorkloadSpec, volumes: Iterable[str] = ()) -> dict[str, str]:
    """Return what is writable and ends with the container, with the mount's options; it counts as its memory.

    So are the image's own `volumes`, which an engine would put on its disk, without a limit.
    """
    options = "rw,exec,nosuid,nodev,mode=1777"  # where the image has the folder, some engines keep the mode of that
    scratch = f"{options},size={spec.resources.scratch_mb}m"
    platforms = {HOME, HOMES, GATE_PATH, *(PurePosixPath(mount.target) for mount in spec.mounts)}
    own = {path for path in volumes if PurePosixPath(path) not in platforms}
    found = dict.fromkeys((*sorted(own), "/tmp", "/var/tmp", str(SCRATCH)), scratch)  # noqa: S108  paths inside
    found["/run"] = f"{options},size=16m"
    if not has_home(spec):
        found[PASSING_HOME] = scratch
    return found
