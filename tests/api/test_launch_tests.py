"""Launch tests by the API."""

from __future__ import annotations

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.datalabs.rules import State
from support.authoring import make_version
from support.launch_tests import place  # noqa: F401  the fixture is found by name here
from support.people import make_person
from support.sessions import quiet_runtime  # noqa: F401  as above

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("place")]
ADDRESS = "/api/v1/launch-tests/spectra/1.0"


@pytest.fixture
def author() -> Person:
    author = make_person("dora", "developer")
    make_version(author, state=State.TESTING)
    return author


def test_the_author_reads_evidence_and_has_it_tested_again(client: Client, author: Person) -> None:
    client.force_login(author)
    found = client.get(ADDRESS).json()
    assert (found["state"], found["version_state"]) == ("", "testing")
    assert [one["summary"] for one in found["evidence"]] == ["It starts."]
    begun = client.post(ADDRESS)
    assert begun.status_code == 202
    assert begun.json()["state"] == "waiting"
    assert client.post(ADDRESS).status_code == 409


@pytest.mark.usefixtures("author")
@pytest.mark.parametrize(("role", "expected"), [("", 401), ("scientist", 404), ("developer", 404), ("moderator", 404)])
def test_nobody_else_learns_of_it(client: Client, role: str, expected: int) -> None:
    if role:
        client.force_login(make_person("somebody", role))
    assert client.get(ADDRESS).status_code == expected
    assert client.post(ADDRESS).status_code == expected
