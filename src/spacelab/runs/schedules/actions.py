"""Every write of schedules: people's wishes, and what the controller does for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.kit.refusals import Conflict, Forbidden, OverQuota
from spacelab.notifications import actions as notifications
from spacelab.notifications.rules import Kind
from spacelab.pipelines.queries import require_launch
from spacelab.runs import actions as run_actions
from spacelab.runs import launchables
from spacelab.runs.schedules import queries, rules
from spacelab.runs.schedules.models import Firing, Schedule, WatchedFile
from spacelab.runs.schedules.rules import News, Outcome, Seen, State, Trigger
from spacelab.runs.schedules.settling import Asked, first_look, settle
from spacelab.runs.schedules.watching import find_folder, look
from spacelab.volumes import actions as volume_actions

MOST_SCHEDULES = 50
"""Schedules of one person."""
KEPT_FIRINGS = 1000
"""What is remembered of one schedule's history."""
BATCH = 400
FILES_SHOWN = 100


def create(*, by: Person, asked: Asked) -> Schedule:
    """Make a schedule. Raises `Invalid` at the field, `OverQuota`, or what keeps its pipeline from being launched."""
    require_launch(by)
    volume_actions.ensure_areas(person=by)
    fields = settle(by, asked)
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=by.pk)
        if Schedule.objects.filter(owner=by).count() >= MOST_SCHEDULES:
            raise OverQuota(f"You have {MOST_SCHEDULES} schedules already.", advice="Delete one that you don't need.")
        schedule = Schedule.objects.create(owner=by, next_at=first_look(fields), **fields)
        if schedule.trigger == Trigger.FILES and not asked.with_present:
            _remember_present(schedule)
        _record(by, "create", schedule, trigger=schedule.trigger, pipeline=schedule.pipeline_slug)
    return schedule


def change(*, by: Person, schedule_id: str, asked: Asked) -> Schedule:
    """Change a schedule; one that watches another folder than before begins with the files that come from now on."""
    require_launch(by)
    found = _own(by, schedule_id)
    fields = settle(by, asked)
    with transaction.atomic():
        found = Schedule.objects.select_for_update(of=("self",)).get(pk=found.pk)
        watched = ("trigger", "folder", "patterns", "with_subfolders")
        elsewhere = any(getattr(found, name) != fields[name] for name in watched if name in fields)
        for name, value in fields.items():
            setattr(found, name, value)
        found.next_at = first_look(fields) if found.state == State.ACTIVE else None
        found.reason = "" if found.state == State.ACTIVE else found.reason
        found.tries, found.not_before = 0, None
        found.save()
        if elsewhere:
            found.watched.all().delete()
            if found.trigger == Trigger.FILES and not asked.with_present:
                _remember_present(found)
        _record(by, "change", found, trigger=found.trigger, pipeline=found.pipeline_slug)
    return found


def pause(*, by: Person, schedule_id: str) -> Schedule:
    """Have a schedule start nothing until it is resumed; runs at work go on. An operator may pause anybody's."""
    found = queries.find_seen(by, schedule_id)
    mine = found.owner_id == by.pk
    with transaction.atomic():
        reason = "" if mine else "An operator paused it."
        changed = Schedule.objects.filter(pk=found.pk, state=State.ACTIVE)
        if changed.update(state=State.PAUSED, reason=reason, next_at=None):
            _record(by, "pause", found)
            if not mine:
                _tell(found, f"{found.title} was paused", reason)
    return queries.find_seen(by, schedule_id)


def resume(*, by: Person, schedule_id: str) -> Schedule:
    """Have a schedule go on, once all that it needs is there again.

    Times that passed meanwhile are left out. Files that came meanwhile count, unless the schedule skips what it missed.
    """
    require_launch(by)
    found = _own(by, schedule_id)
    if found.state == State.ACTIVE:
        return found
    fields = settle(by, asked_of(found))
    with transaction.atomic():
        found = Schedule.objects.select_for_update(of=("self",)).get(pk=found.pk)
        found.state, found.reason, found.tries, found.next_at = State.ACTIVE, "", 0, first_look(fields)
        found.save(update_fields=["state", "reason", "tries", "next_at"])
        if found.trigger == Trigger.FILES and found.missed == rules.Missed.SKIP:
            _remember_present(found)
        _record(by, "resume", found)
    return found


