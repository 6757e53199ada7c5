"""Reads about schedules: whose they are, which are due, what they started, and when they come next."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may
from spacelab.kit.refusals import NotFound
from spacelab.runs.models import Run
from spacelab.runs.permissions import RunPermission
from spacelab.runs.rules import UNFINISHED
from spacelab.runs.schedules.models import Firing, Schedule
from spacelab.runs.schedules.rules import State, Trigger, times_after

NEXT_SHOWN = 5
HISTORY_SHOWN = 50

NO_SUCH_SCHEDULE = NotFound("There is no such schedule.", advice="Look at the list of your schedules.")


def schedules_of(person: Person) -> QuerySet[Schedule]:
    """List the person's schedules, newest first, each with how many runs it has started."""
    launched = Count("firings", filter=Q(firings__outcome="launched"))
    return Schedule.objects.filter(owner=person).annotate(launched=launched).order_by("-created_at")


def all_schedules() -> QuerySet[Schedule]:
    """List everybody's schedules, for operators."""
    launched = Count("firings", filter=Q(firings__outcome="launched"))
    return Schedule.objects.select_related("owner").annotate(launched=launched).order_by("-created_at")


def find_seen(person: Person, schedule_id: str) -> Schedule:
    """Find a schedule of the person's own, or any for an operator; raise `NotFound` for anything else."""
    found = Schedule.objects.select_related("owner").filter(pk=schedule_id).first()
    if found is None or not (found.owner_id == person.pk or may(person, RunPermission.MANAGE_ANY)):
        raise NO_SUCH_SCHEDULE
    return found


def due(now: datetime) -> list[str]:
    """List the active schedules at which to look now, the longest due first."""
    ready = Q(not_before=None) | Q(not_before__lte=now)
    found = Schedule.objects.filter(ready, state=State.ACTIVE, next_at__lte=now).order_by("next_at")
    return list(found.values_list("pk", flat=True)[:500])


def unfinished_run(schedule: Schedule) -> Run | None:
    """Find a run of a schedule that is still at work or waits."""
    return Run.objects.filter(firings__schedule=schedule, state__in=UNFINISHED).only("id", "title").first()


def history(schedule: Schedule, most: int = HISTORY_SHOWN) -> list[Firing]:
    """List what a schedule did, the newest first."""
    return list(schedule.firings.select_related("run").order_by("-at", "-pk")[:most])


def next_times(schedule: Schedule, most: int = NEXT_SHOWN) -> list[datetime]:
    """List when a schedule of times comes next, in its own time zone; none while it is not active."""
    if schedule.trigger != Trigger.TIME or schedule.state != State.ACTIVE:
        return []
    zone = ZoneInfo(schedule.time_zone)
    return [at.astimezone(zone) for at in times_after(schedule.cron, schedule.time_zone, timezone.now(), most)]


def needing(slug: str, number: str, *, alone: bool) -> QuerySet[Schedule]:
    """List the schedules that start a version, or would: `alone` where it is the only one that its pipeline has."""
    numbers = [number, ""] if alone else [number]
    found = Schedule.objects.filter(pipeline_slug=slug, version_number__in=numbers).exclude(state=State.STOPPED)
    return found.select_related("owner").order_by("created_at")
