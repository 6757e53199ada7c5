"""Reviews as JSON: the queue, one review, its checklist, comments, steps and decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from spacelab.accounts.queries import signed_in
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.parts import LARGEST_NUMBER, Part
from spacelab.moderation import actions, queries, rules
from spacelab.moderation.models import ReviewComment

router = Router(tags=["reviews"])
"""Stands at `/reviews` of the API."""


class QueueAsked(Part):
    """Which versions: all, those that are free, or those that are with you."""

    show: rules.Shown = rules.Shown.ALL


class ReviewOut(Schema):
    """A version with the moderators; send `revision` with what you decide."""

    datalab: str
    version: str
    state: str
    revision: int
    author: str
    reviewer: str
    submitted_at: datetime | None

    @staticmethod
    def resolve_datalab(row: Any) -> str:
        """Name its datalab by its short name."""
        return str(row.datalab.slug)

    @staticmethod
    def resolve_author(row: Any) -> str:
        """Name who submitted it."""
        return row.datalab.maintainer.username if row.datalab.maintainer else ""

    @staticmethod
    def resolve_reviewer(row: Any) -> str:
        """Name who has it, or decided about it last."""
        return row.reviewer.username if row.reviewer else ""


class QueueOut(Schema):
    """A part of the queue, and how many there are altogether."""

    count: int
    items: list[ReviewOut]


class PointOut(Schema):
    """One point of the checklist; `person` and `at` are empty until it is ticked."""

    name: str
    words: str
    person: str | None
    at: datetime | None


class ChecklistIn(Schema):
    """The points that are in order; all others are not."""

    points: list[str] = Field(max_length=50)


class StepIn(Schema):
    """take, give-back, approve, request-changes or reject, of the revision that you looked at."""

    step: str = Field(max_length=40)
    revision: int = Field(ge=0, le=LARGEST_NUMBER)
    reason: str = ""


class RemarkIn(Schema):
    """A remark on the whole, a file (`path`) or a `line` of it; or the answer to the remark that `answers` names."""

    text: str
    path: str = Field(default="", max_length=500)
    line: int | None = Field(default=None, ge=1, le=rules.LARGEST_LINE)
    answers: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER)


class RemarkOut(Schema):
    """One remark or answer. `text` is Markdown, as it was written."""

    id: int
    path: str
    line: int | None
    text: str
    author: str
    answers: int | None = Field(alias="answers_id")
    content_hash: str
    resolved_at: datetime | None
    at: datetime

    @staticmethod
    def resolve_author(row: Any) -> str:
        """Name who wrote it."""
        return row.author.username if row.author else ""


class RemarksOut(Schema):
    """A part of the comments, each followed by its answers, and how many there are altogether."""

    count: int
    items: list[RemarkOut]


class RemarkSettledIn(Schema):
    """Whether a remark is settled."""

    resolved: bool = True


@router.get("", response=QueueOut, operation_id="list_reviews", summary="The review queue")
def list_reviews(request: HttpRequest, asked: Query[QueueAsked]) -> dict[str, Any]:
    """List what waits for review and what is under review, the oldest first; for moderators."""
    found = queries.queue(signed_in(request.user), asked.show, ("datalabs",))
    return {"count": found.count(), "items": list(found[asked.offset : asked.offset + asked.limit])}


@router.put(
    "/comments/{int:comment_id}", response=RemarkOut, operation_id="settle_review_comment", summary="Settle a remark"
)
def settle(request: HttpRequest, comment_id: int, wanted: RemarkSettledIn) -> ReviewComment:
    """Note that a remark is settled, or open again; for moderators."""
    return actions.resolve(by=signed_in(request.user), comment_id=comment_id, resolved=wanted.resolved)


@router.get("/{slug}/{version}", response=ReviewOut, operation_id="get_review", summary="One version under review")
def get_review(request: HttpRequest, slug: str, version: str) -> Any:
    """Show one version that was handed to the moderators."""
    return queries.version_for(signed_in(request.user), slug, version)


@router.post("/{slug}/{version}/steps", response=ReviewOut, operation_id="decide_review", summary="Take or decide")
def decide(request: HttpRequest, slug: str, version: str, wanted: StepIn) -> Any:
    """Take, give back, approve, ask for changes or reject; refused if the version has moved on since your revision."""
    person = signed_in(request.user)
    found = queries.version_for(person, slug, version)
    return actions.decide(by=person, version=found, step=wanted.step, reason=wanted.reason, revision=wanted.revision)


@router.get(
    "/{slug}/{version}/checklist",
    response=list[PointOut],
    operation_id="get_review_checklist",
    summary="The checklist",
)
def get_checklist(request: HttpRequest, slug: str, version: str) -> list[dict[str, Any]]:
    """List the points of the checklist, and who found each in order."""
    return _points(queries.version_for(signed_in(request.user), slug, version))


@router.put(
    "/{slug}/{version}/checklist",
    response=list[PointOut],
    operation_id="put_review_checklist",
    summary="Tick the checklist",
)
def put_checklist(request: HttpRequest, slug: str, version: str, wanted: ChecklistIn) -> list[dict[str, Any]]:
    """Keep which points are in order; earlier ticks keep their names."""
    person = signed_in(request.user)
    found = queries.version_for(person, slug, version)
    actions.tick(by=person, version=found, points=wanted.points)
    return _points(found)


def _points(version: DatalabVersion) -> list[dict[str, Any]]:
    return [
        {
            "name": one.point.name,
            "words": one.point.words,
            "person": one.tick.person.username if one.tick and one.tick.person else None,
            "at": one.tick.at if one.tick else None,
        }
        for one in queries.checklist(version)
    ]


@router.get(
    "/{slug}/{version}/comments", response=RemarksOut, operation_id="list_review_comments", summary="The comments"
)
def list_comments(request: HttpRequest, slug: str, version: str, asked: Query[Part]) -> dict[str, Any]:
    """List the comments on a version, for its author and moderators."""
    found = queries.comments(queries.talk_about(signed_in(request.user), slug, version))
    return {"count": found.count(), "items": list(found[asked.offset : asked.offset + asked.limit])}


@router.post(
    "/{slug}/{version}/comments",
    response={201: RemarkOut},
    operation_id="comment_on_review",
    summary="Comment or answer",
)
def comment(request: HttpRequest, slug: str, version: str, wanted: RemarkIn) -> Status[ReviewComment]:
    """Write a remark or an answer, as the version's author or as a moderator."""
    person = signed_in(request.user)
    found = queries.talk_about(person, slug, version)
    return Status(201, actions.comment(by=person, version=found, **wanted.dict()))
