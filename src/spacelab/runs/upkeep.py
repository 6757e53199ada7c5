"""What the controller does for runs: begin them in turn, follow their events, tell their ends, clear old folders."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.utils import timezone

from spacelab.kit.background import Background
from spacelab.runs import actions, caches, disk, folders, queries
from spacelab.runs.actions import SYSTEM
from spacelab.runs.events import LARGEST_FILE, read_news
from spacelab.runs.models import Run
from spacelab.runs.rules import State
from spacelab.workloads.rules import FINAL as ENDED
from spacelab.workloads.rules import Phase

logger = logging.getLogger(__name__)

LAST_WORDS = timedelta(seconds=10)
"""How long a coordinator may go on after it told the end of its run."""
MOST_PIECES = 16
"""Pieces of events taken over for one run at one look, so that no run keeps the others waiting."""
MOST_REMOVED = 20
ORPHAN_SECONDS = 3600.0
"""Age from which a folder counts as left over that no run has: younger ones may be those of a launch under way."""


def follow_runs() -> None:
    """Take every run a step further: begin what waits, take over events, end what has ended."""
    for run in queries.to_follow():
        try:
            follow_run(run)
        except Exception:
            logger.exception("run %s could not be followed", run.pk)
    begin_waiting()


def begin_waiting() -> None:
    """Begin the runs that wait for their turn, oldest first, as far as there is room; no run overtakes its owner's."""
    waits: set[int] = set()
    for run in queries.waiting():
        if run.owner_id in waits:
            continue
        try:
            begun = actions.begin_if_room(by=SYSTEM, run=run)
        except Exception:
            logger.exception("run %s could not begin", run.pk)
            begun = False
        if not begun:
            waits.add(run.owner_id)


def follow_run(run: Run) -> None:
    """Take over what one run's coordinator wrote since, and its end."""
    workload = run.workload
    ended = workload is None or workload.phase in ENDED  # looked at before the events: none comes later
    if run.state == State.QUEUED:
        if run.begun < run.attempt:
            return  # it waits for its turn
        if workload is not None and workload.phase == Phase.RUNNING:
            actions.note_at_work(by=SYSTEM, run=run, at=workload.ready_at)
            run.state = State.RUNNING
    for _ in range(MOST_PIECES):
        news = read_news(folders.run_folder(run.pk), run.read_bytes)
        if news.read_bytes == run.read_bytes:
            break
        actions.take_over(by=SYSTEM, run=run, news=news)
        if not news.more:
            break
    else:
        return  # the next look goes on
    if not ended:
        _watch(run)
    elif run.is_final or not actions.go_on_if_lost(by=SYSTEM, run=run, workload=workload):
        if not run.is_final:
            actions.end_by_workload(by=SYSTEM, run=run, workload=workload)
        actions.tidy(by=SYSTEM, run=run)


def _watch(run: Run) -> None:
    """End what goes on after the end of its run, or writes events without end."""
    if run.read_bytes >= LARGEST_FILE:
        actions.cut_off(by=SYSTEM, run=run, reason="It wrote more events than are read.", trouble="limit")
    if run.is_final and run.ended_at and timezone.now() - run.ended_at > LAST_WORDS:
        actions.stop_leftover(by=SYSTEM, run=run, reason="The run has ended.")


def look_after_folders() -> None:
    """Remove the folders of old runs, those that belong to no run, and what was kept for reuse beyond its limits."""
    before = timezone.now() - timedelta(days=settings.SPACELAB.run_days)
    for run in queries.ended_before(before, MOST_REMOVED):
        actions.remove_folder(by=SYSTEM, run=run)
    for name in folders.orphans(queries.known_folders(), older_than=time.time() - ORPHAN_SECONDS):
        logger.warning("the folder runs/%s belongs to no run and is removed", name)
        folders.remove(name)
    caches.trim_all(timezone.now())


@cache
def _follower() -> Background:
    return Background("runs", follow_runs)


@cache
def _guard() -> Background:
    return Background("run-disk", disk.Watch().look)


@cache
def _janitor() -> Background:
    return Background("run-folders", look_after_folders)


def attend_runs() -> None:
    """Have runs followed, in a thread of its own."""
    _follower().look()


def attend_disk() -> None:
    """Have the disk watched that runs fill, in a thread of its own."""
    _guard().look()


def attend_folders() -> None:
    """Have runs' folders looked after, in a thread of its own."""
    _janitor().look()
