"""What a session's token reads: it is in the hands of whoever wrote the datalab."""

from __future__ import annotations

import pytest
from django.test import Client

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.accounts.rules import Scope
from support.people import make_person
from support.reviews import make_submitted

pytestmark = pytest.mark.django_db
CONFIDENTIAL = (
    "/reviews",
    "/reviews/spectra/1.0",
    "/reviews/spectra/1.0/comments",
    "/reviews/reports",
    "/author",
    "/author/spectra/1.0",
    "/author/spectra/1.0/metadata",
    "/author/spectra/1.0/history",
    "/builds",
    "/launch-tests/spectra/1.0",
    "/notifications",
    "/runs",
    "/runs/saved",
)


@pytest.fixture
def moderator() -> Person:
    """Somebody who launches what others hand in, to see what it does."""
    make_submitted(make_person("dora", "developer"))
    return make_person("mona", "moderator")


def _program(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.mark.parametrize("address", CONFIDENTIAL)
def test_a_strangers_datalab_does_not_read_it_with_the_token_of_its_session(moderator: Person, address: str) -> None:
    scopes = [Scope.READ, Scope.SESSIONS]
    inside = _program(accounts.issue_workload_token(person=moderator, workload="abc", scopes=scopes))
    answer = inside.get(f"/api/v1{address}")
    assert answer.status_code == 403, answer.content
    assert "lacks the scope" in answer.json()["detail"]
    _, own = accounts.create_token(by=moderator, name="mine", lifetime_days=1, scopes=[Scope.READ])
    assert _program(own).get(f"/api/v1{address}").status_code == 200


@pytest.mark.parametrize("address", ["/me", "/datalabs", "/sessions", "/volumes", "/workspace/files"])
def test_it_reads_what_a_session_needs(moderator: Person, address: str) -> None:
    scopes = [Scope.READ, Scope.SESSIONS]
    inside = _program(accounts.issue_workload_token(person=moderator, workload="abc", scopes=scopes))
    assert inside.get(f"/api/v1{address}").status_code not in {401, 403}


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("POST", "/author/spectra/1.0/steps"),
        ("PUT", "/author/spectra/1.0/visibility"),
        ("PATCH", "/author/spectra/1.0/metadata"),
        ("DELETE", "/author/spectra/1.0"),
        ("POST", "/builds/git"),
        ("POST", "/builds/from-session"),
        ("POST", "/reviews/spectra/1.0/steps"),
        ("PUT", "/reviews/spectra/1.0/checklist"),
        ("PUT", "/datalabs/spectra/rating"),
        ("POST", "/datalabs/spectra/comments"),
        ("PUT", "/datalabs/spectra/bookmark"),
        ("POST", "/launch-tests/spectra/1.0"),
    ],
)
def test_it_writes_none_of_it(moderator: Person, method: str, address: str) -> None:
    scopes = [Scope.READ, Scope.SESSIONS]
    inside = _program(accounts.issue_workload_token(person=moderator, workload="abc", scopes=scopes))
    assert inside.generic(method, f"/api/v1{address}", "{}", "application/json").status_code == 403
