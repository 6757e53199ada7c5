"""Jobs in sandboxes: each place has one, with its own processes, mounts, network and memory segments.

A sandbox sees the system and the run's inputs read-only, and can write its place's folder, `/tmp`, `/var/tmp` and
`/dev/shm` only. It serves one job after the other: between two, the starter (its first process) ends every process
that is left and empties what is writable, and a sandbox that can't be cleaned is thrown away. That makes a job as
separate from the next as a sandbox for each would, and costs a thirtieth of the time.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from cwl_runner.backends.slots import INTERPRETER, STARTER, Slot, Slots

PROGRAM = "bwrap"
INSIDE = "/job"
SCRATCH = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - inside, and private
SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "opt")
NEVER = ("/", "/proc", "/dev", "/sys", "/run", "/tmp", "/var/tmp", INSIDE)  # noqa: S108 - not to be shown whole
INSIDE_STARTER = f"/job-starter{Path(STARTER).suffix}"


def available() -> bool:
    """Say whether the program is there; whether it may make namespaces shows when it is used."""
    return shutil.which(PROGRAM) is not None


class Bubblewrap(Slots):
    """Each job is alone in a sandbox."""

    name = "bubblewrap"
    isolated = True

    def __init__(
        self, folder: Path, count: int, visible: Iterable[str | Path], hidden: Sequence[str | Path] = ()
    ) -> None:
        super().__init__(folder, count)
        self._arguments = view([*visible, sys.base_prefix, str(Path(INTERPRETER).parent)], hidden)
        self._scratch = [*SCRATCH, *(f"-{path}" for path in _mounted(self._arguments) if _in_scratch(path))]

    def _paths(self, number: int) -> tuple[str, str]:
        return str(self._folder / str(number)), INSIDE

    def command(self, slot: Slot, descriptor: int) -> list[str]:
        """Build the command line of a sandbox with its starter."""
        network = [] if slot.network else ["--unshare-net"]
        return [
            PROGRAM,
            *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", *network),
            *("--die-with-parent", "--as-pid-1", "--cap-drop", "ALL", *_person()),
            *self._arguments,
            *("--bind", slot.place.host, INSIDE, "--ro-bind", STARTER, INSIDE_STARTER, "--remount-ro", "/"),
            *("--chdir", "/", "--", INTERPRETER, "-I", "-S", "-B", INSIDE_STARTER, str(descriptor), *self._scratch),
        ]


def _person() -> tuple[str, ...]:
    """Let jobs of root be somebody else inside: programs that find themselves root without its rights fail."""
    return ("--unshare-user", "--uid", "1000", "--gid", "1000") if os.geteuid() == 0 else ()


def _mounted(arguments: list[str]) -> list[str]:
    """List the paths at which something is mounted."""
    bound = [arguments[at + 2] for at, word in enumerate(arguments) if word == "--ro-bind"]
    return [*bound, *(arguments[at + 1] for at, word in enumerate(arguments) if word == "--tmpfs")]


def _in_scratch(path: str) -> bool:
    return any(path.startswith(f"{folder}/") for folder in SCRATCH)


def view(visible: Iterable[str | Path], hidden: Sequence[str | Path] = ()) -> list[str]:
    """Describe what a sandbox sees: the system, private scratch, and these paths, each read-only at its own place.

    A hidden folder is empty but for those of the paths that lie in it.
    """
    arguments = ["--tmpfs", "/tmp", "--tmpfs", "/var/tmp", "--proc", "/proc", "--dev", "/dev"]  # noqa: S108 - inside
    for name in SYSTEM:
        folder = Path("/", name)
        if folder.is_symlink():
            arguments += ["--symlink", str(folder.readlink()), str(folder)]
        elif folder.is_dir():
            arguments += ["--ro-bind", str(folder), str(folder)]
    shown: list[str] = []
    wanted = sorted({os.path.realpath(each) for each in visible})
    for path in wanted:
        system = any(path.startswith(f"/{name}/") for name in SYSTEM)
        covered = any(path == other or path.startswith(f"{other}/") for other in shown)
        if path not in NEVER and not system and not covered and Path(path).exists():
            shown.append(path)
            arguments += ["--ro-bind", path, path]
    for path in sorted({os.path.realpath(each) for each in hidden}):
        if any(path.startswith(f"{other}/") for other in shown) and Path(path).is_dir():
            arguments += ["--tmpfs", path]
            below = [each for each in wanted if each.startswith(f"{path}/") and Path(each).exists()]
            arguments += [word for each in below for word in ("--ro-bind", each, each)]
    return arguments
