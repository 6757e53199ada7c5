"""Authoring by the API: what one wrote, its metadata and history, the steps of its life, and who may not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.rules import State
from support.authoring import make_version
from support.people import make_person
from support.reviews import EVERY_POINT

pytestmark = pytest.mark.django_db
HERE = "/api/v1/author/spectra/1.0"


class Program:
    """A program with somebody's token."""

    def __init__(self, person: Person, *scopes: str) -> None:
        wanted = scopes or ("author", "publish", "review")
        _, secret = accounts.create_token(by=person, name="test", lifetime_days=1, scopes=wanted)
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def get(self, address: str) -> Any:
        return self.client.get(address)

    def send(self, method: str, address: str, body: Any = None) -> Any:
        return self.client.generic(method, address, data=json.dumps(body or {}), content_type="application/json")

    def step(self, name: str, **more: Any) -> Any:
        return self.send("POST", f"{HERE}/steps", {"step": name, **more})


@pytest.fixture
def version(developer: Person) -> DatalabVersion:
    """Make a version that lacks nothing to be submitted."""
    return make_version(developer)


def test_a_whole_life_by_programs(version: DatalabVersion, developer: Person) -> None:
    author, moderator = Program(developer), Program(make_person("mona", "moderator"))
    listed = author.get("/api/v1/author").json()
    assert (listed["count"], listed["items"][0]["next"]) == (1, "Try it, then submit it for review.")
    detail = author.get(HERE).json()
    assert [(one["step"], one["lacking"]) for one in detail["steps"]] == [("submit", [])]
    submitted = author.step("submit", revision=detail["revision"])
    assert (submitted.status_code, submitted.json()["state"]) == (200, "submitted")
    for step in ("take", "approve"):
        moderator.send("PUT", "/api/v1/reviews/spectra/1.0/checklist", {"points": EVERY_POINT})
        revision = moderator.get("/api/v1/reviews/spectra/1.0").json()["revision"]
        decided = moderator.send("POST", "/api/v1/reviews/spectra/1.0/steps", {"step": step, "revision": revision})
        assert decided.status_code == 200, decided.content
    assert author.send("PUT", f"{HERE}/visibility", {"visibility": "everybody"}).json()["visibility"] == "everybody"
    published = author.step("publish").json()
    assert published["state"] == "published"
    assert Client().get("/api/v1/datalabs").json()["count"] == 1
    assert author.step("archive", reason="A better one is there.").json()["state"] == "archived"
    told = author.get(f"{HERE}/history").json()
    assert [one["after"] for one in told] == [
        *("archived", "published", "everybody", "approved", "in review", "submitted"),
        "passed",
    ]
    assert told[0]["text"] == "A better one is there."
    trail = Entry.objects.filter(subject="datalab:spectra", action__in=["datalabs.submit", "datalabs.archive"])
    assert {one.actor for one in trail} == {"person:dora"}


def test_what_was_looked_at_has_moved_on(version: DatalabVersion, developer: Person) -> None:
    author = Program(developer)
    seen = author.get(HERE).json()["revision"]
    author.step("submit", revision=seen)
    author.step("withdraw")
    stale = author.step("submit", revision=seen)
    assert stale.status_code == 409
    assert "moved on" in stale.json()["detail"]
    assert author.get(HERE).json()["state"] == "withdrawn"


def test_the_same_submission_twice(version: DatalabVersion, developer: Person) -> None:
    author = Program(developer)
    assert author.step("submit").status_code == 200
    again = author.step("submit")
    assert (again.status_code, again["Content-Type"]) == (409, "application/problem+json")
    assert again.json()["detail"] == "“Submit for review” is not possible: the version is submitted."
    assert version.changes.filter(transition="submit").count() == 1


def test_a_decision_on_a_version_that_moved_on(version: DatalabVersion, developer: Person) -> None:
    author, moderator = Program(developer), Program(make_person("mona", "moderator"))
    author.step("submit")
    seen = moderator.get("/api/v1/reviews/spectra/1.0").json()["revision"]
    author.step("withdraw")
    author.step("submit")
    late = moderator.send("POST", "/api/v1/reviews/spectra/1.0/steps", {"step": "take", "revision": seen})
    assert late.status_code == 409
    assert "moved on" in late.json()["detail"]
    assert author.get(HERE).json()["state"] == "submitted"


def test_a_version_that_goes_backwards(developer: Person) -> None:
    make_version(developer, "2.0", State.PUBLISHED)
    make_version(developer, "1.0")
    author = Program(developer)
    assert "2.0" in author.get(HERE).json()["steps"][0]["lacking"][0]
    refused = author.step("submit")
    assert refused.status_code == 409
    assert refused.json()["detail"] == ("A published version has the same number, or a higher one. The newest is 2.0.")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"abstract": "x" * 1_000_000}, 422, "abstract"),
        ({"creator.name": ["x" * 1000] * 1000}, 422, "creator.name"),
        ({"strange.term": {"nested": 1}}, 422, "strange.term"),
        ({"ESAOfficial": True}, 422, "ESAOfficial"),
        ({"version": "9.0"}, 422, "version"),
        ({"contactPoint.email": "nobody"}, 422, "contactPoint.email"),
    ],
)
def test_metadata_that_are_refused(
    version: DatalabVersion, developer: Person, body: dict[str, Any], status: int, field: str
) -> None:
    author = Program(developer)
    before = author.get(f"{HERE}/metadata").json()
    for method in ("PATCH", "PUT"):
        refused = author.send(method, f"{HERE}/metadata", {"terms": body})
        assert (refused.status_code, refused.json()["field"]) == (status, field), refused.content
        assert refused.json()["detail"]
    assert author.get(f"{HERE}/metadata").json() == before


