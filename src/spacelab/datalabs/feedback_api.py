"""Feedback as JSON: bookmarks, ratings, comments and reports of the datalabs that you see."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from spacelab.accounts.queries import signed_in
from spacelab.datalabs import actions, queries
from spacelab.feedback import queries as feedback
from spacelab.feedback import rules
from spacelab.feedback.models import Comment
from spacelab.kit.parts import LARGEST_NUMBER, Part

router = Router(tags=["feedback"])
"""Stands at `/datalabs` of the API."""
bookmarks_router = Router(tags=["feedback"])
"""Stands at `/bookmarks` of the API."""

SENT = 2 * rules.LONGEST_COMMENT
"""Characters of a text that are read at all; what is too long is said with the rule's own words."""


class CommentsAsked(Part):
    """All comments, the newest first; or the answers to the one that `answers_to` names, the oldest first."""

    answers_to: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER)


class MineOut(Schema):
    """What you think of it: your `stars` (0 for none), and whether you bookmarked it."""

    stars: int
    bookmarked: bool


class StandingOut(Schema):
    """How a datalab stands; `by_stars` counts the people who gave one star, two, … five."""

    average: float | None
    ratings: int
    by_stars: list[int]
    comments: int
    bookmarks: int
    mine: MineOut


class RatingIn(Schema):
    """One to five stars."""

    stars: int = Field(ge=1, le=5)


class CommentIn(Schema):
    """A comment in Markdown; or the answer to the comment that `answers` names."""

    text: str = Field(max_length=SENT)
    answers: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER)


class ChangeIn(Schema):
    """The new text of your comment."""

    text: str = Field(max_length=SENT)


class HiddenIn(Schema):
    """Whether a comment is hidden, and why; its author reads the reason."""

    hidden: bool = True
    reason: str = Field(default="", max_length=SENT)


class CommentOut(Schema):
    """One comment. `text` is Markdown as it was written; empty where it was taken back, or hidden from you."""

    id: int
    text: str
    author: str
    by_maintainer: bool
    answers: int | None
    replies: int
    """How many answers it has; 0 for an answer."""
    at: datetime
    edited_at: datetime | None
    taken_back: bool
    hidden: bool
    hidden_reason: str
    """Why a moderator hid it; for its author and moderators."""


class CommentsOut(Schema):
    """A part of the comments, and how many there are altogether."""

    count: int
    items: list[CommentOut]


class ReportIn(Schema):
    """What is wrong, with the datalab or with the comment named."""

    reason: rules.Reason
    text: str = Field(default="", max_length=SENT)
    comment: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER)


class ReportedOut(Schema):
    """The report that was made; you hear what was done about it."""

    id: int
    reason: str
    state: str
    at: datetime


class BookmarkOut(Schema):
    """A datalab that you bookmarked and still see."""

    slug: str
    title: str
    rating: float | None
    ratings: int


class BookmarksOut(Schema):
    """A part of your bookmarks, the newest first, and how many there are altogether."""

    count: int
    items: list[BookmarkOut]


def _shown(request: HttpRequest, one: Comment) -> dict[str, Any]:
    """Return a comment as this person may read it."""
    readable = feedback.may_read(one, request.user)
    return {
        "id": one.pk,
        "text": one.text if readable else "",
        "author": one.author.username if one.author else "",
        "by_maintainer": one.by_owner,
        "answers": one.answers_id,
        "replies": getattr(one, "replies", 0),
        "at": one.at,
        "edited_at": one.edited_at,
        "taken_back": one.deleted_at is not None,
        "hidden": one.hidden_at is not None,
        "hidden_reason": one.hidden_reason if readable else "",
    }


def _standing(request: HttpRequest, slug: str) -> dict[str, Any]:
    found = queries.standing_of(queries.datalab(slug, request.user))
    names = ("average", "ratings", "by_stars", "comments", "bookmarks")
    return {name: getattr(found, name) for name in names} | {
        "mine": {"stars": found.stars, "bookmarked": found.bookmarked}
    }


@bookmarks_router.get("", response=BookmarksOut, operation_id="list_bookmarks", summary="Your bookmarks")
def list_bookmarks(request: HttpRequest, asked: Query[Part]) -> dict[str, Any]:
    """List the datalabs that you bookmarked, the newest bookmark first."""
    found = queries.bookmarked(signed_in(request.user))
    return {"count": found.count(), "items": list(found[asked.offset : asked.offset + asked.limit])}


