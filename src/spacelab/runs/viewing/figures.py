"""Figures of a run's jobs, summed up by the database: per step for the graph, and each job's times for the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max, Min, Sum

from spacelab.runs.models import Run

MOST_SPANS = 10_000
"""Jobs whose own times a timeline takes into account."""


@dataclass(frozen=True)
class StepFigures:
    """What a step's jobs took together: seconds of CPU, bytes of memory of the largest, first start, last end."""

    jobs: int = 0
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    tries: int = 1
    first_job: str = ""


class Span(NamedTuple):
    """One job's time, as a timeline needs it."""

    step: str
    job: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    tries: int


def figures_of(run: Run) -> dict[str, StepFigures]:
    """Sum up the jobs of each step: step's id → its figures."""
    rows = (
        run.jobs.order_by()
        .values("step")
        .annotate(
            jobs=Count("pk"),
            cpu=Sum("cpu_seconds"),
            memory=Max("memory_bytes"),
            began=Min("started_at"),
            ended=Max("ended_at"),
            tried=Max("tries"),
            first=Min("job"),
        )
    )
    return {
        row["step"]: StepFigures(
            row["jobs"],
            row["cpu"] or 0.0,
            row["memory"] or 0,
            row["began"],
            row["ended"],
            row["tried"],
            row["first"] or "",
        )
        for row in rows
    }


def spans_of(run: Run, most: int = MOST_SPANS) -> Sequence[Span]:
    """List the times of the jobs that have begun, in the order in which they did; at most so many."""
    fields = ("step", "job", "state", "started_at", "ended_at", "tries")
    rows = run.jobs.filter(started_at__isnull=False).order_by("number").values_list(*fields)[:most]
    return [Span(*row) for row in rows]
