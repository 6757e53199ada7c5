"""The stream of a version's testing page: how far the test is, until it has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.template.loader import render_to_string
from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may_act
from spacelab.kit import sse
from spacelab.kit.refusals import Refusal
from spacelab.testing import queries

PAUSE = 1.0
"""Seconds between two looks."""


class TestStream:
    """Follows one version's test for one viewer; every look asks again whether she may see it."""

    def __init__(self, person_id: int, slug: str, number: str) -> None:
        self._person_id = person_id
        self._place = (slug, number)
        self._sent = sse.Differences()

    def look(self) -> sse.News:
        """Return what changed since the last look; the page is loaded anew once the test has ended."""
        person = Person.objects.filter(pk=self._person_id).first()
        try:
            version = queries.find_version(person, *self._place) if person and may_act(person) else None
        except Refusal:
            version = None
        if version is None:
            return sse.News((sse.Event("end", {}),), final=True)
        if not queries.is_awaited(version):
            address = reverse("testing:author-testing", args=self._place)
            return sse.News((sse.Event("go", {"url": address}),), final=True)
        shown = render_to_string("testing/_now.html", {"test": queries.open_test(version)})
        changed = self._sent.of({"test-now": shown})
        events = [sse.Event("fragment", {"id": key, "html": html}) for key, html in changed.items()]
        return sse.News(tuple(events), pause=PAUSE)


def test_stream(person_id: int, slug: str, number: str) -> AsyncIterator[bytes]:
    """Stream how far a version's test is."""
    return sse.follow(sse.in_pool(TestStream(person_id, slug, number).look))
