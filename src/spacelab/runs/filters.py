"""The filters of the list of runs: state, pipeline, whose, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import QuerySet

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, teams_of
from spacelab.runs import queries
from spacelab.runs.models import Run
from spacelab.runs.permissions import RunPermission
from spacelab.runs.rules import UNFINISHED, State

STATES = [("", "any state"), ("unfinished", "unfinished"), *((str(one), str(one)) for one in State)]
MOST_PIPELINES = 200


@dataclass(frozen=True)
class Filters:
    """What a list of runs is narrowed to; empty parts narrow nothing. `whose`: mine, everybody, or a team's name."""

    state: str = ""
    pipeline: str = ""
    whose: str = "mine"
    since: str = ""
    until: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str], person: Person) -> Filters:
        """Read a query string; what makes no sense narrows nothing."""
        state, whose = query.get("state", ""), query.get("whose", "")
        known = {"mine", "team", *teams_of(person).values_list("slug", flat=True)}
        known |= {"everybody"} if may(person, RunPermission.MANAGE_ANY) else set()
        return cls(
            state=state if state in dict(STATES) else "",
            pipeline=query.get("pipeline", "")[:60],
            whose=whose if whose in known else "mine",
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
        )

    @property
    def narrows(self) -> bool:
        """Whether anything but the person's own runs was asked for."""
        return self != Filters()

    def apply(self, person: Person) -> QuerySet[Run]:
        """List the runs that the person may see and that fit, newest first."""
        found = queries.runs() if self.whose == "everybody" else queries.visible_to(person)
        if self.whose == "mine":
            found = found.filter(owner=person)
        elif self.whose == "team":
            found = found.exclude(team=None)
        elif self.whose != "everybody":
            found = found.filter(team__slug=self.whose)
        if self.state:
            found = found.filter(state__in=UNFINISHED if self.state == "unfinished" else [self.state])
        if self.pipeline:
            found = found.filter(pipeline_slug=self.pipeline)
        if self.since:
            found = found.filter(created_at__gte=_start(self.since))
        if self.until:
            found = found.filter(created_at__lt=_start(self.until) + timedelta(days=1))
        return found


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _start(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)


def pipelines_of(person: Person) -> list[str]:
    """List the pipelines of the runs that the person may see, by their short names."""
    found = queries.visible_to(person).order_by("pipeline_slug").values_list("pipeline_slug", flat=True).distinct()
    return list(found[:MOST_PIPELINES])
