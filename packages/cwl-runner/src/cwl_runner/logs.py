"""The files that jobs print into.

One is put into its job's folder once there is something in it, or once the job takes long enough to be watched. So a
job that ends at once and prints nothing, as those of large scatters do, costs neither a folder nor a file.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

WATCHED_AFTER = 0.3
"""Seconds after which somebody may want to see what a job prints."""
UNUSED = ".logs"
"""The folder beside that of the logs where files wait for something to be in them."""
MODE = 0o644


class Logs:
    """Gives jobs files to print into, as `<folder>/<job>/<stream>`; without a folder, where our own messages go."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = str(folder) if folder else ""
        self._unused = str(folder.with_name(UNUSED)) if folder else ""
        self._free: list[str] = []
        self._count = 0
        self._given: dict[str, list[tuple[str, str]]] = {}
        if folder:
            make(self._unused)

    def path(self, job: str, stream: str) -> str:
        """Say where what a job printed is, once it has ended."""
        return f"{self._folder}/{job}/{stream}" if self._folder else ""

    def open(self, job: str, stream: str) -> int:
        """Open a file for a job that is about to begin."""
        if not self._folder:
            return os.dup(2)
        own = f"{self._folder}/{job}"
        if os.path.lexists(own):  # of an earlier try, or of a step within
            make(own)
            return writable(f"{own}/{stream}")
        if not self._free:
            self._free.append(f"{self._unused}/{self._count}")
            self._count += 1
        path = self._free.pop()
        self._given.setdefault(job, []).append((stream, path))
        return writable(path)

    def show(self, job: str) -> None:
        """Put the files of a job into its folder now."""
        for stream, path in self._given.pop(job, ()):
            self._put(job, stream, path)

    def done(self, job: str) -> None:
        """Keep what a job that has ended printed."""
        for stream, path in self._given.pop(job, ()):
            found = os.lstat(path)
            if found.st_size or stat.S_IMODE(found.st_mode) != MODE:  # the command may have changed it
                self._put(job, stream, path)
            else:
                self._free.append(path)

    def _put(self, job: str, stream: str, path: str) -> None:
        make(f"{self._folder}/{job}")
        os.rename(path, f"{self._folder}/{job}/{stream}")  # noqa: PTH104 - the file may be open


def make(folder: str) -> None:
    """Make a folder, those above it only where they lack: for every job."""
    try:
        os.mkdir(folder)  # noqa: PTH102 - for every job
    except FileExistsError:
        if not os.path.isdir(folder):  # noqa: PTH112 - as above
            raise
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - as above


def writable(path: str) -> int:
    """Open a new or emptied file for a job's stream."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)
