"""What the controller does for schedules: starts what is due, watches folders, stops what can't go on."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import transaction
from django.utils import timezone

from spacelab.audit import actions as audit
from spacelab.kit.background import Background
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, NotFound, OverQuota, Refusal, Unavailable
from spacelab.runs.schedules import actions, queries, rules
from spacelab.runs.schedules.models import Schedule
from spacelab.runs.schedules.rules import Known, Missed, Outcome, Seen, State, Trigger
from spacelab.runs.schedules.watching import find_folder, look

logger = logging.getLogger(__name__)

SYSTEM = audit.System("schedules")
LOOK_EVERY = timedelta(seconds=5)
"""Between two looks at a folder, as long as it holds few files."""
LOOK_SLOWLY = timedelta(seconds=30)
MANY_FILES = 500
FOR_GOOD = (Invalid, NotFound, Forbidden)
"""Refusals that don't pass by themselves: something is gone, or not hers any more."""
FOR_NOW = (OverQuota, Unavailable, Conflict)


def look_after_schedules() -> None:
    """Look at every schedule that is due."""
    for schedule_id in queries.due(timezone.now()):
        try:
            attend(schedule_id)
        except Exception:
            logger.exception("schedule %s could not be looked after", schedule_id)
            found = Schedule.objects.filter(pk=schedule_id).first()
            if found is not None:
                told = "It could not be looked after; an operator finds why in the log."
                again = actions.later(timezone.now(), found.tries)
                actions.note_look(by=SYSTEM, schedule=found, next_at=again, reason=told, tries=found.tries + 1)


def attend(schedule_id: str) -> None:
    """Take one schedule a step further: one launch at most, in one transaction with what it changes."""
    found = Schedule.objects.select_related("owner").get(pk=schedule_id)
    if not found.owner.is_active:
        actions.stop(by=SYSTEM, schedule=found, reason="Its owner has left.")
        return
    try:
        if found.trigger == Trigger.TIME:
            _attend_times(found)
        else:
            _attend_files(found)
    except FOR_GOOD as refusal:
        if found.trigger == Trigger.FILES and refusal.field.startswith(f"inputs.{found.input}"):
            _put_off(found, refusal)  # a file of it is gone again
            return
        actions.stop(by=SYSTEM, schedule=found, reason=refusal.message, advice=refusal.advice)
    except FOR_NOW as refusal:
        _put_off(found, refusal)


def _locked(schedule: Schedule) -> Schedule | None:
    """Take the row of a schedule; None if it is not to be looked at any more."""
    rows = Schedule.objects.select_for_update(of=("self",)).select_related("owner")
    return rows.filter(pk=schedule.pk, state=State.ACTIVE, next_at=schedule.next_at).first()


def _attend_times(schedule: Schedule) -> None:
    now = timezone.now()
    with transaction.atomic():
        found = _locked(schedule)
        if found is None or found.next_at is None:
            return
        busy = None if found.may_overlap else queries.unfinished_run(found)
        wanted = rules.plan(
            cron=found.cron,
            zone=found.time_zone,
            next_at=found.next_at,
            now=now,
            missed=Missed(found.missed),
            busy=busy is not None,
        )
        if wanted.waits:
            told = f"It waits for its run {busy.pk if busy else ''} to end."
            if found.reason != told:
                actions.note_look(by=SYSTEM, schedule=found, next_at=found.next_at, reason=told)
            return
        actions.leave_out(by=SYSTEM, schedule=found, times=wanted.skipped, reason=wanted.why_skipped)
        actions.note_look(by=SYSTEM, schedule=found, next_at=wanted.next_at)
        if wanted.launch is not None:
            actions.fire(by=SYSTEM, schedule=found, due=wanted.launch, job=found.job)
        actions.forget_old(by=SYSTEM, schedule=found)


def _put_off(schedule: Schedule, refusal: Refusal) -> None:
    """Try again later what was refused for now; a time that is not caught up is left out."""
    now = timezone.now()
    told = f"{refusal.message} {refusal.advice}".strip()
    skips = schedule.trigger == Trigger.TIME and schedule.missed == Missed.SKIP
    with transaction.atomic():
        found = _locked(schedule)
        if found is None or found.next_at is None:
            return
        if skips:
            actions.leave_out(by=SYSTEM, schedule=found, times=[found.next_at], reason=told, outcome=Outcome.REFUSED)
            following = next(iter(rules.times_after(found.cron, found.time_zone, now, 1)), None)
            actions.note_look(by=SYSTEM, schedule=found, next_at=following, reason=told)
        elif found.trigger == Trigger.TIME:
            actions.put_off(by=SYSTEM, schedule=found, reason=told, now=now)
        else:
            again = actions.later(now, found.tries)
            actions.note_look(by=SYSTEM, schedule=found, next_at=again, reason=told, tries=found.tries + 1)


def _attend_files(schedule: Schedule) -> None:
    now = timezone.now()
    watched = find_folder(schedule.owner, schedule.folder)
    found = look(watched, schedule.patterns, with_subfolders=schedule.with_subfolders)
    known = {
        one.path: Known(one.size, one.changed, one.since, one.taken)
        for one in schedule.watched.only("path", "size", "changed", "since", "taken")
    }
    news = rules.compare(found.files, known, now, timedelta(seconds=schedule.settle_seconds))
    if not found.whole:
        news.gone = []  # what was not looked at may still be there
    actions.note_news(by=SYSTEM, schedule=schedule, news=news, now=now)
    with transaction.atomic():
        row = _locked(schedule)
        if row is None:
            return
        busy = None if row.may_overlap else queries.unfinished_run(row)
        reason = found.why
        if news.ready and busy is not None:
            reason = f"{len(news.ready)} files wait for its run {busy.pk} to end."
        elif news.ready:
            _launch_files(row, news.ready, now)
        pause = LOOK_SLOWLY if len(found.files) > MANY_FILES else LOOK_EVERY
        more = row.one_run_each and row.may_overlap and len(news.ready) > 1
        actions.note_look(by=SYSTEM, schedule=row, next_at=now if more else now + pause, reason=reason)


def _launch_files(schedule: Schedule, ready: list[Seen], now: datetime) -> None:
    taken = ready[:1] if schedule.one_run_each else ready[: rules.MOST_FILES_OF_A_RUN]
    files: list[dict[str, Any]] = [{"class": "File", "location": one.path} for one in taken]
    job = {**schedule.job, schedule.input: files[0] if schedule.one_run_each else files}
    actions.note_taken(by=SYSTEM, schedule=schedule, files=taken)
    actions.fire(by=SYSTEM, schedule=schedule, due=now, job=job, files=taken)
    actions.forget_old(by=SYSTEM, schedule=schedule)


@cache
def _attendant() -> Background:
    return Background("schedules", look_after_schedules)


def attend_schedules() -> None:
    """Have schedules looked after, in a thread of its own."""
    _attendant().look()
