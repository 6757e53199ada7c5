"""Streams of server-sent events: a run's state for programs, and the cards of a list of runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may_act
from spacelab.kit import sse
from spacelab.kit.refusals import NotFound
from spacelab.runs import progress, queries
from spacelab.runs.models import Run

PAUSE, CALM = 0.4, 2.0
"""Seconds between two looks while something happens, and while nothing does."""


def _viewer(person_id: int) -> Person | None:
    person = Person.objects.filter(pk=person_id).first()
    return person if person is not None and may_act(person) else None


def as_json(run: Run) -> dict[str, Any]:
    """Describe how far a run is to a program."""
    return {"state": run.state, "reason": run.reason, "attempt": run.attempt, "jobs": run.totals}


class StateStream:
    """Follows one run's state and the number of its jobs in each state, for a program."""

    def __init__(self, person_id: int, run_id: str) -> None:
        self._person_id = person_id
        self._run_id = run_id
        self._sent = sse.Differences()

    def look(self) -> sse.News:
        """Return how far the run is if that changed; after its end, an end."""
        person = _viewer(self._person_id)
        try:
            run = queries.find_seen(person, self._run_id) if person else None
        except NotFound:
            run = None
        if run is None:
            return END
        changed = self._sent.of({"state": as_json(run)})
        events = tuple(sse.Event("state", value) for value in changed.values())
        return sse.News((*events, *END.events), final=True) if run.is_final else sse.News(events, pause=PAUSE)


def state_stream(person_id: int, run_id: str) -> AsyncIterator[bytes]:
    """Stream a run's state."""
    return sse.follow(sse.in_pool(StateStream(person_id, run_id).look))


END = sse.News((sse.Event("end", {}),), final=True)


class ListStream:
    """Follows the cards of a list; `find` lists the runs that it shows."""

    def __init__(self, person_id: int, find: Callable[[Person], list[Any]]) -> None:
        self._person_id = person_id
        self._find = find
        self._sent = sse.Differences()

    def look(self) -> sse.News:
        """Return the cards that changed since the last look."""
        person = _viewer(self._person_id)
        if person is None:
            return END
        changed = self._sent.of({f"run-{run.pk}": progress.card_of(run, person) for run in self._find(person)})
        events = tuple(sse.Event("fragment", {"id": key, "html": html}) for key, html in changed.items())
        return sse.News(events, pause=CALM / 2 if events else CALM)


def list_stream(person_id: int, find: Callable[[Person], list[Any]]) -> AsyncIterator[bytes]:
    """Stream the cards of a list as they change."""
    return sse.follow(sse.in_pool(ListStream(person_id, find).look))
