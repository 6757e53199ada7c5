"""The page of a repository that is being fetched, which leads to the draft once that is there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from spacelab.accounts.queries import signed_in
from spacelab.pipelines import actions, queries
from spacelab.pipelines.rules import ImportState


@require_safe
def show(request: HttpRequest, import_id: str) -> HttpResponse:
    """Show how far an import of one's own has come; its draft once that is there."""
    found = queries.find_import(request.user, import_id)
    in_part = bool(getattr(request, "htmx", False))
    if found.state == ImportState.DONE and found.made is not None:
        messages.success(request, f"{found.made} is begun: only you see it. {found.reason}".strip())
        address = reverse("pipelines:author-files", args=[found.made.pipeline.slug, found.made.version])
        return HttpResponseClientRedirect(address) if in_part else redirect(address)
    page = "pipelines/_import.html" if in_part else "pipelines/import.html"
    return render(request, page, {"found": found, "ended": found.ended_at is not None})


@require_POST
def cancel(request: HttpRequest, import_id: str) -> HttpResponse:
    """End an import of one's own before it has ended."""
    person = signed_in(request.user)
    actions.cancel_import(by=person, wanted=queries.find_import(person, import_id))
    return redirect("pipelines:import", import_id)
