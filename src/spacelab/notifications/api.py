"""News as JSON: one's own list, what is read, where one hears of what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Body, Query, Router, Schema
from pydantic import Field

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.notifications import actions, queries
from spacelab.notifications.models import Notification
from spacelab.notifications.rules import KINDS, Choice, Kind, Mail

router = Router(tags=["notifications"])
"""Stands at `/notifications` of the API."""

MOST = 200
LARGEST_ID = 2**63 - 1


class Wanted(Schema):
    """Which news: unread ones only, those before one that is known, at most so many."""

    unread: bool = False
    before: int | None = Field(default=None, ge=1, le=LARGEST_ID, description="The id of the last one known.")
    limit: int = Field(default=50, ge=1, le=MOST)


class NewsOut(Schema):
    """One piece of news; `url` is a path of the portal, `times` how often it was told within a short time."""

    id: int
    kind: str
    title: str
    text: str
    url: str
    subject: str
    times: int
    created_at: datetime
    read_at: datetime | None


class NewsList(Schema):
    """News, newest first, and how many are unread in all, counted up to 100."""

    unread: int
    news: list[NewsOut]


class ReadOut(Schema):
    """How many were unread until now."""

    read: int


class ChoiceIn(Schema):
    """Where news of one kind are heard. `mail` is never, soon or daily."""

    bell: bool
    mail: Mail
    feed: bool


class ChoiceOut(ChoiceIn):
    """The same, with what the kind is."""

    kind: Kind
    title: str
    hint: str


def _choices(person: Person) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "title": KINDS[kind].title,
            "hint": KINDS[kind].hint,
            "bell": choice.bell,
            "mail": choice.mail,
            "feed": choice.feed,
        }
        for kind, choice in queries.choices_of(person).items()
    ]


@router.get("", response=NewsList, operation_id="list_notifications", summary="Your news")
def list_notifications(request: HttpRequest, wanted: Query[Wanted]) -> dict[str, Any]:
    """List your news, newest first."""
    person = signed_in(request.user)
    rows = list(queries.news_page(person, unread=wanted.unread, before=wanted.before, limit=wanted.limit))
    return {"unread": queries.unread_count(person), "news": rows}


@router.post("/read", response=ReadOut, operation_id="read_all_notifications", summary="Mark all as read")
def read_all(request: HttpRequest) -> dict[str, int]:
    """Note that all your news are read."""
    return {"read": actions.mark_all_read(by=signed_in(request.user))}


@router.get("/choices", response=list[ChoiceOut], operation_id="list_notification_choices", summary="What you hear")
def list_choices(request: HttpRequest) -> list[dict[str, Any]]:
    """Say where you hear each kind of news that your roles let you hear."""
    return _choices(signed_in(request.user))


@router.put("/choices", response=list[ChoiceOut], operation_id="choose_notifications", summary="Choose what you hear")
def choose(request: HttpRequest, wanted: Body[dict[Kind, ChoiceIn]]) -> list[dict[str, Any]]:
    """Choose by kind; kinds that you leave out stay as they are."""
    person = signed_in(request.user)
    chosen = {kind: Choice(one.bell, one.mail, one.feed) for kind, one in wanted.items()}
    actions.choose(by=person, choices=chosen)
    return _choices(person)


@router.post(
    "/{int:notification_id}/read", response=NewsOut, operation_id="read_notification", summary="Mark one as read"
)
def read(request: HttpRequest, notification_id: int) -> Notification:
    """Note that one of your news is read; again, nothing changes."""
    return actions.mark_read(by=signed_in(request.user), notification_id=notification_id)
