"""What containers with a root that they can write put on the engine's disk: nothing but the platform limits that."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from docker.errors import APIError

from spacelab.workloads.runtimes.container.building_network import upper_folder
from spacelab.workloads.runtimes.container.engine import Engine, EngineAway

logger = logging.getLogger(__name__)

EVERY, SHARE = 1.0, 4.0
"""Seconds between two measurements of one container; more if one takes long: so many times what it took."""
EVERY_BY_ENGINE = 10.0
"""The same where the engine has to be asked, which measures by itself."""
BLOCK = 512
"""Bytes of a block in what stat(2) tells."""
ENTRY = 4096
"""Bytes that every file and folder counts at least: a file system has room for so many of them only."""
DEEPEST = 400
"""Folders in each other; whoever makes more hides what is in them, and counts as over any limit."""
ENDLESS = sys.maxsize // 2


def written_below(folder: Path) -> int:
    """Return what a folder takes on the disk, following no link; raise `OSError` where it can't be looked at."""
    return _below(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW), 0)


def _below(descriptor: int, depth: int) -> int:
    """Add up what lies in an open folder, which is closed then."""
    total = 0
    try:
        if depth > DEEPEST:
            return ENDLESS
        with os.scandir(descriptor) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):  # gone since it was listed
                    total += max(entry.stat(follow_symlinks=False).st_blocks * BLOCK, ENTRY)
                    if entry.is_dir(follow_symlinks=False):
                        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                        total += _below(os.open(entry.name, flags, dir_fd=descriptor), depth + 1)
    finally:
        os.close(descriptor)
    return total


def unlinked(pids: list[int]) -> int:
    """Return what processes hold on the disk of their root in files that have no name any more."""
    found: dict[int, int] = {}
    for pid in pids:
        process = Path(f"/proc/{pid}")
        with contextlib.suppress(OSError):
            root = (process / "root").stat().st_dev
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    facts = descriptor.stat()
                    if stat.S_ISREG(facts.st_mode) and not facts.st_nlink and facts.st_dev == root:
                        found[facts.st_ino] = facts.st_blocks * BLOCK
    return sum(found.values())


@dataclass
class _Measured:
    written: int = 0
    due: float = 0.0
    at_work: Future[tuple[int, float]] | None = None


class LayerWatch:
    """Measures beside the observations, which never wait for it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="layers")
        self._measured: dict[str, _Measured] = {}

    def keep(self, names: set[str]) -> None:
        """Forget all containers but these."""
        for name in self._measured.keys() - names:
            del self._measured[name]

    def written(self, name: str, pid: int, pids: list[int]) -> int:
        """Return the bytes that the container wrote into its own layer when it was measured last; measure if due."""
        known = self._measured.setdefault(name, _Measured())
        if known.at_work is not None and known.at_work.done():
            known.written, pause = known.at_work.result()
            known.at_work, known.due = None, time.monotonic() + pause
        if known.at_work is None and time.monotonic() >= known.due:
            known.at_work = self._pool.submit(self._measure, name, pid, pids, known.written)
        return known.written

    def _measure(self, name: str, pid: int, pids: list[int], before: int) -> tuple[int, float]:
        """Measure; return the bytes, and the seconds until the next time."""
        began = time.monotonic()
        every, found = EVERY, _seen_here(pid, pids)
        if found is None:
            every, found = EVERY_BY_ENGINE, before
            try:
                found = self._engine.written(name)
            except (EngineAway, APIError) as error:
                logger.info("what %s wrote can't be measured: %s", name, error)
        return found, max(every, SHARE * (time.monotonic() - began))


def _seen_here(pid: int, pids: list[int]) -> int | None:
    """Measure where the kernel says that the files lie; None where it doesn't, or the platform may not look there."""
    folder = upper_folder(pid)
    try:
        return None if folder is None else written_below(folder) + unlinked(pids)
    except OSError:
        return None
