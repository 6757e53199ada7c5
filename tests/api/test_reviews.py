"""Reviews by the API: queue, checklist, steps, comments; scopes and refusals for every role."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.datalabs.models import DatalabVersion
from spacelab.moderation.models import ReviewComment
from spacelab.publishing.rules import State
from support.callers import Caller
from support.people import make_person
from support.reviews import EVERY_POINT, make_package, make_submitted

pytestmark = pytest.mark.django_db
QUEUE = "/api/v1/reviews"
HERE = f"{QUEUE}/spectra/1.0"


@pytest.fixture
def version(developer: Person, tmp_path: Path) -> DatalabVersion:
    """Submit a version with a file."""
    return make_submitted(developer, package=str(make_package(tmp_path / "package", {"app.py": "one\n"})))


def test_a_review_by_a_program(version: DatalabVersion, developer: Person, moderator: Person) -> None:
    program = Caller(moderator)
    listed = program.get(f"{QUEUE}?show=free").json()
    assert listed["count"] == 1
    assert listed["items"][0]["author"] == "dora"
    taken = program.send("POST", f"{HERE}/steps", {"step": "take", "revision": listed["items"][0]["revision"]}).json()
    assert (taken["state"], taken["reviewer"]) == ("in-review", "mona")
    approval = {"step": "approve", "revision": taken["revision"]}
    refused = program.send("POST", f"{HERE}/steps", approval)
    assert (refused.status_code, refused.headers["Content-Type"]) == (409, "application/problem+json")
    assert "checklist" in refused.json()["detail"]
    ticked = program.send("PUT", f"{HERE}/checklist", {"points": EVERY_POINT}).json()
    assert {one["person"] for one in ticked} == {"mona"}
    assert program.get(f"{HERE}/checklist").json() == ticked
    assert program.send("POST", f"{HERE}/steps", {**approval, "revision": 0}).status_code == 409
    assert program.send("POST", f"{HERE}/steps", approval).json()["state"] == "approved"
    assert program.get(HERE).json()["state"] == "approved"
    assert program.get(QUEUE).json() == {"count": 0, "items": []}


def test_comments_and_answers(version: DatalabVersion, developer: Person, moderator: Person) -> None:
    reviewing, authoring = Caller(moderator), Caller(developer)
    made = reviewing.send("POST", f"{HERE}/comments", {"text": "Why?", "path": "app.py", "line": 1})
    assert made.status_code == 201
    number = made.json()["id"]
    answer = authoring.send("POST", f"{HERE}/comments", {"text": "Because.", "answers": number})
    assert (answer.status_code, answer.json()["answers"]) == (201, number)
    listed = authoring.get(f"{HERE}/comments").json()
    assert [(one["author"], one["text"], one["line"]) for one in listed["items"]] == [
        ("mona", "Why?", 1),
        ("dora", "Because.", None),
    ]
    assert authoring.get(f"{HERE}/comments?offset=1&limit=1").json()["items"][0]["text"] == "Because."
    assert authoring.send("PUT", f"{QUEUE}/comments/{number}", {}).status_code == 403
    settled = reviewing.send("PUT", f"{QUEUE}/comments/{number}", {"resolved": True})
    assert settled.json()["resolved_at"]
    for wrong in ({"text": " "}, {"text": "x", "path": "none"}, {"text": "x", "path": "app.py", "line": 9}, {}):
        refused = reviewing.send("POST", f"{HERE}/comments", wrong)
        assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json"), wrong
    assert reviewing.send("POST", f"{HERE}/comments", {"text": "x", "answers": 999}).status_code == 404
    assert reviewing.send("POST", f"{HERE}/comments", {"text": "no\0thing"}).json()["text"] == "nothing"


def test_nobody_decides_about_her_own(tmp_path: Path) -> None:
    both = make_person("mara", "developer", "moderator")
    version, program = make_submitted(both, state=State.IN_REVIEW), Caller(both)
    for name in ("approve", "reject", "request-changes"):
        refused = program.send("POST", f"{HERE}/steps", {"step": name, "revision": 0, "reason": "Fine."})
        assert refused.status_code == 409
        assert "her own work" in refused.json()["detail"]
    assert program.send("PUT", f"{HERE}/checklist", {"points": EVERY_POINT}).status_code == 409
    version.refresh_from_db()
    assert version.state == State.IN_REVIEW


@pytest.mark.parametrize("role", ["scientist", "developer", "advanced-developer", "operator"])
def test_reviews_are_for_moderators(role: str, version: DatalabVersion) -> None:
    program = Caller(make_person("else", role))
    for address in (QUEUE, HERE, f"{HERE}/checklist"):
        assert program.get(address).status_code == 403, address
    assert program.get(f"{HERE}/comments").status_code == 404
    assert program.send("POST", f"{HERE}/steps", {"step": "take", "revision": 0}).status_code == 403
    assert program.send("PUT", f"{HERE}/checklist", {"points": []}).status_code == 403
    assert program.send("POST", f"{HERE}/comments", {"text": "Hello"}).status_code == 404
    version.refresh_from_db()
    assert version.state == State.SUBMITTED
    assert not ReviewComment.objects.exists()


def test_a_token_needs_the_scope(version: DatalabVersion, moderator: Person) -> None:
    reading = Caller(moderator, "read")
    assert reading.get(QUEUE).status_code == 200
    assert reading.send("POST", f"{HERE}/steps", {"step": "take", "revision": 0}).status_code == 403
    assert Caller(moderator, "author").get(QUEUE).status_code == 403
    assert Client().get(QUEUE).status_code == 401


def test_steps_that_are_none_are_refused(version: DatalabVersion, moderator: Person) -> None:
    program = Caller(moderator)
    for body in ({"step": "publish", "revision": 0}, {"step": "take"}, {"step": "take", "revision": -1}):
        refused = program.send("POST", f"{HERE}/steps", body)
        assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json"), body
    assert program.get(f"{QUEUE}/nowhere/1.0").status_code == 404
