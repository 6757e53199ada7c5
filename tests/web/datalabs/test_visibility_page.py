"""Saying for whom a version is, on its page."""

from __future__ import annotations

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.rules import State, Visibility
from support.authoring import make_version
from support.people import make_person, signed_in
from support.sessions import make_team

pytestmark = pytest.mark.django_db
PAGE = "/author/spectra/1.0/visibility"
DATALAB = "/catalogue/spectra/"


@pytest.fixture
def dora() -> Person:
    """Somebody who writes a datalab."""
    return make_person("dora", "developer")


@pytest.fixture
def version(dora: Person) -> DatalabVersion:
    """Create a version that was built."""
    return make_version(dora)


def test_named_people_try_what_was_built(dora: Person, version: DatalabVersion) -> None:
    nina, sten = make_person("nina"), make_person("sten")
    answer = signed_in(dora).post(PAGE, {"visibility": "people", "people": "Nina,\n"}, follow=True)
    assert "That is for whom it is now." in answer.content.decode()
    assert signed_in(nina).get(DATALAB).status_code == 200
    assert signed_in(sten).get(DATALAB).status_code == 404
    assert ">nina</textarea>" in signed_in(dora).get(PAGE).content.decode().replace("\n", "")
    signed_in(dora).post(PAGE, {"visibility": "private", "people": "nina"})
    assert signed_in(nina).get(DATALAB).status_code == 404


def test_teams_are_the_authors_own(dora: Person, version: DatalabVersion) -> None:
    tom, mine, other = make_person("tom"), make_team("stars", dora), make_team("dust", make_person("otto"))
    mine.memberships.create(person=tom)
    client = signed_in(dora)
    assert client.post(PAGE, {"visibility": "teams", "teams": [other.slug]}).status_code == 422
    assert client.post(PAGE, {"visibility": "teams", "teams": [mine.slug]}).status_code == 302
    assert signed_in(tom).get(DATALAB).status_code == 200


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"visibility": "people", "people": "nobody"}, "Nobody here is called nobody."),
        ({"visibility": "people"}, "Name somebody."),
        ({"visibility": "teams"}, "Name somebody."),
        ({"visibility": "world"}, "Select a valid choice."),
        ({}, "This field is required."),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(
    dora: Person, version: DatalabVersion, given: dict[str, str], said: str
) -> None:
    answer = signed_in(dora).post(PAGE, given)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    version.refresh_from_db()
    assert version.visibility == Visibility.PRIVATE


def test_others_read_it_at_most(dora: Person, version: DatalabVersion) -> None:
    DatalabVersion.objects.update(state=State.SUBMITTED)
    mona = signed_in(make_person("mona", "moderator"))
    assert "<textarea" not in mona.get(PAGE).content.decode()
    assert mona.post(PAGE, {"visibility": "private"}).status_code in {403, 422}
    assert signed_in(make_person("dan", "developer")).post(PAGE, {"visibility": "everybody"}).status_code == 404
    version.refresh_from_db()
    assert version.visibility == Visibility.PRIVATE


def test_everybody_sees_it_only_once_it_is_published(dora: Person, version: DatalabVersion) -> None:
    signed_in(dora).post(PAGE, {"visibility": "everybody"})
    assert Client().get(DATALAB).status_code == 404
    DatalabVersion.objects.update(state=State.PUBLISHED)
    assert Client().get(DATALAB).status_code == 200


def test_an_author_is_told_that_nobody_would_see_what_she_publishes(dora: Person, version: DatalabVersion) -> None:
    DatalabVersion.objects.update(state=State.APPROVED)
    assert "It is for you alone." in signed_in(dora).get(PAGE).content.decode()
    signed_in(dora).post(PAGE, {"visibility": "everybody"})
    assert "It is for you alone." not in signed_in(dora).get(PAGE).content.decode()
