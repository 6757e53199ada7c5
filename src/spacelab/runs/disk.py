"""Watches the disk that runs at work fill, and ends those that fill it beyond what a run may, or all of it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from spacelab.kit import folders as kit_folders
from spacelab.runs import actions, caches, folders, queries
from spacelab.runs.actions import SYSTEM
from spacelab.runs.models import Run
from spacelab.runs.rules import Footprint, overfull
from spacelab.workloads.rules import BROKERS, Trouble

EVERY = 3.0
"""Seconds between two measurements of a run; one each look while the disk is low."""
FEW_FILES = 10_000
"""A disk that has room for fewer files is in danger, as one with hardly any room in bytes."""
MANY_FILES = 50_000
"""Files of a run that has fewer are not what fills it."""
SHARE = 10.0
"""A measurement is followed by a pause of so many times what it took: large trees are measured less often."""


def size_of(run: Run) -> int:
    """Return the bytes that a run takes: its folder, what its jobs wrote, and what they write as containers."""
    places = settings.SPACELAB.run_directory / BROKERS / str(run.workload_id)
    own = kit_folders.measure(folders.run_folder(run.pk)) + kit_folders.measure(places)
    return own + caches.size_of_run(run.owner.username, run.pk)


def _files_run_out(state: Path) -> bool:
    """Say whether the disk can hold hardly more files, however small; some file systems know no such limit."""
    found = os.statvfs(state)
    return found.f_files > 0 and found.f_favail < max(FEW_FILES, found.f_files // 100)


def _with_most_files(runs: Sequence[Run]) -> dict[str, str]:
    """Return the run with the most files, if these are many, with the reason for its end."""
    counts = {run.pk: caches.size_of_run(run.owner.username, run.pk, counted=True) for run in runs}
    worst = max(counts, key=lambda one: counts[one], default="")
    if counts.get(worst, 0) < MANY_FILES:
        return {}
    return {worst: f"The platform's disk can hold hardly more files, and it has made {counts[worst]}."}


@dataclass
class Measured:
    """What is remembered of a run between two looks: when it was measured, what it took, and when to measure again."""

    at: float
    size: int
    due: float


@dataclass
class Watch:
    """Looks at the runs at work, again and again."""

    known: dict[str, Measured] = field(default_factory=dict)

    def look(self) -> None:
        """Measure the runs that are due, and end those that take too much."""
        wanted, at_work = settings.SPACELAB, list(queries.at_work().select_related("owner"))
        self.known = {run.pk: self.known[run.pk] for run in at_work if run.pk in self.known}
        free = shutil.disk_usage(wanted.state).free
        low = free < wanted.disk_floor_mb * 2**20
        found = [one for run in at_work if (one := self._measure(run, low=low)) is not None]
        limits = (wanted.run_disk_mb, wanted.disk_floor_mb, wanted.disk_reserve_mb)
        most, floor, reserve = (one * 2**20 for one in limits)
        ends = overfull(found, most=most, free=free, floor=floor, reserve=reserve)
        if not ends and _files_run_out(wanted.state):
            ends = _with_most_files(at_work)
        for run in at_work:
            if run.pk in ends:
                actions.cut_off(by=SYSTEM, run=run, reason=ends[run.pk], trouble=Trouble.DISK_FULL)

    def _measure(self, run: Run, *, low: bool) -> Footprint | None:
        """Measure one run, if it is due."""
        began, before = time.monotonic(), self.known.get(run.pk)
        if before is not None and began < before.due and not low:
            return None
        size = size_of(run)
        now = time.monotonic()
        self.known[run.pk] = Measured(now, size, now + max(EVERY, SHARE * (now - began)))
        if before is None or before.size != size:
            actions.note_disk(by=SYSTEM, run=run, size=size)
        growth = (size - before.size) / max(now - before.at, 0.1) if before is not None else size / EVERY
        return Footprint(run.pk, size, growth)
