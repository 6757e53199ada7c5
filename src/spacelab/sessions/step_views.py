"""The button that opens a job of a run as a session."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from spacelab.accounts.queries import signed_in
from spacelab.sessions import steps


@require_POST
def open_job(request: HttpRequest, run_id: str) -> HttpResponse:
    """Open a job of a run as a session, with its command and inputs at hand."""
    session = steps.open_job(by=signed_in(request.user), run_id=run_id, job=request.POST.get("job", ""))
    return redirect("lab_sessions:detail", session.id)