def delete(*, by: Person, schedule_id: str) -> None:
    """Remove a schedule with its history; its runs stay."""
    found = _own(by, schedule_id)
    with transaction.atomic():
        _record(by, "delete", found, pipeline=found.pipeline_slug)
        found.delete()


def asked_of(schedule: Schedule) -> Asked:
    """Return what a schedule asks for, as its form takes it."""
    return Asked(
        pipeline=schedule.pipeline_slug,
        trigger=schedule.trigger,
        title=schedule.title,
        version=schedule.version_number,
        job=schedule.job,
        choices=schedule.choices,
        cron=schedule.cron,
        time_zone=schedule.time_zone,
        missed=schedule.missed,
        folder=schedule.folder,
        patterns="\n".join(schedule.patterns),
        with_subfolders=schedule.with_subfolders,
        settle_seconds=schedule.settle_seconds,
        input=schedule.input,
        one_run_each=schedule.one_run_each,
        may_overlap=schedule.may_overlap,
    )


def _own(by: Person, schedule_id: str) -> Schedule:
    found = queries.find_seen(by, schedule_id)
    if found.owner_id != by.pk:
        raise Forbidden("This is somebody else's schedule.", advice="Make one of your own.")
    return found


def _record(by: audit.Actor, verb: str, schedule: Schedule, **details: Any) -> None:
    audit.record(by=by, action=f"runs.schedule-{verb}", subject=f"schedule:{schedule.pk}", **details)


def _tell(schedule: Schedule, title: str, text: str) -> None:
    notifications.tell(
        people=[schedule.owner],
        kind=Kind.RUN_ENDED,
        title=f"Your schedule {title}",
        text=text,
        url=reverse("runs:schedule", args=[schedule.pk]),
        subject=f"schedule:{schedule.pk}",
    )


def _remember_present(schedule: Schedule) -> None:
    """Take the files that are there now as known, so that only what comes from now on starts runs."""
    found = look(
        find_folder(schedule.owner, schedule.folder), schedule.patterns, with_subfolders=schedule.with_subfolders
    )
    _remember(schedule, found.files, timezone.now(), taken=True)


def _remember(schedule: Schedule, files: Sequence[Seen], now: datetime, *, taken: bool = False) -> None:
    rows = [
        WatchedFile(schedule=schedule, path=one.path, size=one.size, changed=one.changed, since=now, taken=taken)
        for one in files
    ]
    WatchedFile.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["schedule", "path"],
        update_fields=["size", "changed", "since", "taken"],
    )


# What the controller does


def stop(*, by: audit.Actor, schedule: Schedule, reason: str, advice: str = "") -> None:
    """Stop a schedule that can't go on, and tell its owner why."""
    with transaction.atomic():
        told = f"{reason} {advice}".strip()[:1000]
        changed = Schedule.objects.filter(pk=schedule.pk, state=State.ACTIVE)
        if changed.update(state=State.STOPPED, reason=told, next_at=None):
            _record(by, "stop", schedule, reason=reason[:300])
            _tell(schedule, f"{schedule.title} was stopped", told)


def note_news(*, by: audit.Actor, schedule: Schedule, news: News, now: datetime) -> None:  # noqa: ARG001  as every action
    """Remember what a look at a folder found."""
    with transaction.atomic():
        for start in range(0, len(news.gone), BATCH):
            schedule.watched.filter(path__in=news.gone[start : start + BATCH]).delete()
        _remember(schedule, news.fresh, now)


def note_taken(*, by: audit.Actor, schedule: Schedule, files: Sequence[Seen]) -> None:  # noqa: ARG001  as every action
    """Remember that files were given to a run, inside the transaction that launches it."""
    paths = [one.path for one in files]
    for start in range(0, len(paths), BATCH):
        schedule.watched.filter(path__in=paths[start : start + BATCH]).update(taken=True)


