"""Streams of server-sent events: pieces of a session's page for browsers, changes of phase for programs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may_act
from spacelab.kit import sse
from spacelab.kit.refusals import NotFound
from spacelab.sessions import progress, queries
from spacelab.workloads import queries as workloads
from spacelab.workloads.models import PhaseChange
from spacelab.workloads.rules import FINAL

QUICK, CALM = 0.4, 2.0
"""Seconds between two looks while something is about to change, and while a session just runs."""


class PageStream:
    """Follows one session for one viewer's page; every look asks again whether the viewer may see it."""

    def __init__(self, person_id: int, session_id: str, csrf_token: str) -> None:
        self._person_id = person_id
        self._session_id = session_id
        self._csrf_token = csrf_token
        self._sent = sse.Differences()
        self._stamp: tuple[Any, ...] = ()

    def look(self) -> sse.News:
        """Return the pieces that changed since the last look."""
        person = Person.objects.filter(pk=self._person_id).first()
        if person is None or not may_act(person):
            return sse.News((sse.Event("end", {}),), final=True)
        try:
            session = queries.find_seen(person, self._session_id)
        except NotFound:
            return sse.News((sse.Event("end", {}),), final=True)
        context = progress.context_of(session, person)
        stamp = progress.stamp_of(context)
        events: list[sse.Event] = []
        if stamp != self._stamp:
            self._stamp = stamp
            pieces = progress.fragments_of({**context, "csrf_token": self._csrf_token})
            changed = self._sent.of(pieces)
            events = [sse.Event("fragment", {"id": key, "html": html}) for key, html in changed.items()]
        if session.restarted_as_id and context["mine"]:
            events.append(sse.Event("go", {"url": reverse("lab_sessions:detail", args=[session.restarted_as_id])}))
        if context["final"]:
            return sse.News((*events, sse.Event("end", {})), final=True)
        return sse.News(tuple(events), pause=CALM if context["running"] else QUICK)


def page_stream(person_id: int, session_id: str, csrf_token: str) -> AsyncIterator[bytes]:
    """Stream the pieces of a session's page as they change."""
    return sse.follow(sse.in_pool(PageStream(person_id, session_id, csrf_token).look))


def change_as_json(change: PhaseChange) -> dict[str, Any]:
    """Describe a change of phase to a program."""
    return {"phase": change.phase, "reason": change.reason, "at": change.at.isoformat()}


class PhaseStream:
    """Follows one session's changes of phase for a program, from after the one with the id `after`."""

    def __init__(self, person_id: int, session_id: str, after: int) -> None:
        self._person_id = person_id
        self._session_id = session_id
        self._after = after

    def look(self) -> sse.News:
        """Return the changes since the last look; after the last phase, an end."""
        person = Person.objects.filter(pk=self._person_id).first()
        workload = workloads.get(self._session_id)
        if person is None or not may_act(person) or workload is None:
            return sse.News((sse.Event("end", {}),), final=True)
        events = []
        for change in workloads.changes(workload, after=self._after):
            self._after = change.pk
            events.append(sse.Event("phase", change_as_json(change), id=str(change.pk)))
        if workload.phase in FINAL:
            return sse.News((*events, sse.Event("end", {})), final=True)
        return sse.News(tuple(events), pause=0.15)


def phase_stream(person_id: int, session_id: str, after: int) -> AsyncIterator[bytes]:
    """Stream a session's changes of phase."""
    return sse.follow(sse.in_pool(PhaseStream(person_id, session_id, after).look))
