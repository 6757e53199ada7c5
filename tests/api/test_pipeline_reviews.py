"""Reviews of pipelines and steps by the API: from the draft to the catalogue, with each role and scope."""

from __future__ import annotations

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.moderation.models import ReviewComment
from spacelab.pipelines import actions
from spacelab.pipelines.models import PipelineVersion
from support.callers import Caller
from support.people import make_person
from support.pipelines import FILES, TOOL
from support.reviews import EVERY_POINT, TERMS, make_submitted

pytestmark = pytest.mark.django_db
QUEUE = "/api/v1/pipeline-reviews"
HERE = f"{QUEUE}/greet/1.0"
MINE = "/api/v1/my-pipelines"


def make_draft(author: Person, slug: str = "greet") -> PipelineVersion:
    """Begin a version whose documents ran well, and describe it."""
    files = {"say.cwl": TOOL} if slug == "say" else FILES
    made = actions.create(by=author, slug=slug, version="1.0", files=files, metadata=TERMS)
    actions.record_evidence(
        by=actions.SYSTEM, version=made, content_hash=made.content_hash, passed=True, summary="Ended well.", data={}
    )
    return PipelineVersion.objects.get(pk=made.pk)


def step(author: Caller, name: str, address: str = f"{MINE}/greet/1.0") -> dict[str, object]:
    """Make a step of one's own version."""
    revision = author.get(address).json()["revision"]
    answer = author.send("POST", f"{address}/steps", {"step": name, "revision": revision})
    assert answer.status_code == 200, answer.content
    found: dict[str, object] = answer.json()
    return found


@pytest.fixture
def submitted(developer: Person) -> PipelineVersion:
    """Submit a pipeline."""
    version = make_draft(developer)
    return actions.advance(by=developer, version=version, transition="submit")


def test_from_draft_to_catalogue_by_programs(developer: Person, moderator: Person) -> None:
    author, program = Caller(developer, "author", "publish", "review"), Caller(moderator)
    make_draft(developer)
    seen = author.send("PUT", f"{MINE}/greet/1.0/visibility", {"visibility": "everybody"})
    assert seen.status_code == 200, seen.content
    assert step(author, "submit")["state"] == "submitted"
    listed = program.get(f"{QUEUE}?show=free").json()
    assert [(one["pipeline"], one["kind"], one["author"]) for one in listed["items"]] == [("greet", "pipeline", "dora")]
    taken = program.send("POST", f"{HERE}/steps", {"step": "take", "revision": listed["items"][0]["revision"]}).json()
    assert (taken["state"], taken["reviewer"]) == ("in-review", "mona")
    made = program.send("POST", f"{HERE}/comments", {"text": "Why?", "path": "main.cwl", "line": 4})
    assert made.status_code == 201, made.content
    answer = author.send("POST", f"{HERE}/comments", {"text": "Because.", "answers": made.json()["id"]})
    assert answer.status_code == 201, answer.content
    assert [one["author"] for one in author.get(f"{HERE}/comments").json()["items"]] == ["mona", "dora"]
    assert author.send("PUT", f"{QUEUE}/comments/{made.json()['id']}", {}).status_code == 403
    assert program.send("PUT", f"{QUEUE}/comments/{made.json()['id']}", {"resolved": True}).json()["resolved_at"]
    approval = {"step": "approve", "revision": taken["revision"]}
    assert "checklist" in program.send("POST", f"{HERE}/steps", approval).json()["detail"]
    ticked = program.send("PUT", f"{HERE}/checklist", {"points": EVERY_POINT}).json()
    assert {one["person"] for one in ticked} == {"mona"}
    assert program.send("POST", f"{HERE}/steps", {**approval, "revision": 0}).status_code == 409
    assert program.send("POST", f"{HERE}/steps", approval).json()["state"] == "approved"
    assert step(author, "publish")["state"] == "published"
    assert Client().get("/api/v1/pipelines?q=spectra").json()["count"] == 1
    assert program.get(QUEUE).json() == {"count": 0, "items": []}


@pytest.mark.parametrize("role", ["scientist", "developer", "advanced-developer", "operator"])
def test_reviews_are_for_moderators(role: str, submitted: PipelineVersion) -> None:
    program = Caller(make_person("else", role))
    for address in (QUEUE, HERE, f"{HERE}/checklist"):
        assert program.get(address).status_code == 403, address
    assert program.get(f"{HERE}/comments").status_code == 404
    assert program.send("POST", f"{HERE}/steps", {"step": "take", "revision": 0}).status_code == 403
    assert program.send("PUT", f"{HERE}/checklist", {"points": []}).status_code == 403
    assert program.send("POST", f"{HERE}/comments", {"text": "Hello"}).status_code == 404
    assert PipelineVersion.objects.get().state == "submitted"
    assert not ReviewComment.objects.exists()


def test_a_scientist_keeps_her_draft_and_is_told_why(scientist: Person) -> None:
    make_draft(scientist)
    author = Caller(scientist, "author", "publish")
    revision = author.get(f"{MINE}/greet/1.0").json()["revision"]
    refused = author.send("POST", f"{MINE}/greet/1.0/steps", {"step": "submit", "revision": revision})
    assert refused.status_code == 409
    assert "role of a developer" in refused.json()["detail"]


def test_tokens_need_their_scopes(developer: Person, moderator: Person) -> None:
    make_draft(developer)
    body = {"step": "submit", "revision": 0}
    assert Caller(developer, "author").send("POST", f"{MINE}/greet/1.0/steps", body).status_code == 403
    step(Caller(developer, "author", "publish"), "submit")
    reading = Caller(moderator, "read")
    assert reading.get(QUEUE).status_code == 200
    assert reading.send("POST", f"{HERE}/steps", {"step": "take", "revision": 0}).status_code == 403
    assert Caller(moderator, "publish").get(QUEUE).status_code == 403
    assert Client().get(QUEUE).status_code == 401


def test_nobody_decides_about_her_own() -> None:
    both = make_person("mara", "developer", "moderator")
    version = actions.advance(by=both, version=make_draft(both, "say"), transition="submit")
    PipelineVersion.objects.filter(pk=version.pk).update(state="in-review")
    program = Caller(both)
    assert program.get(QUEUE).json()["items"][0]["kind"] == "step"
    for name in ("approve", "reject", "request-changes"):
        body = {"step": name, "revision": version.revision, "reason": "Fine."}
        assert "her own work" in program.send("POST", f"{QUEUE}/say/1.0/steps", body).json()["detail"]


def test_each_kind_has_its_own_reviews(submitted: PipelineVersion, developer: Person, moderator: Person) -> None:
    make_submitted(developer)
    program = Caller(moderator)
    assert [one["datalab"] for one in program.get("/api/v1/reviews").json()["items"]] == ["spectra"]
    assert [one["pipeline"] for one in program.get(QUEUE).json()["items"]] == ["greet"]
    assert program.get("/api/v1/reviews/greet/1.0").status_code == 404
    assert program.get(f"{QUEUE}/spectra/1.0").status_code == 404
