"""Reports as JSON: what people say is wrong, and what was done about it; for moderators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from spacelab.accounts.queries import signed_in
from spacelab.feedback import queries as feedback
from spacelab.feedback import rules
from spacelab.feedback.models import Report
from spacelab.moderation import actions

router = Router(tags=["reviews"])
"""Stands at `/reviews/reports` of the API."""

MOST = 200
LARGEST_ID = 2**63 - 1


class ReportsAsked(Schema):
    """Open reports, the oldest first, or settled ones, the newest first; and which part of the list."""

    state: rules.ReportState = rules.ReportState.OPEN
    offset: int = Field(default=0, ge=0, le=LARGEST_ID)
    limit: int = Field(default=50, ge=1, le=MOST)


class ReportOut(Schema):
    """One report; `quoted` is the comment as it was then, empty where the entry itself is meant."""

    id: int
    subject: str
    comment: int | None = Field(alias="comment_id")
    quoted: str
    reason: str
    text: str
    person: str
    at: datetime
    state: str
    outcome: str
    note: str
    settled_at: datetime | None

    @staticmethod
    def resolve_person(row: Any) -> str:
        """Name who reported it."""
        return row.person.username if row.person else ""


class ReportsOut(Schema):
    """A part of the reports, and how many there are altogether."""

    count: int
    items: list[ReportOut]


class SettledIn(Schema):
    """What was done, with words for whoever reported it."""

    outcome: rules.Outcome
    note: str = Field(max_length=2 * rules.LONGEST_NOTE)


@router.get("", response=ReportsOut, operation_id="list_reports", summary="What people reported")
def list_reports(request: HttpRequest, asked: Query[ReportsAsked]) -> dict[str, Any]:
    """List reports about datalabs and comments; for moderators."""
    found = feedback.reports(signed_in(request.user), (asked.state,))
    return {"count": found.count(), "items": list(found[asked.offset : asked.offset + asked.limit])}


@router.put("/{int:report_id}", response=ReportOut, operation_id="settle_report", summary="Settle a report")
def settle_report(request: HttpRequest, report_id: int, given: SettledIn) -> Report:
    """Note what was done; other open reports about the same comment are settled with it."""
    person = signed_in(request.user)
    actions.settle_report(by=person, report_id=report_id, outcome=given.outcome, note=given.note)
    return feedback.find_report(person, report_id)
