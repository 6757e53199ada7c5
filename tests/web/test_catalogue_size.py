"""The catalogue's pages make the same few queries, however many datalabs there are; and they list what they should."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from spacelab.accounts.models import Person
from spacelab.datalabs import actions, queries
from spacelab.datalabs.models import Datalab, DatalabVersion
from support.datalabs import make_datalab
from support.people import make_person

pytestmark = pytest.mark.django_db
MOST = 12
PAGES = [
    "/catalogue/",
    "/catalogue/?q=lab&kind=web&sort=newest",
    "/catalogue/?mission=Gaia&opens=fits&official=on&sort=popularity",
    "/catalogue/lab-1/",
    "/api/v1/datalabs?q=lab",
]


def asked(client: Client, path: str) -> int:
    """Count the queries of the second visit to a page."""
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", ["", "scientist", "developer", "moderator", "operator"])
def test_the_size_of_the_catalogue_costs_no_queries(path: str, role: str) -> None:
    client = Client()
    if role:
        client.force_login(make_person("ada", role))
    for number in range(3):
        make_datalab(f"lab-{number}", tags=["stars"])
    few = asked(client, path)
    for number in range(3, 40):
        make_datalab(f"lab-{number}", tags=["stars", f"tag-{number}"])
    assert asked(client, path) == few
    assert few <= MOST


def test_the_listing_follows_what_happens_to_a_version(scientist: Person) -> None:
    author = make_person("dora", "developer")
    datalab = make_datalab("spectra", maintainer=author)
    version = DatalabVersion.objects.get()

    def listed() -> tuple[int, int]:
        return len(queries.catalogue(queries.Filters())), len(queries.catalogue(queries.Filters(), scientist))

    assert listed() == (1, 1)
    actions.share(by=author, version=version, visibility="people", people=[scientist])
    assert listed() == (0, 1)
    actions.share(by=author, version=version, visibility="private")
    assert listed() == (0, 0)
    assert len(queries.catalogue(queries.Filters(), author)) == 1
    actions.share(by=author, version=version, visibility="everybody")
    assert listed() == (1, 1)
    actions.advance(by=author, version=version, transition="archive", reason="Old.")
    assert listed() == (0, 0)
    assert Datalab.objects.get(pk=datalab.pk).listed_at is None


def test_tags_are_counted_anew_when_the_catalogue_changes() -> None:
    make_datalab("a", tags=["stars"])
    assert queries.tags() == [("stars", 1)]
    second = make_datalab("b", tags=["stars", "dust"])
    assert queries.tags() == [("stars", 2), ("dust", 1)]
    DatalabVersion.objects.get(datalab=second).datalab.versions.get().delete()
    second.relist()
    assert queries.tags() == [("stars", 1)]
