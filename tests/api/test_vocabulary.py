"""The vocabulary as a program reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from spacelab.audit.actions import System
from spacelab.publishing import actions, queries
from spacelab.publishing.rules.terms import Kind, terms_of
from support.thesaurus import write_thesaurus

pytestmark = pytest.mark.django_db


@pytest.fixture
def thesaurus(tmp_path: Path, db: None) -> Iterator[None]:
    actions.load_thesaurus(by=System("test"), file=write_thesaurus(tmp_path))
    yield
    queries.thesaurus_file().unlink()


def test_the_terms_say_who_writes_and_sees_them(client: Client) -> None:
    rows = {one["key"]: one for one in client.get("/api/v1/vocabulary/terms").json()}
    assert list(rows) == [term.key for term in terms_of(Kind.DATALAB)]
    assert rows["ESAOfficial"]["writer"] == "moderator"
    assert rows["dateCreated"]["private"] is True
    assert rows["abstract"]["iri"] == "https://schema.org/abstract"
    pipelines = {one["key"] for one in client.get("/api/v1/vocabulary/terms?kind=pipeline").json()}
    assert "displayName" in pipelines
    assert "datalabImage.id" not in pipelines
    assert client.get("/api/v1/vocabulary/terms?kind=nonsense").status_code == 422


def test_concepts_fit_what_was_typed(client: Client, thesaurus: None) -> None:
    assert client.get("/api/v1/vocabulary/concepts?q=island").json() == [
        {"iri": "https://example.org/sky/1", "label": "Galaxies", "matched": "Island universes"}
    ]
    assert client.get("/api/v1/vocabulary/concepts", {"q": "x" * 100_000}).json() == []


def test_without_a_thesaurus_there_are_none(client: Client) -> None:
    assert client.get("/api/v1/vocabulary/concepts?q=gal").json() == []
