"""Opening a job of a run as a session, as JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Schema, Status

from spacelab.accounts.queries import signed_in
from spacelab.sessions import queries, steps
from spacelab.sessions.api import SessionDetail, detail_of

router = Router(tags=["sessions"])
"""Stands at `/sessions/from-job` of the API."""


class JobIn(Schema):
    """A job of a run of yours."""

    run: str
    job: str


@router.post("", response={201: SessionDetail}, operation_id="open_job", summary="Open a run's job as a session")
def open_job(request: HttpRequest, wanted: JobIn, response: HttpResponse) -> Status[dict[str, Any]]:
    """Lay a job out in your workspace, and launch a session with its software that opens its script."""
    person = signed_in(request.user)
    session = steps.open_job(by=person, run_id=wanted.run, job=wanted.job)
    response["Location"] = reverse("api:get_session", args=[session.id])
    return Status(201, detail_of(queries.find_own(person, session.id)))
