"""The catalogue's entry says nothing of a version that its readers may not see."""

from __future__ import annotations

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.datalabs import actions
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.publishing.rules import State, Visibility
from support.authoring import TERMS, make_version
from support.people import make_person

pytestmark = pytest.mark.django_db
SECRET = {**TERMS, "title": "Embargoed", "abstract": "Found it.", "keywords": ["embargo"], "mission": ["Secret"]}


@pytest.fixture
def developer() -> Person:
    """Somebody with an open version, and one that is for few."""
    return make_person("dora", "advanced-developer")


@pytest.fixture
def secret(developer: Person) -> DatalabVersion:
    """Publish a version for one person, after one for everybody."""
    nina = make_person("nina")
    first = make_version(developer, "1.0", State.APPROVED, visibility=Visibility.EVERYBODY)
    actions.advance(by=developer, version=first, transition="publish")
    second = make_version(developer, "2.0", State.APPROVED, metadata={**SECRET, "version": "2.0"}, icon="<svg/>")
    actions.share(by=developer, version=second, visibility="people", people=[nina])
    return actions.advance(by=developer, version=second, transition="publish")


def _said(client: Client) -> str:
    pages = ("/datalabs/spectra/", "/api/v1/datalabs/spectra", "/api/v1/datalabs", "/datalabs/?q=embargoed")
    return "".join(client.get(page).content.decode() for page in pages).replace("q=embargoed", "")


@pytest.mark.usefixtures("secret")
def test_what_is_published_for_few_does_not_speak_to_all() -> None:
    client = Client()
    assert "Embargoed" not in _said(client)
    assert "Found it." not in _said(client)
    assert client.get("/api/v1/datalabs?q=embargo").json()["count"] == 0
    assert client.get("/datalabs/spectra/icon.svg").content != b"<svg/>"


def test_once_it_is_opened_it_speaks_and_once_it_is_closed_no_more(secret: DatalabVersion, developer: Person) -> None:
    actions.share(by=developer, version=secret, visibility="everybody")
    assert (Datalab.objects.get().title, Datalab.objects.get().facets["mission"]) == ("Embargoed", ["Secret"])
    actions.share(by=developer, version=secret, visibility="private")
    entry = Datalab.objects.get()
    assert (entry.title, entry.tags, entry.icon, "mission" in entry.facets) == ("Spectra", [], "", False)
    assert "Embargoed" not in _said(Client())


def test_what_everybody_finds_in_the_archive_is_not_spoken_over(secret: DatalabVersion, developer: Person) -> None:
    first = DatalabVersion.objects.get(version="1.0")
    actions.advance(by=developer, version=first, transition="archive", reason="Old.")
    actions.share(by=developer, version=secret, visibility="private")
    assert "Embargoed" not in _said(Client())
    assert "mission" not in Client().get("/api/v1/datalabs/spectra").json()["facets"]
