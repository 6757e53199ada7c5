"""Making a datalab of a session, as JSON: beside the other ways to bring something that is built."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Schema, Status

from spacelab.accounts.models import Person
from spacelab.kit.refusals import NotSignedIn
from spacelab.sessions import actions

router = Router(tags=["builds"])
"""Stands at `/builds/from-session` of the API."""


class SaveIn(Schema):
    """A session of yours, what its datalab is to be called, and notebooks that go along, as paths in your workspace."""

    session: str
    title: str
    short_name: str
    notebooks: list[str] = []


class SavedOut(Schema):
    """The id of the build that is planned: look at it, and start it."""

    id: str


@router.post("", response={201: SavedOut}, operation_id="save_session", summary="Save a session as a datalab")
def save_session(request: HttpRequest, response: HttpResponse, wanted: SaveIn) -> Status[dict[str, Any]]:
    """Plan a draft of what you installed in a session's datalab and of notebooks of your workspace."""
    if not isinstance(request.user, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in, or send a token.")
    build = actions.save_as_datalab(
        by=request.user,
        session_id=wanted.session,
        title=wanted.title,
        short_name=wanted.short_name,
        notebooks=wanted.notebooks,
    )
    response["Location"] = reverse("api:get_build", args=[build.pk])
    return Status(201, {"id": build.pk})