def note_look(
    *,
    by: audit.Actor,  # noqa: ARG001  as every action
    schedule: Schedule,
    next_at: datetime | None,
    reason: str = "",
    tries: int = 0,
) -> None:
    """Note when to look at a schedule next, and what keeps it from starting a run until then."""
    values: dict[str, Any]
    if next_at is None:
        values = {"state": State.STOPPED, "reason": "Its time never comes again.", "next_at": None}
    else:
        values = {"reason": reason[:1000], "next_at": next_at, "tries": tries, "not_before": None}
    Schedule.objects.filter(pk=schedule.pk, state=State.ACTIVE).update(**values)


def fire(
    *, by: audit.Actor, schedule: Schedule, due: datetime, job: dict[str, Any], files: Sequence[Seen] = ()
) -> Firing:
    """Launch a schedule's pipeline as its owner; raises whatever refuses that.

    The caller holds the schedule's row and changes its next time in the same transaction: a controller that dies
    before the end of that has launched nothing, and one that comes after it finds the time done.
    """
    wanted = launchables.of_catalogue(schedule.owner, schedule.pipeline_slug, schedule.version_number)
    choices = dict(schedule.choices)
    choices["title"] = choices.get("title") or schedule.title
    if results := choices.get("results"):
        choices["results"] = f"{results}/{due:%Y-%m-%dT%H%M%S}"
    run = run_actions.launch(by=schedule.owner, wanted=wanted, job=job, **choices)
    firing = Firing.objects.create(
        schedule=schedule,
        due=due,
        outcome=Outcome.LAUNCHED,
        run=run,
        files=[one.path for one in files[:FILES_SHOWN]],
        times=max(len(files), 1),
    )
    _record(by, "fire", schedule, run=run.pk, due=due.isoformat(), files=len(files))
    return firing


def leave_out(
    *, by: audit.Actor, schedule: Schedule, times: Sequence[datetime], reason: str, outcome: Outcome = Outcome.SKIPPED
) -> None:
    """Write down that times of a schedule started no run, and why."""
    if times:
        Firing.objects.create(schedule=schedule, due=times[-1], outcome=outcome, reason=reason[:1000], times=len(times))
        _record(by, "skip", schedule, times=len(times), reason=reason[:300])


def put_off(*, by: audit.Actor, schedule: Schedule, reason: str, now: datetime) -> None:  # noqa: ARG001  as every action
    """Keep a time due that shall be caught up, and try again when it makes sense."""
    Schedule.objects.filter(pk=schedule.pk, state=State.ACTIVE).update(
        reason=reason[:1000], tries=schedule.tries + 1, not_before=later(now, schedule.tries)
    )


def forget_old(*, by: audit.Actor, schedule: Schedule) -> None:  # noqa: ARG001  as every action
    """Keep the newest part of a schedule's history."""
    old = schedule.firings.order_by("-at", "-pk").values_list("pk", flat=True)[KEPT_FIRINGS : KEPT_FIRINGS + BATCH]
    Firing.objects.filter(pk__in=list(old)).delete()


def later(now: datetime, tries: int) -> datetime:
    """Return when to try again what was refused for something that passes: after 30 s at first, at most after 1 h."""
    return now + min(timedelta(seconds=30 * 2.0 ** min(tries, 7)), timedelta(hours=1))


def run_now(*, by: Person, schedule_id: str) -> Firing:
    """Launch a schedule of times once, now, beside its times."""
    found = _own(by, schedule_id)
    if found.trigger != Trigger.TIME:
        raise Conflict("This schedule waits for files.", advice="Put a file into its folder.")
    with transaction.atomic():
        found = Schedule.objects.select_for_update(of=("self",)).select_related("owner").get(pk=found.pk)
        if not found.may_overlap and (busy := queries.unfinished_run(found)):
            raise Conflict(f"Its run {busy.pk} is still at work.", advice="Wait for it, or stop it.")
        return fire(by=by, schedule=found, due=timezone.now(), job=found.job)
