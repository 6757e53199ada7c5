"""Limits and accounting by control groups, of version 2 or 1, whichever this process may write."""

from __future__ import annotations

import contextlib
import math
import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spacelab.workloads.rules import Resources, Usage

CGROUP_ROOT = Path("/sys/fs/cgroup")
V1_CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")
V2_CONTROLLERS = ("cpu", "memory", "pids")
NEEDED = frozenset({"memory", "pids"})
"""Without these there is nothing that really binds, and rlimits are used instead."""

PERIOD_MICROSECONDS = 100_000
OWN_PROCESSES = 4
"""Processes of the platform's in each workload's group: the sandbox, its monitor, the supervisor, one spare."""

PREFIX = "spacelab-"


@dataclass(frozen=True)
class Groups:
    """The control groups below which workloads get theirs: by controller for version 1, one for version 2."""

    version: int = 0
    parents: dict[str, Path] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether memory and processes can be limited."""
        return self.version > 0


def _own_paths(cgroup_file: Path) -> dict[str, str]:
    try:
        lines = cgroup_file.read_text().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = path.lstrip("/")
    return found


def _writable(parent: Path) -> bool:
    return parent.is_dir() and os.access(parent, os.W_OK) and os.access(parent / "cgroup.procs", os.W_OK)


def _delegate(parent: Path) -> bool:
    """Let subgroups of a version 2 group have limits; its own processes must move into a subgroup before that."""
    wanted = " ".join(f"+{name}" for name in V2_CONTROLLERS)
    try:
        if set(V2_CONTROLLERS) <= set((parent / "cgroup.subtree_control").read_text().split()):
            return True
        with contextlib.suppress(OSError):
            (parent / "cgroup.subtree_control").write_text(wanted)
            return True
        platform = parent / f"{PREFIX}platform"
        platform.mkdir(exist_ok=True)
        for pid in (parent / "cgroup.procs").read_text().split():
            (platform / "cgroup.procs").write_text(pid)
        (parent / "cgroup.subtree_control").write_text(wanted)
    except OSError:
        return False
    return True


def find_groups(root: Path = CGROUP_ROOT, cgroup_file: Path = Path("/proc/self/cgroup")) -> Groups:
    """Find where this process may make control groups; an unusable result when nowhere."""
    own = _own_paths(cgroup_file)
    parent = root / own.get("", "")
    if parent.name == f"{PREFIX}platform":
        parent = parent.parent  # moved there by an earlier look
    controllers = parent / "cgroup.controllers"
    if controllers.is_file() and set(controllers.read_text().split()) >= NEEDED:
        return Groups(2, {"": parent}) if _writable(parent) and _delegate(parent) else Groups()
    parents = {name: root / name / own[name] for name in V1_CONTROLLERS if name in own}
    usable = {name: path for name, path in parents.items() if _writable(path)}
    return Groups(1, usable) if set(usable) >= NEEDED else Groups()


def group_of(pid: int, root: Path = CGROUP_ROOT, proc: Path = Path("/proc")) -> Group:
    """Find the control groups in which a process of somebody else's making is, to read what they count."""
    own = _own_paths(proc / str(pid) / "cgroup")
    if (root / "cgroup.controllers").is_file():
        return Group(2, {"": root / own[""]} if "" in own else {})
    paths = {name: root / name / own[name] for name in V1_CONTROLLERS if name in own}
    return Group(1, {name: path for name, path in paths.items() if path.is_dir()})


