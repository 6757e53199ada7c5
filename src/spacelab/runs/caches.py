"""What people's jobs left to be reused: how much it is, and the removal of what was unused for longest.

The folder of a person (`run-cache/<name>`) is written by her runs, whose layout `cwl_runner.cache` describes. Nothing
below it is trusted: what goes is first moved out of their reach, and no link is followed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from spacelab.kit import folders as kit_folders
from spacelab.kit.ids import new_id
from spacelab.runs import queries
from spacelab.runs.folders import cache_folder

KEPT, WORK = "jobs", "work"
"""Folders of finished jobs, and those in which jobs of living runs work."""
TRASH = ".trash"
"""Stands beside the people's folders, which have no dot at the beginning."""
SLACK = timedelta(minutes=2)
"""Between what a run's start is noted as, and the first time that it can have used anything."""
LEFT_AFTER = timedelta(hours=1)
"""Age from which a working folder is of a run that was killed, if none of its person is at work."""
PATIENCE = 120


@dataclass(frozen=True)
class Entry:
    """One job's folder: where, how many bytes, when it was used last (seconds since 1970)."""

    parent: Path
    name: str
    size: int
    used: float


def entries(username: str, parent: str = KEPT) -> list[Entry]:
    """List what lies in a person's folder of finished jobs (or another of hers), following no link."""
    folder = cache_folder(username) / parent
    found = []
    for name, size in _sizes(folder):
        with contextlib.suppress(OSError):
            found.append(Entry(folder, name, size, os.lstat(folder / name).st_mtime))
    return found


def _sizes(folder: Path, *, counted: bool = False) -> Iterator[tuple[str, int]]:
    """Yield the names in a folder with the bytes that each takes, measured by another program as any tree may be.

    With `counted` it is the number of files and folders instead.
    """
    argv = ["du", "-ax0", "--inodes" if counted else "-k", "--max-depth=1", "--", str(folder)]
    try:
        said = subprocess.run(argv, check=False, capture_output=True, timeout=PATIENCE).stdout
    except (OSError, subprocess.TimeoutExpired):
        return
    start = f"{folder}/"
    for line in said.split(b"\0"):
        size, _, path = line.partition(b"\t")
        name = os.fsdecode(path)
        if size.isdigit() and name.startswith(start):
            yield name[len(start) :], int(size) * (1 if counted else 1024)


def size_of_run(username: str, run_id: str, *, counted: bool = False) -> int:
    """Return the bytes of what the jobs of one run wrote, which carry its id in their names, or count its files."""
    found = (one for parent in (KEPT, WORK) for one in _sizes(cache_folder(username) / parent, counted=counted))
    return sum(size for name, size in found if name.startswith(run_id))


def people() -> list[str]:
    """List whose runs left something."""
    try:
        return sorted(one.name for one in cache_folder("x").parent.iterdir() if not one.name.startswith("."))
    except FileNotFoundError:
        return []


def trim_all(now: datetime) -> int:
    """Remove, of everybody, what is beyond the limits; where the disk is low, more, the longest unused first.

    Returns how many folders went.
    """
    wanted, gone = settings.SPACELAB, 0
    kept: list[Entry] = []
    for username in people():
        free_to_go = _free_to_go(username, now)
        gone += sum(map(remove, _left_over(username, now)))
        too_much = sum(one.size for one in free_to_go) - wanted.run_cache_mb * 2**20
        old = (now - timedelta(days=wanted.run_days)).timestamp()
        for one in free_to_go:
            if too_much > 0 or one.used < old:
                gone += remove(one)
                too_much -= one.size
            else:
                kept.append(one)
    for one in sorted(kept, key=lambda one: one.used):
        if shutil.disk_usage(wanted.state).free >= wanted.disk_floor_mb * 2**20:
            break
        gone += remove(one)
    with contextlib.suppress(FileNotFoundError):
        kit_folders.remove(_trash())
    return gone


def _free_to_go(username: str, now: datetime) -> list[Entry]:
    """List the finished jobs that no run at work can be using, the longest unused first."""
    since = (queries.in_use_since(username) or now) - SLACK
    return sorted((one for one in entries(username) if one.used < since.timestamp()), key=lambda one: one.used)


def _left_over(username: str, now: datetime) -> Iterable[Entry]:
    """List working folders of runs that were killed."""
    if queries.in_use_since(username) is not None:
        return []
    return [one for one in entries(username, WORK) if one.used < (now - LEFT_AFTER).timestamp()]


def _trash() -> Path:
    return cache_folder(TRASH)


def remove(entry: Entry) -> bool:
    """Remove one folder unless it was used meanwhile; say whether it went."""
    trash = _trash()
    trash.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        parent = os.open(entry.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    moved = trash / new_id()
    try:
        if os.stat(entry.name, dir_fd=parent, follow_symlinks=False).st_mtime != entry.used:
            return False
        os.rename(entry.name, moved, src_dir_fd=parent)
    except OSError:
        return False
    finally:
        os.close(parent)
    kit_folders.remove(moved)
    return True
