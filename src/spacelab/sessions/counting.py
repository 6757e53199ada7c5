"""Counting launches: how many people use a datalab, how long its versions take to be ready, and how often they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db import transaction
from django.db.models import Q, QuerySet

from spacelab.datalabs import actions as datalab_actions
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.queries import versions_of
from spacelab.publishing.rules import KEPT, State
from spacelab.sessions.models import LaunchCount, Session, Use
from spacelab.workloads.rules import FINAL, Phase

LAST = 200
"""Launches of a version that its median and its rate are made from: what was long ago says little about today."""


@dataclass(frozen=True)
class Statistics:
    """What is known of a version's launches: all of them in numbers, and of the last ones the median and the rate."""

    launches: int
    median_seconds: float | None
    """From the wish to launch until it was ready; None if none ever was."""
    percent: int
    """How many of a hundred were ready."""


def to_count() -> QuerySet[Session]:
    """List the sessions whose launch has turned out, and does not count yet; a thread's when it has ended."""
    ready = Q(thread="", workload__ready_at__isnull=False)
    return Session.objects.filter(counted=False).filter(ready | Q(workload__phase__in=FINAL)).order_by("pk")


@transaction.atomic
def count_launch(*, session_id: str) -> None:
    """Have a launch count, once. Those of versions that were not published are tests, and count nowhere."""
    if not Session.objects.filter(pk=session_id, counted=False).update(counted=True):
        return
    session = Session.objects.select_related("workload", "version__datalab").get(pk=session_id)
    version, workload = session.version, session.workload
    if session.is_test or version is None:
        return
    ready_at = workload.ready_at
    if not session.thread and (ready_at or workload.phase == Phase.FAILED):
        _count(version, None if ready_at is None else (ready_at - workload.created_at).total_seconds())
    if ready_at and (not session.thread or workload.phase == Phase.SUCCEEDED):
        datalab_actions.note_start(version=version, at=ready_at)
        _note_use(session, version, ready_at)


def _count(version: DatalabVersion, seconds: float | None) -> None:
    LaunchCount.objects.get_or_create(version=version)
    row = LaunchCount.objects.select_for_update().get(version=version)
    if seconds is None:
        row.failed += 1
    else:
        row.ready += 1
    row.seconds = [*row.seconds, None if seconds is None else round(max(seconds, 0), 2)][-LAST:]
    row.save()


def _note_use(session: Session, version: DatalabVersion, at: datetime) -> None:
    """Note that the session's owner uses the datalab; its author counts nowhere, nor does who became it later."""
    datalab = version.datalab
    if session.owner_id == datalab.maintainer_id:
        return
    Use.objects.get_or_create(person_id=session.owner_id, datalab=datalab, defaults={"at": at})
    people = Use.objects.filter(datalab=datalab)
    if datalab.maintainer_id is not None:
        people = people.exclude(person_id=datalab.maintainer_id)
    datalab_actions.note_people(datalab=datalab, people=people.count())


def statistics_of(versions: Collection[DatalabVersion]) -> dict[int, Statistics]:
    """Return what is known of the launches of these versions, by their keys; nothing of one that nobody launched."""
    rows = LaunchCount.objects.filter(version__in=[one.pk for one in versions])
    return {row.version_id: _in_numbers(row) for row in rows}


def statistics_rows(datalab: Datalab) -> list[tuple[DatalabVersion, Statistics]]:
    """Pair the published versions that the visitor sees with what is known of their launches; see `statistics_of`."""
    versions = [one for one in versions_of(datalab) if State(one.state) in KEPT]
    known = statistics_of(versions)
    return [(one, known[one.pk]) for one in versions if one.pk in known]


def _in_numbers(row: LaunchCount) -> Statistics:
    ready = [one for one in row.seconds if one is not None]
    percent = round(100 * len(ready) / len(row.seconds)) if row.seconds else 0
    return Statistics(row.ready + row.failed, median(ready) if ready else None, percent)
