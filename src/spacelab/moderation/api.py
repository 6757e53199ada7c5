"""Reviews as JSON, of datalabs and of pipelines: the queue, one review, its checklist, comments, steps, decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.kit.parts import LARGEST_NUMBER, Part
from spacelab.moderation import actions, queries, rules
from spacelab.moderation.families import Version
from spacelab.moderation.models import ReviewComment


class QueueAsked(Part):
    """Which versions: all, those that are free, or those that are with you."""

    show: rules.Shown = rules.Shown.ALL


class VersionReviewOut(Schema):
    """A version with the moderators; send `revision` with what you decide."""

    version: str
    state: str
    revision: int
    author: str
    reviewer: str
    submitted_at: datetime | None

    @staticmethod
    def resolve_author(row: Any) -> str:
        """Name who submitted it."""
        return row.entry.maintainer.username if row.entry.maintainer else ""

    @staticmethod
    def resolve_reviewer(row: Any) -> str:
        """Name who has it, or decided about it last."""
        return row.reviewer.username if row.reviewer else ""


class ReviewOut(VersionReviewOut):
    """A datalab's version with the moderators; send `revision` with what you decide."""

    datalab: str

    @staticmethod
    def resolve_datalab(row: Any) -> str:
        """Name its datalab by its short name."""
        return str(row.entry.slug)


class PipelineReviewOut(VersionReviewOut):
    """A version of a pipeline or step with the moderators; send `revision` with what you decide."""

    pipeline: str
    kind: str
    """pipeline or step"""

    @staticmethod
    def resolve_pipeline(row: Any) -> str:
        """Name its pipeline by its short name."""
        return str(row.entry.slug)

    @staticmethod
    def resolve_kind(row: Any) -> str:
        """Say whether it is a pipeline or a step."""
        return str(row.entry.kind)


class QueueOut(Schema):
    """A part of the queue, and how many there are altogether."""

    count: int
    items: list[ReviewOut]


class PipelineQueueOut(Schema):
    """A part of the queue, and how many there are altogether."""

    count: int
    items: list[PipelineReviewOut]


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


@dataclass(frozen=True)
class Reviews:
    """The operations on reviews of one kind of version, by the namespace of its domain."""

    family: str

    def queue(self, request: HttpRequest, asked: Query[QueueAsked]) -> dict[str, Any]:
        """List what waits for review and what is under review, the oldest first; for moderators."""
        found = queries.queue(signed_in(request.user), asked.show, (self.family,))
        return {"count": found.count(), "items": list(found[asked.offset : asked.offset + asked.limit])}

    def settle(self, request: HttpRequest, comment_id: int, wanted: RemarkSettledIn) -> ReviewComment:
        """Note that a remark is settled, or open again; for moderators."""
        return actions.resolve(by=signed_in(request.user), comment_id=comment_id, resolved=wanted.resolved)

    def show(self, request: HttpRequest, slug: str, version: str) -> Any:
        """Show one version that was handed to the moderators."""
        return self._version(signed_in(request.user), slug, version)

    def decide(self, request: HttpRequest, slug: str, version: str, wanted: StepIn) -> Any:
        """Take, give back, approve, ask for changes or reject; refused if it has moved on since your revision."""
        person = signed_in(request.user)
        found = self._version(person, slug, version)
        return actions.decide(
            by=person, version=found, step=wanted.step, reason=wanted.reason, revision=wanted.revision
        )

    def checklist(self, request: HttpRequest, slug: str, version: str) -> list[dict[str, Any]]:
        """List the points of the checklist, and who found each in order."""
        return _points(self._version(signed_in(request.user), slug, version))

    def tick(self, request: HttpRequest, slug: str, version: str, wanted: ChecklistIn) -> list[dict[str, Any]]:
        """Keep which points are in order; earlier ticks keep their names."""
        person = signed_in(request.user)
        found = self._version(person, slug, version)
        actions.tick(by=person, version=found, points=wanted.points)
        return _points(found)

    def comments(self, request: HttpRequest, slug: str, version: str, asked: Query[Part]) -> dict[str, Any]:
        """List the comments on a version, for its author and moderators."""
        found = queries.comments(queries.talk_about(signed_in(request.user), slug, version, self.family))
        return {"count": found.count(), "items": list(found[asked.offset : asked.offset + asked.limit])}

    def comment(self, request: HttpRequest, slug: str, version: str, wanted: RemarkIn) -> Status[ReviewComment]:
        """Write a remark or an answer, as the version's author or as a moderator."""
        person = signed_in(request.user)
        found = queries.talk_about(person, slug, version, self.family)
        return Status(201, actions.comment(by=person, version=found, **wanted.dict()))

    def _version(self, person: Person, slug: str, version: str) -> Any:
        return queries.version_for(person, slug, version, self.family)


def _points(version: Version) -> list[dict[str, Any]]:
    return [
        {
            "name": one.point.name,
            "words": one.point.words,
            "person": one.tick.person.username if one.tick and one.tick.person else None,
            "at": one.tick.at if one.tick else None,
        }
        for one in queries.checklist(version)
    ]


def _handler(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method a function, which the router leaves notes on."""

    @wraps(method)
    def handler(*args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)

    return handler


def router_of(family: str, review: type[Schema], queue: type[Schema], word: str = "review") -> Router:
    """Return the router of the reviews of one kind; `word` stands in the names of its operations."""
    its, one, points = Reviews(family), "/{slug}/{version}", list[PointOut]
    router = Router(tags=[f"{word.replace('_', ' ')}s"])
    operations: tuple[tuple[str, str, Callable[..., Any], Any, str, str], ...] = (
        ("GET", "", its.queue, queue, f"list_{word}s", "The review queue"),
        ("PUT", "/comments/{int:comment_id}", its.settle, RemarkOut, f"settle_{word}_comment", "Settle a remark"),
        ("GET", one, its.show, review, f"get_{word}", "One version under review"),
        ("POST", f"{one}/steps", its.decide, review, f"decide_{word}", "Take or decide"),
        ("GET", f"{one}/checklist", its.checklist, points, f"get_{word}_checklist", "The checklist"),
        ("PUT", f"{one}/checklist", its.tick, points, f"put_{word}_checklist", "Tick the checklist"),
        ("GET", f"{one}/comments", its.comments, RemarksOut, f"list_{word}_comments", "The comments"),
        ("POST", f"{one}/comments", its.comment, {201: RemarkOut}, f"comment_on_{word}", "Comment or answer"),
    )
    for method, path, does, answer, name, summary in operations:
        router.add_api_operation(path, [method], _handler(does), response=answer, operation_id=name, summary=summary)
    return router


router = router_of("datalabs", ReviewOut, QueueOut)
"""Stands at `/reviews` of the API."""
pipelines_router = router_of("pipelines", PipelineReviewOut, PipelineQueueOut, "pipeline_review")
"""Stands at `/pipeline-reviews`."""