@router.get("/{slug}/feedback", response=StandingOut, operation_id="get_feedback", summary="How a datalab stands")
def get_feedback(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Show ratings, numbers of comments and bookmarks, and what you gave yourself."""
    return _standing(request, slug)


@router.put("/{slug}/bookmark", response=StandingOut, operation_id="add_bookmark", summary="Bookmark a datalab")
def add_bookmark(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Keep it among your bookmarks, and hear of its new versions; doing it again changes nothing."""
    actions.bookmark(by=signed_in(request.user), slug=slug)
    return _standing(request, slug)


@router.delete("/{slug}/bookmark", response=StandingOut, operation_id="remove_bookmark", summary="Remove a bookmark")
def remove_bookmark(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Take it from your bookmarks; doing it again changes nothing."""
    actions.bookmark(by=signed_in(request.user), slug=slug, wanted=False)
    return _standing(request, slug)


@router.put("/{slug}/rating", response=StandingOut, operation_id="rate_datalab", summary="Rate a datalab")
def rate_datalab(request: HttpRequest, slug: str, given: RatingIn) -> dict[str, Any]:
    """Give it one to five stars; an earlier rating of yours is replaced. Your own you can't rate."""
    actions.rate(by=signed_in(request.user), slug=slug, stars=given.stars)
    return _standing(request, slug)


@router.delete("/{slug}/rating", response=StandingOut, operation_id="take_rating_back", summary="Take your rating back")
def take_rating_back(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Remove your rating; doing it again changes nothing."""
    actions.rate(by=signed_in(request.user), slug=slug, stars=0)
    return _standing(request, slug)


@router.get("/{slug}/comments", response=CommentsOut, operation_id="list_comments", summary="Comments on a datalab")
def list_comments(request: HttpRequest, slug: str, asked: Query[CommentsAsked]) -> dict[str, Any]:
    """List comments, the newest first, without their answers; or the answers to one, the oldest first."""
    found = queries.datalab(slug, request.user)
    rows = queries.comments_on(found)
    if asked.answers_to is not None:
        rows = feedback.answers_to(feedback.find_comment(queries.subject_of(found), asked.answers_to))
    part = rows[asked.offset : asked.offset + asked.limit]
    return {"count": rows.count(), "items": [_shown(request, one) for one in part]}


@router.post(
    "/{slug}/comments", response={201: CommentOut}, operation_id="write_comment", summary="Comment on a datalab"
)
def write_comment(request: HttpRequest, slug: str, given: CommentIn) -> Status[dict[str, Any]]:
    """Write a comment, or an answer to one; the same words sent twice within ten minutes are kept once."""
    made = actions.comment(by=signed_in(request.user), slug=slug, text=given.text, answers=given.answers)
    return Status(201, _shown(request, made))


@router.patch(
    "/{slug}/comments/{int:comment_id}",
    response=CommentOut,
    operation_id="change_comment",
    summary="Change your comment",
)
def change_comment(request: HttpRequest, slug: str, comment_id: int, given: ChangeIn) -> dict[str, Any]:
    """Change the text of a comment of yours; it says that it was changed."""
    one = actions.edit_comment(by=signed_in(request.user), slug=slug, comment_id=comment_id, text=given.text)
    return _shown(request, one)


@router.delete(
    "/{slug}/comments/{int:comment_id}",
    response={204: None},
    operation_id="take_comment_back",
    summary="Take your comment back",
)
def take_comment_back(request: HttpRequest, slug: str, comment_id: int) -> Status[None]:
    """Remove the words of a comment of yours; answers to it stay."""
    actions.take_back_comment(by=signed_in(request.user), slug=slug, comment_id=comment_id)
    return Status(204, None)


@router.put(
    "/{slug}/comments/{int:comment_id}/hidden",
    response=CommentOut,
    operation_id="hide_comment",
    summary="Hide a comment",
)
def hide_comment(request: HttpRequest, slug: str, comment_id: int, given: HiddenIn) -> dict[str, Any]:
    """Hide a comment with a reason, or show it again; for moderators."""
    one = actions.hide_comment(
        by=signed_in(request.user), slug=slug, comment_id=comment_id, reason=given.reason, hidden=given.hidden
    )
    return _shown(request, one)


@router.post("/{slug}/reports", response={201: ReportedOut}, operation_id="report_datalab", summary="Report a datalab")
def report_datalab(request: HttpRequest, slug: str, given: ReportIn) -> Status[Any]:
    """Report a datalab, or a comment on it, to the moderators."""
    made = actions.report(
        by=signed_in(request.user), slug=slug, reason=given.reason, text=given.text, comment_id=given.comment
    )
    return Status(201, made)
