"""Archive volumes, and files of a person's own workspace, for programs."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router, Schema

from spacelab.accounts.models import Person
from spacelab.kit.files import attachment
from spacelab.kit.parts import sends
from spacelab.kit.refusals import NotSignedIn
from spacelab.volumes import actions, listing, queries
from spacelab.volumes.models import Volume
from spacelab.volumes.rules import Kind

router = Router(tags=["volumes"])
"""Stands at `/volumes` of the API."""
workspace_router = Router(tags=["workspace"])
"""Stands at `/workspace` of the API."""


class VolumeOut(Schema):
    """One archive volume; `target` is where it appears in a session, `size_bytes` is empty if never counted."""

    name: str
    title: str
    summary: str
    domain: str
    mission: str
    licence: str
    source: str
    target: str
    size_bytes: int | None


@router.get("", response=list[VolumeOut])
def list_volumes(request: HttpRequest) -> list[Volume]:
    """List the archive volumes that you may mount."""
    return list(queries.visible_to(request.user))


@router.get("/{name}", response=VolumeOut)
def get_volume(request: HttpRequest, name: str) -> Volume:
    """Describe one archive volume."""
    return queries.get_visible(request.user, name)


@workspace_router.get(
    "/files/{path:inside}",
    openapi_extra=sends("application/octet-stream", s206="The range", s416="There is no such range"),
)
def get_file(request: HttpRequest, inside: str) -> HttpResponseBase:
    """Download one file of your workspace, or the one range of its bytes that you name."""
    if not isinstance(request.user, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in, or send a token.")
    actions.ensure_areas(person=request.user)
    area = queries.area_of(request.user, Kind.WORKSPACE)
    file = listing.open_own(Path(area.path), inside)
    return attachment(request, file, Path(inside).name)
