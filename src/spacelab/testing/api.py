"""Launch tests as JSON: for a version's author, and for moderators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from spacelab.accounts.queries import signed_in
from spacelab.datalabs.models import DatalabVersion
from spacelab.testing import actions, queries

router = Router(tags=["launch tests"])
"""Stands at `/launch-tests` of the API."""


class EvidenceOut(Schema):
    """What one test found: times in seconds, memory and sizes in bytes, and how each notebook ran."""

    id: int
    kind: str
    passed: bool
    summary: str
    content_hash: str
    at: datetime
    data: dict[str, Any]


class TestOut(Schema):
    """Where the testing of a version stands, and what was found, newest first."""

    datalab: str
    version: str
    version_state: str
    state: str
    """Of the newest test: waiting, interface, notebooks, passed, failed, given-up or dropped; empty before any."""
    reason: str
    evidence: list[EvidenceOut]


@router.get(
    "/{slug}/{version}", response=TestOut, operation_id="get_launch_test", summary="The launch tests of a version"
)
def get_launch_test(request: HttpRequest, slug: str, version: str) -> dict[str, Any]:
    """Say how far the newest launch test of a version is, and what its tests have found."""
    return _out(queries.find_version(signed_in(request.user), slug, version))


@router.post(
    "/{slug}/{version}", response={202: TestOut}, operation_id="test_again", summary="Test a version once more"
)
def test_again(request: HttpRequest, slug: str, version: str) -> Status[dict[str, Any]]:
    """Begin another launch test of what was built; a conflict while one is under way."""
    person = signed_in(request.user)
    found = queries.find_version(person, slug, version)
    actions.test_again(by=person, version=found)
    return Status(202, _out(found))


def _out(version: DatalabVersion) -> dict[str, Any]:
    last = queries.last_test(version)
    return {
        "datalab": version.datalab.slug,
        "version": version.version,
        "version_state": version.state,
        "state": last.state if last else "",
        "reason": last.reason if last else "",
        "evidence": list(queries.evidence_of(version)[: queries.SHOWN]),
    }
