"""The audit trail as a page; it stands here because the trail itself knows nobody's roles."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from spacelab.accounts.views.shared import needs
from spacelab.audit import queries as audit

PER_PAGE = 100
"""Lines of one page."""

VIEW = "audit.view"
"""`AuditPermission.VIEW`, by its value: a domain's permissions module is its own."""


def _asked(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\x00", "").strip()[:120]


@needs(VIEW)
@require_http_methods(["GET"])
def trail(request: HttpRequest) -> HttpResponse:
    """Show the trail, newest first, of one actor or subject where asked."""
    actor, subject = _asked(request, "actor"), _asked(request, "subject")
    page = Paginator(audit.entries(actor=actor, subject=subject), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/trail.html", {"page": page, "actor": actor, "subject": subject})
