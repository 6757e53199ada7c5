"""The app store as JSON, readable by anybody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from spacelab.datalabs import queries
from spacelab.datalabs.models import Datalab

router = Router(tags=["datalabs"], auth=None)
"""Stands at `/datalabs` of the API."""

MOST = 200
"""Entries of one answer at most."""


class Asked(Schema):
    """The query string: words in `q`, a whole tag, a kind, an order, and which part of the list."""

    q: str = ""
    tag: str = ""
    kind: str = ""
    sort: str = "name"
    offset: int = 0
    limit: int = 50


class VersionOut(Schema):
    """One published version."""

    version: str
    published_at: datetime | None
    default_volumes: list[str]
    licence: str


class DatalabOut(Schema):
    """One datalab."""

    slug: str
    title: str
    abstract: str
    description: str
    author: str
    tags: list[str]
    kind: str
    latest_version: str
    versions: list[VersionOut]

    @staticmethod
    def resolve_versions(row: Any) -> list[Any]:
        """Show published versions alone, the newest first."""
        return list(row.published_versions)


class DatalabsOut(Schema):
    """A part of the list, and how many fit altogether."""

    count: int
    items: list[DatalabOut]


@router.get("", response=DatalabsOut, operation_id="list_datalabs", summary="Search the catalogue")
def list_datalabs(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:  # noqa: ARG001  ninja's signature
    """List published datalabs that fit the query."""
    filters = queries.Filters(words=asked.q, tag=asked.tag, kind=asked.kind, sort=asked.sort)
    found = queries.catalogue(filters)
    start = max(asked.offset, 0)
    return {"count": found.count(), "items": list(found[start : start + max(1, min(asked.limit, MOST))])}


@router.get("/{slug}", response=DatalabOut, operation_id="get_datalab", summary="One datalab")
def get_datalab(request: HttpRequest, slug: str) -> Datalab:  # noqa: ARG001  ninja's signature
    """Show one published datalab with its versions."""
    return queries.datalab(slug)
