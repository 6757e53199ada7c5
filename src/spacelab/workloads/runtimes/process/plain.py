"""Running without a sandbox, where the host allows none: folders of links stand in for the platform's paths."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

import psutil

from spacelab.workloads.rules import RUN_FOLDER, WorkloadSpec
from spacelab.workloads.runtimes.shared import pipelines
from spacelab.workloads.runtimes.shared.variables import ENVIRONMENTS, Places

WARNING = (
    "Sessions run without a sandbox on this host: each sees all files and processes of the platform's user. "
    "Use this installation for a single person only. `spacelab doctor` says what would mend it."
)


def free_port() -> int:
    """Return a TCP port of the loopback address on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_processes() -> int:
    """Count this user's processes and threads: the kernel's limit counts them along with the workload's."""
    uid = os.getuid()
    count = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == uid:
                count += process.num_threads()
    return count


def stand_in(spec: WorkloadSpec, root: Path, environments: Path, places: Places) -> None:
    """Make a folder of links that looks like the inside of a sandbox, below `root`."""
    for folder in (places.data, places.teams, places.scratch):
        Path(folder).mkdir(parents=True, exist_ok=True)
    shown = {mount.target: mount.source for mount in pipelines.all_mounts(spec)}
    if spec.run:
        shown = {target: source for target, source in shown.items() if not target.startswith(f"{RUN_FOLDER}/")}
        shown |= {f"{ENVIRONMENTS}/{name}": str(environments / name) for name in pipelines.environments(spec)}
    for target, source in shown.items():
        link = root / target.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(source)
    for folder in (places.home, places.workspace):
        Path(folder).mkdir(parents=True, exist_ok=True)
