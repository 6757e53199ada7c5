"""Removing folders that somebody else's program wrote into, and reading what it left there."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

PATIENCE = 600
"""Seconds that the removal of one folder may take."""


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
