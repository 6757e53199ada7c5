"""How the launches of a datalab went, as JSON, readable by whoever sees the datalab."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from spacelab.datalabs import queries as datalab_queries
from spacelab.sessions import counting

router = Router(tags=["datalabs"])
"""Stands at `/datalabs` of the API, beside those of the app store."""


class LaunchesOut(Schema):
    """How the launches of one version went: all in numbers, and of the last ones the median and the rate."""

    version: str
    launches: int
    median_seconds: float | None
    """From the wish to launch until it was ready; empty if it never was."""
    percent: int
    """How many of a hundred were ready."""


@router.get(
    "/{slug}/launches",
    response=list[LaunchesOut],
    operation_id="list_launches",
    summary="How a datalab's launches went",
)
def list_launches(request: HttpRequest, slug: str) -> list[dict[str, Any]]:
    """Say of each published version how many launches there were, how long they took, and how many were successful."""
    rows = counting.statistics_rows(datalab_queries.datalab(slug, request.user))
    return [{"version": version.version, **vars(one)} for version, one in rows]