@dataclass(frozen=True)
class Group:
    """One workload's control groups, by controller ("" for version 2)."""

    version: int
    paths: dict[str, Path]

    @classmethod
    def of(cls, groups: Groups, workload_id: str) -> Group:
        """Name a workload's groups; they need not exist."""
        return cls(groups.version, {name: path / f"{PREFIX}{workload_id}" for name, path in groups.parents.items()})

    @classmethod
    def from_json(cls, data: dict[str, object]) -> Group:
        """Read back what `to_json` made; nothing makes a group without paths."""
        paths = data.get("paths")
        return cls(int(str(data.get("version", 0))), {k: Path(v) for k, v in dict(paths or {}).items()})  # type: ignore[call-overload]

    def to_json(self) -> dict[str, object]:
        """Return plain JSON data."""
        return {"version": self.version, "paths": {name: str(path) for name, path in self.paths.items()}}

    def make(self) -> None:
        """Make the groups, without limits; raise `OSError` when the host refuses."""
        for path in self.paths.values():
            path.mkdir(exist_ok=True)

    def create(self, resources: Resources) -> None:
        """Make the groups and set the limits; raise `OSError` when the host refuses."""
        if not self.paths:
            return
        self.make()
        memory = resources.memory_mb * 2**20
        processes = resources.processes + OWN_PROCESSES
        quota = max(1000, int(resources.cpu * PERIOD_MICROSECONDS))
        if self.version == 2:  # noqa: PLR2004  the version's number
            (self.paths[""] / "memory.max").write_text(str(memory))
            (self.paths[""] / "pids.max").write_text(str(processes))
            (self.paths[""] / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
            with contextlib.suppress(OSError):  # kernels without swap accounting have no such file
                (self.paths[""] / "memory.swap.max").write_text("0")
            return
        (self.paths["memory"] / "memory.limit_in_bytes").write_text(str(memory))
        with contextlib.suppress(OSError):  # as above
            (self.paths["memory"] / "memory.memsw.limit_in_bytes").write_text(str(memory))
        (self.paths["pids"] / "pids.max").write_text(str(processes))
        if "cpu" in self.paths and (self.paths["cpu"] / "cpu.cfs_quota_us").exists():
            (self.paths["cpu"] / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
            (self.paths["cpu"] / "cpu.cfs_quota_us").write_text(str(quota))

    def procs_files(self) -> list[Path]:
        """List the files through which a process joins."""
        return [path / "cgroup.procs" for path in self.paths.values()]

    def pids(self) -> list[int]:
        """List the processes of the group."""
        for file in self.procs_files():
            with contextlib.suppress(OSError, ValueError):
                return [int(line) for line in file.read_text().split()]
        return []

    def oom_file(self) -> Path | None:
        """Return the file that counts the processes ended for lack of memory."""
        if self.version == 2:  # noqa: PLR2004  the version's number
            return self.paths[""] / "memory.events"
        return self.paths["memory"] / "memory.oom_control" if "memory" in self.paths else None

    def oom_kills(self) -> int:
        """Count the processes that the kernel ended because the group's memory was used up."""
        path = self.oom_file() if self.paths else None
        return _field(path, "oom_kill") if path else 0

    def binds(self) -> list[tuple[Path, str]]:
        """List what shows a workload its own limits, at the paths where programs look for them."""
        if self.version == 2:  # noqa: PLR2004  the version's number
            return [(self.paths[""], str(CGROUP_ROOT))]
        return [(path, str(CGROUP_ROOT / name)) for name, path in self.paths.items()]

    def usage(self) -> Usage:
        """Read what the workload uses; page cache that can be dropped at any time doesn't count as memory."""
        if self.version == 2:  # noqa: PLR2004  the version's number
            path = self.paths[""]
            seconds = _field(path / "cpu.stat", "usage_usec") / 1e6
            memory = _number(path / "memory.current") - _field(path / "memory.stat", "inactive_file")
            return Usage(seconds, max(0, memory), processes=_number(path / "pids.current"))
        memory_path = self.paths["memory"]
        memory = _number(memory_path / "memory.usage_in_bytes") - _field(
            memory_path / "memory.stat", "total_inactive_file"
        )
        seconds = _number(self.paths["cpuacct"] / "cpuacct.usage") / 1e9 if "cpuacct" in self.paths else 0.0
        return Usage(seconds, max(0, memory), processes=_number(self.paths["pids"] / "pids.current"))

    def remove(self) -> bool:
        """Remove the groups, ending what is still in them; return whether they are gone."""
        for attempt in range(20):
            left = [path for path in self.paths.values() if not _removed(path)]
            if not left:
                return True
            for path in left:
                _end_processes(path, attempt)
            time.sleep(0.01)
        return False


def _removed(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _end_processes(path: Path, attempt: int) -> None:
    """End what is left in a group; the first time it may just be on its way out."""
    if attempt == 0:
        return
    with contextlib.suppress(OSError):
        for pid in (path / "cgroup.procs").read_text().split():
            os.kill(int(pid), 9)


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _field(path: Path, name: str) -> int:
    try:
        words = path.read_text().split()
    except OSError:
        return 0
    return int(words[words.index(name) + 1]) if name in words else 0


def cores_for(workload_id: str, cpu: float, available: Sequence[int]) -> list[int]:
    """Choose the cores a workload may run on: as many as its share needs, spread over the machine by its id."""
    count = min(max(1, math.ceil(cpu)), len(available))
    start = zlib.crc32(workload_id.encode()) % len(available)
    return sorted(available[(start + step) % len(available)] for step in range(count))
