"""The processes of a build's commands: found by the network that they share with the companion, measured, and ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spacelab.workloads.rules import Usage
from spacelab.workloads.runtimes.shared.limits import CGROUP_ROOT

PROC = Path("/proc")
UPPER = re.compile(r"[ ,]upperdir=([^, ]+)")
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
QUIET_SECONDS = 1.0
"""So long no process may be seen before a build counts as ended."""

PATIENCE_SECONDS = 30.0
STRANGER_SECONDS = 2.0
"""So long a process may be shut in and not yet in its network: some engines enter it last."""


def namespace(pid: int | str, kind: str = "net") -> int:
    """Return the number of a process's namespace; 0 where it is gone or may not be looked at."""
    try:
        return (PROC / str(pid) / "ns" / kind).stat().st_ino
    except OSError:
        return 0


@dataclass
class Network:
    """The network namespace of a build, held open so that its number can't become another's.

    `companion` is the one process that belongs there and is no command of the build.
    """

    companion: int
    descriptor: int
    number: int
    companion_pids: int
    """The companion's own namespace of processes, by its number."""

    @classmethod
    def of(cls, companion: int) -> Network | None:
        """Hold the network of a running companion; None where that is gone, or is in the host's own network."""
        try:
            descriptor = os.open(PROC / str(companion) / "ns" / "net", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        number = os.fstat(descriptor).st_ino
        pids = namespace(companion, "pid")
        if not pids or number == namespace("self") or pids == namespace("self", "pid"):
            os.close(descriptor)
            return None
        return cls(companion, descriptor, number, pids)

    def processes(self) -> Iterator[int]:
        """Find the processes of the build's commands."""
        for entry in os.scandir(PROC):
            if not entry.name.isdigit() or namespace(entry.name) != self.number:
                continue
            if namespace(entry.name, "pid") not in {0, self.companion_pids}:
                yield int(entry.name)

    def end_all(self) -> int:
        """End every process of the build's commands by force; return how many there were."""
        found = list(self.processes())
        for pid in found:
            _kill(pid)
        return len(found)


@dataclass
class Group:
    """The control group of a build's commands; the engine makes one below it for each command.

    It limits the processes, which no engine's build does by itself. Where this host lets the platform make none,
    `path` is empty and the processes are counted from time to time.
    """

    name: str
    path: Path | None
    seen_elsewhere: dict[int, float] = field(default_factory=dict)

    @classmethod
    def make(cls, workload_id: str, processes: int) -> Group:
        """Make the group; its path is the same below every controller."""
        name = f"spacelab-{workload_id}"
        unified = (CGROUP_ROOT / "cgroup.controllers").exists()
        path = CGROUP_ROOT / name if unified else CGROUP_ROOT / "pids" / name
        if os.geteuid() != 0:
            return cls(name, None)
        try:
            path.mkdir(exist_ok=True)
            (path / "pids.max").write_text(str(processes))
            if unified:
                (path / "cgroup.subtree_control").write_text("+pids +memory +cpu")
        except OSError:
            with contextlib.suppress(OSError):
                path.rmdir()
            return cls(name, None)
        return cls(name, path)

    @classmethod
    def named(cls, name: str) -> Group:
        """Return a group that was made before, to end and remove it."""
        unified = (CGROUP_ROOT / "cgroup.controllers").exists()
        path = CGROUP_ROOT / name if unified else CGROUP_ROOT / "pids" / name
        return cls(name, path if path.is_dir() else None)

    @property
    def parent(self) -> str:
        """What the engine is told: the group for its commands; nothing where there is none."""
        return f"/{self.name}/run" if self.path else ""

    def processes(self) -> list[int]:
        """List the processes in the group and in those below."""
        if self.path is None:
            return []
        found = []
        for folder, _, _ in os.walk(self.path):
            with contextlib.suppress(OSError):
                found += [int(pid) for pid in (Path(folder) / "cgroup.procs").read_text().split()]
        return found

    def stranger(self, network: Network) -> int:
        """Return a process of the build that stays in another network than the companion's, 0 where there is none.

        The engine's own program is in the group before it shuts itself in, on a busy machine for seconds: until then
        it sees the host's files, which no command of the build does.
        """
        now, files = time.monotonic(), namespace("self", "mnt")
        elsewhere = [pid for pid in self.processes() if namespace(pid) not in {0, network.number}]
        strangers = [pid for pid in elsewhere if namespace(pid, "mnt") not in {0, files}]
        self.seen_elsewhere = {pid: self.seen_elsewhere.get(pid, now) for pid in strangers}
        return next((pid for pid, since in self.seen_elsewhere.items() if now - since > STRANGER_SECONDS), 0)

    def memory_kills(self) -> int:
        """Count the processes that the kernel ended because the memory of the build's command was used up."""
        files = [CGROUP_ROOT / self.name / "run" / "memory.events"]
        files.append(CGROUP_ROOT / "memory" / self.name / "run" / "memory.oom_control")
        files.append(CGROUP_ROOT / self.name / "memory.events")
        counts = [0]
        for file in files:
            with contextlib.suppress(OSError, ValueError, IndexError):
                words = file.read_text().split()
                counts.append(int(words[words.index("oom_kill") + 1]))
        return max(counts)

    def end_all(self) -> int:
        """End everything in the group by force; return how many processes there were."""
        found = self.processes()
        for pid in found:
            _kill(pid)
        return len(found)

    def remove(self) -> None:
        """Remove the group and what the engine left of it below other controllers."""
        controllers = [CGROUP_ROOT, *(entry for entry in CGROUP_ROOT.iterdir() if entry.is_dir())]
        for controller in controllers:
            for path in (controller / self.name / "run", controller / self.name):
                with contextlib.suppress(OSError):
                    path.rmdir()


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def end_build(network: Network | None, group: Group, quiet_seconds: float = QUIET_SECONDS) -> bool:
    """End a build's processes again and again until none has been seen for a while; say whether they are gone."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    quiet_since = time.monotonic()
    while time.monotonic() < deadline:
        if (network.end_all() if network else 0) + group.end_all():
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since >= quiet_seconds:
            return True
        time.sleep(0.02)
    return False


def upper_folder(pid: int) -> Path | None:
    """Return the folder of the host in which a command's changes to its image's files lie, where the kernel tells."""
    try:
        lines = (PROC / str(pid) / "mountinfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.split(" ", 5)[4] == "/" and (found := UPPER.search(line)):
            return Path(found[1])
    return None


def folder_bytes(folder: Path) -> int:
    """Add up what the files below a folder take on the disk, following no link."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_blocks * 512  # noqa: PTH118  millions of times
    return total


def usage(pids: list[int]) -> Usage:
    """Add up the CPU seconds and the memory of processes."""
    seconds, memory = 0.0, 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError, ValueError):
            words = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
            seconds += sum(int(word) for word in words[11:15]) / TICKS
            memory += int(words[21]) * PAGE
    return Usage(seconds, memory, processes=len(pids))
