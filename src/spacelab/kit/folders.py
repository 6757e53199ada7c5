"""Removing folders that somebody else's program wrote into, measuring them, and reading what it left there."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
from pathlib import Path

from spacelab.kit.refusals import Invalid

PATIENCE = 600
"""Seconds that the removal of one folder may take."""
BLOCK = 512
"""Bytes of a block in what stat(2) tells."""
ENTRY = 4096
"""Bytes that every file and folder counts at least: a file system has room for so many of them only."""
DEEPEST = 100
"""Folders in each other."""


def remove(folder: Path) -> None:
    """Remove a folder that a workload wrote into: however deep, whatever its rights, following no link out of it."""
    if not _there(folder):
        return
    _run("rm", "-rf", "--one-file-system", "--", str(folder))
    if _there(folder):
        _run("chmod", "-R", "u+rwX", "--", str(folder))
        _run("rm", "-rf", "--one-file-system", "--", str(folder))


def _there(folder: Path) -> bool:
    return folder.is_symlink() or folder.exists()


def _run(*argv: str) -> None:
    # Python's own removal takes a frame and a descriptor for each level, so that deep folders stop it.
    subprocess.run(argv, check=False, capture_output=True, timeout=PATIENCE)


def read_left(file: Path, most: int) -> bytes:
    """Read a file that a workload left, at most `most` bytes; nothing of a link, a pipe, or what is larger."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as opened:
        facts = os.fstat(opened.fileno())
        return opened.read(most) if stat.S_ISREG(facts.st_mode) and facts.st_size <= most else b""


def measure(folder: Path) -> int:
    """Return the bytes that a folder takes on its disk, following no link; 0 if that can't be found out."""
    try:
        # Another program's frames and descriptors: folders in each other without end stop only that one.
        done = subprocess.run(
            ["du", "-skx", "--", str(folder)], check=False, capture_output=True, timeout=PATIENCE, text=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    first = done.stdout.split(maxsplit=1)
    return int(first[0]) * 1024 if first and first[0].isdecimal() else 0


def disk_used(folder: Path) -> int:
    """Return the bytes of all files below a folder that somebody still writes into, without following links.

    A file with several names counts once, and not at all if it is root's: so are those of a base, which a build shares.
    Raises `Invalid` for folders in folders beyond every use.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return 0
    return _used_below(descriptor, 0, set())


def _used_below(descriptor: int, depth: int, seen: set[int]) -> int:
    """Add up what lies in an open folder, which is closed then."""
    total = 0
    try:
        if depth > DEEPEST:
            raise Invalid(
                f"There are more than {DEEPEST} folders in each other.",
                advice="Look at what makes them: a package's own set-up, or a repository.",
            )
        with contextlib.suppress(OSError), os.scandir(descriptor) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    found = entry.stat(follow_symlinks=False)
                    shared = found.st_nlink > 1 and not entry.is_dir(follow_symlinks=False)
                    if not shared or (found.st_uid and found.st_ino not in seen):
                        total += max(found.st_blocks * BLOCK, ENTRY)
                    if shared:
                        seen.add(found.st_ino)
                    if entry.is_dir(follow_symlinks=False):
                        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                        total += _used_below(os.open(entry.name, flags, dir_fd=descriptor), depth + 1, seen)
    finally:
        os.close(descriptor)
    return total
