"""The catalogue by mission, field, file type, official and popularity; and what no filter may tell."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.datalabs import actions, queries
from spacelab.datalabs.models import Datalab, DatalabVersion
from support.datalabs import make_datalab
from support.people import make_person

pytestmark = pytest.mark.django_db


def make(slug: str, *, maintainer: Person | None = None, opens: tuple[str, ...] = (), **metadata: Any) -> Datalab:
    """Create a datalab in the catalogue whose version says this of itself."""
    datalab = make_datalab(slug, maintainer=maintainer)
    version = datalab.versions.get()
    version.metadata, version.opens = metadata, {"formats": opens}
    version.save()
    return datalab


def found(client: Client, query: str) -> list[str]:
    page = client.get(f"/catalogue/{query}").content.decode()
    return re.findall(r'<h2><a href="/catalogue/([a-z0-9-]+)/"', page)


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("?mission=euclid", ["a", "b"]),
        ("?mission=Eucl", []),
        ("?mission=Gaia", ["b"]),
        ("?mission=euclid&opens=fit", ["a"]),
        ("?opens=FITS", ["a"]),
        ("?opens=.vot", ["b"]),
        ("?domain=esado:Astronomy", ["a"]),
        ("?domain=esado%3AAstro%25", []),
        ("?official=on", ["b"]),
        ("?official=nonsense", ["b"]),
        ("?official=", ["a", "b"]),
        ("?sort=popularity", ["b", "a"]),
        ("?mission=|", []),
        ("?mission=%00", ["a", "b"]),
    ],
)
def test_facets_narrow_the_catalogue(client: Client, query: str, slugs: list[str]) -> None:
    make("a", opens=("fits", "fit"), mission=["Euclid"], domain="esado:Astronomy")
    second = make("b", mission=["Gaia", "Euclid"], associatedFileType=["VOTable"], ESAOfficial=True)
    actions.note_people(datalab=second, people=3)
    assert found(client, query) == slugs


def test_the_form_offers_what_there_is_and_keeps_what_was_asked(client: Client) -> None:
    make("a", opens=("fits",), mission=["Euclid"])
    make("b", mission=["EUCLID"], ESAOfficial=True)
    page = client.get("/catalogue/?opens=vot&official=on").content.decode()
    assert re.search(r'<option value="Euclid">Euclid \(2\)</option>|<option value="EUCLID">EUCLID \(2\)</option>', page)
    assert '<option value="fits">FITS (1)</option>' in page
    assert '<option value="votable" selected>VOTable</option>' in page
    assert 'name="official" value="on" checked' in page
    assert '<details class="finder-more" open>' in page
    assert '<details class="finder-more">' in client.get("/catalogue/").content.decode()


def test_facets_are_those_of_the_version_in_the_catalogue() -> None:
    author = make_person("dora", "developer")
    datalab = make("spectra", maintainer=author, mission=["Gaia"])
    secret = DatalabVersion.objects.create(
        datalab=datalab, version="2.0", state="approved", visibility="private", metadata={"mission": ["Secret"]}
    )
    assert Datalab.objects.get().facets == {"mission": ["Gaia"]}
    DatalabVersion.objects.filter(pk=secret.pk).update(state="published", published_at=timezone.now())
    datalab.relist()
    assert Datalab.objects.get().facets == {"mission": ["Gaia"]}
    assert [one.name for one in queries.facets()["mission"]] == ["Gaia"]
    actions.share(by=author, version=secret, visibility="everybody")
    assert Datalab.objects.get().facets == {"mission": ["Secret"]}
    assert [one.name for one in queries.facets()["mission"]] == ["Secret"]


@pytest.mark.parametrize("query", ["?mission=Gaia", "?opens=fits", "?official=on", "?domain=esado:Astronomy"])
def test_what_is_not_for_everybody_is_found_by_nobody_else(client: Client, scientist: Person, query: str) -> None:
    author = make_person("dora", "developer")
    make("s", maintainer=author, opens=("fits",), mission="Gaia", domain="esado:Astronomy", ESAOfficial=True)
    version = DatalabVersion.objects.get()
    assert found(client, query) == ["s"]
    actions.share(by=author, version=version, visibility="people", people=[scientist])
    assert found(client, query) == []
    assert not any(queries.facets().values())
    client.force_login(scientist)
    assert found(client, query) == ["s"]


def test_the_api_has_the_same_facets(client: Client) -> None:
    make("a", opens=("fits",), mission=["Euclid"], ESAOfficial=True)
    make("b")
    answer = client.get("/api/v1/datalabs?mission=euclid&opens=FIT&official=true&sort=popularity").json()
    assert [one["slug"] for one in answer["items"]] == ["a"]
    assert answer["items"][0]["facets"] == {"mission": ["Euclid"], "opens": ["fits"], "official": ["yes"]}
    assert answer["items"][0]["popularity"] == 0


def test_a_card_and_the_page_say_what_is_known(client: Client) -> None:
    datalab = make("a", mission=["Euclid"], domain="esado:PlanetaryScience", ESAOfficial=True)
    version = datalab.versions.get()
    card = client.get("/catalogue/").content.decode()
    assert "last started" not in card
    assert "used it" not in card
    assert ">official</span>" in card
    actions.note_people(datalab=datalab, people=2)
    evidence: dict[str, Any] = {
        "by": actions.SYSTEM,
        "version": version,
        "kind": "preservation",
        "summary": "It starts.",
        "data": {},
    }
    actions.record_evidence(**evidence, passed=False)
    assert "last started" not in client.get("/catalogue/").content.decode()
    actions.record_evidence(**evidence, passed=True)
    card = client.get("/catalogue/").content.decode()
    assert "last started" in card
    assert '2</span><span class="visually-hidden"> people have used it' in card
    page = client.get("/catalogue/a/").content.decode()
    assert "Last started successfully" in page
    assert "Planetary science</a>" in page
    assert "?mission=Euclid" in page
