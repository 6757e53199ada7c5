"""The app store as JSON, readable by anybody; a maintainer finds her drafts as well."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from spacelab.datalabs import queries
from spacelab.datalabs.models import Datalab
from spacelab.kit.parts import Part

router = Router(tags=["datalabs"])
"""Stands at `/datalabs` of the API."""


class Asked(Part):
    """The query string: words in `q`, a whole tag, a kind, facets, an order, and which part of the list.

    `opens` is the name or an ending of a file type. Orders are `name`, `newest` and `popularity`.
    """

    q: str = ""
    tag: str = ""
    kind: str = ""
    mission: str = ""
    domain: str = ""
    opens: str = ""
    official: bool = False
    sort: str = "name"


class VersionOut(Schema):
    """One version: published, or a draft of yours."""

    version: str
    state: str
    published_at: datetime | None
    default_volumes: list[str]
    licence: str
    opens: dict[str, Any]
    threads: list[dict[str, Any]]
    trouble: str
    """Why this platform can't run the version; empty where it can."""

    @staticmethod
    def resolve_trouble(row: Any) -> str:
        """Ask the runtime."""
        return queries.trouble_of(row)


class DatalabOut(Schema):
    """One datalab."""

    slug: str
    title: str
    abstract: str
    description: str
    author: str
    tags: list[str]
    kind: str
    facets: dict[str, list[str]]
    """Missions (`mission`), fields of science (`domain`), file types (`opens`), and whether it is `official`."""
    popularity: int
    """How many people have used it, its author apart."""
    latest_version: str
    rating: float | None
    """The mean of all ratings, in stars from 1 to 5; empty where there are none."""
    ratings: int
    versions: list[VersionOut]

    @staticmethod
    def resolve_versions(row: Any) -> list[Any]:
        """Show published versions, the newest first, then drafts."""
        return queries.versions_of(row)


class DatalabsOut(Schema):
    """A part of the list, and how many fit altogether."""

    count: int
    items: list[DatalabOut]


@router.get("", response=DatalabsOut, operation_id="list_datalabs", summary="Search the catalogue")
def list_datalabs(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    """List published datalabs that fit the query."""
    filters = queries.Filters(words=asked.q, **asked.dict(exclude={"q", "offset", "limit"}))
    found = queries.catalogue(filters, request.user)
    return {"count": found.count(), "items": list(found[asked.offset : asked.offset + asked.limit])}


@router.get("/{slug}", response=DatalabOut, operation_id="get_datalab", summary="One datalab")
def get_datalab(request: HttpRequest, slug: str) -> Datalab:
    """Show one datalab with the versions that you may launch."""
    return queries.datalab(slug, request.user)
