"""Checks that a workload's volumes are there, and gives writable ones to the user that workloads run as."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import WorkloadSpec
from spacelab.workloads.runtimes.shared import pipelines


def check(spec: WorkloadSpec, uid: int | None) -> None:
    """Raise `RuntimeFault` for a volume that can't be mounted; hand writable ones over to `uid` unless that is None."""
    for mount in pipelines.all_mounts(spec):
        target = PurePosixPath(mount.target)
        if not target.is_absolute() or ".." in target.parts:
            raise RuntimeFault(f"“{mount.target}” is no path at which a volume could appear.")
        if not Path(mount.source).exists():
            raise RuntimeFault(f"The files of the volume “{mount.volume or mount.target}” are not there.")
        if uid is not None:
            _hand_over(mount, uid)


def _hand_over(mount: Mount, uid: int) -> None:
    """Give a writable folder that the platform made as root to the user that workloads run as."""
    if mount.read_only or os.geteuid() != 0:
        return
    found = os.lstat(mount.source)
    if stat.S_ISDIR(found.st_mode) and found.st_uid == 0:
        os.chown(mount.source, uid, uid, follow_symlinks=False)