def test_a_request_of_megabytes_is_refused_in_words(version: DatalabVersion, developer: Person) -> None:
    answer = Program(developer).send("PATCH", f"{HERE}/metadata", {"terms": {"abstract": "x" * 3_000_000}})
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")
    assert "too large" in answer.json()["detail"]


def test_metadata_are_changed_replaced_and_taken_from_a_file(version: DatalabVersion, developer: Person) -> None:
    author = Program(developer)
    changed = author.send("PATCH", f"{HERE}/metadata", {"terms": {"abstract": "All of them.", "citation": "Doe 2026"}})
    assert (changed.status_code, changed.json()["terms"]["abstract"]) == (200, "All of them.")
    whole = author.get(f"{HERE}/metadata").json()["terms"]
    del whole["citation"], whole["distribution.license"]
    replaced = author.send("PUT", f"{HERE}/metadata", {"terms": whole}).json()
    assert replaced["terms"] == whole
    assert replaced["missing"]
    file = SimpleUploadedFile("datalab-meta.yml", b"abstract: From a file\nversion: 7.0\nESAOfficial: true\n")
    taken = author.client.post(f"{HERE}/metadata/file", {"file": file}).json()
    assert (taken["terms"]["abstract"], taken["terms"]["version"]) == ("From a file", "1.0")
    assert [one["key"] for one in taken["not_understood"]] == ["ESAOfficial"]
    exported = author.get(f"{HERE}/metadata/datalab-meta")
    assert "From a file" in exported.content.decode()
    assert author.get(f"{HERE}/metadata/word").status_code == 404
    too_large = SimpleUploadedFile("datalab-meta.yml", b"abstract: " + b"x" * 1_000_000)
    assert author.client.post(f"{HERE}/metadata/file", {"file": too_large}).status_code == 422


def test_for_whom_it_is(version: DatalabVersion, developer: Person, scientist: Person) -> None:
    author = Program(developer)
    team = accounts.create_team(by=developer, name="Plasma", slug="Plasma")
    shared = author.send("PUT", f"{HERE}/visibility", {"visibility": "people", "people": ["Ada"]}).json()
    assert (shared["visibility"], shared["people"]) == ("people", ["ada"])
    shared = author.send("PUT", f"{HERE}/visibility", {"visibility": "teams", "teams": [team.slug]}).json()
    assert (shared["people"], shared["teams"]) == ([], ["Plasma"])
    for body, field in (
        ({"visibility": "people", "people": ["nobody"]}, "people"),
        ({"visibility": "people"}, "people"),
        ({"visibility": "teams", "teams": ["strangers"]}, "teams"),
        ({"visibility": "everybody", "people": ["ada"]}, "visibility"),
        ({"visibility": "secret"}, "visibility"),
    ):
        refused = author.send("PUT", f"{HERE}/visibility", body)
        assert refused.status_code == 422
        assert refused.json()["field"].endswith(field)


def test_a_draft_is_deleted_and_nothing_else(version: DatalabVersion, developer: Person) -> None:
    author = Program(developer)
    author.step("submit")
    assert author.send("DELETE", HERE).status_code == 409
    author.step("withdraw")
    assert author.send("DELETE", HERE).status_code == 204
    assert not Datalab.objects.exists()


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (("read",), (200, 403, 403)),
        (("author",), (200, 200, 403)),
        (("publish",), (403, 403, 200)),
        (("read", "publish"), (200, 403, 200)),
        (("sessions",), (403, 403, 403)),
    ],
)
def test_what_a_token_is_for(
    version: DatalabVersion, developer: Person, scopes: tuple[str, ...], expected: tuple[int, int, int]
) -> None:
    program = Program(developer, *scopes)
    reads = program.get(HERE).status_code
    writes = program.send("PATCH", f"{HERE}/metadata", {"terms": {"abstract": "New"}}).status_code
    assert (reads, writes, program.step("submit").status_code) == expected


def test_others_find_nothing(version: DatalabVersion, scientist: Person) -> None:
    for person in (scientist, make_person("max", "developer"), make_person("mona", "moderator")):
        other = Program(person)
        assert other.get(HERE).status_code == 404
        assert other.send("DELETE", HERE).status_code == 404
        assert other.step("submit").status_code == 404
    assert Client().get(HERE).status_code == 401


def test_reviews_are_not_decided_here(version: DatalabVersion, developer: Person) -> None:
    Program(developer).step("submit")
    refused = Program(make_person("mona", "moderator"), "publish").step("take")
    assert (refused.status_code, refused.json()["field"]) == (422, "step")
