"""The stream of a build's page: the pieces that changed, until the build has ended or waits for its person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may_act
from spacelab.builds import progress, queries
from spacelab.builds.rules import State
from spacelab.kit import sse
from spacelab.kit.refusals import NotFound

PAUSE = 0.4
"""Seconds between two looks."""


class PageStream:
    """Follows one build for one viewer's page; every look asks again whether the viewer may see it."""

    def __init__(self, person_id: int, build_id: str, csrf_token: str) -> None:
        self._person_id = person_id
        self._build_id = build_id
        self._csrf_token = csrf_token
        self._sent = sse.Differences()
        self._stamp: tuple[Any, ...] = ()

    def look(self) -> sse.News:
        """Return the pieces that changed since the last look."""
        person = Person.objects.filter(pk=self._person_id).first()
        if person is None or not may_act(person):
            return sse.News((sse.Event("end", {}),), final=True)
        try:
            build = queries.find_seen(person, self._build_id)
        except NotFound:
            return sse.News((sse.Event("end", {}),), final=True)
        if build.state == State.PLANNED:
            address = reverse("builds:detail", args=[build.pk])
            return sse.News((sse.Event("go", {"url": address}),), final=True)
        context = progress.context_of(build, person)
        stamp = progress.stamp_of(context)
        events: list[sse.Event] = []
        if stamp != self._stamp:
            self._stamp = stamp
            changed = self._sent.of(progress.fragments_of({**context, "csrf_token": self._csrf_token}))
            events = [sse.Event("fragment", {"id": key, "html": html}) for key, html in changed.items()]
        if not context["followed"]:
            return sse.News((*events, sse.Event("end", {})), final=True)
        return sse.News(tuple(events), pause=PAUSE)


def page_stream(person_id: int, build_id: str, csrf_token: str) -> AsyncIterator[bytes]:
    """Stream the pieces of a build's page as they change."""
    return sse.follow(sse.in_pool(PageStream(person_id, build_id, csrf_token).look))
