"""Pages of the app store, open to visitors."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from spacelab.datalabs import queries, rules
from spacelab.datalabs.forms import FilterForm

PER_PAGE = 24
ICON_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""An icon is somebody's file: opened by itself, it may draw and nothing else."""


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """List the datalabs that fit the query string."""
    filters = FilterForm(request.GET).filters()
    page = Paginator(queries.catalogue(filters), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "filters": filters,
        "tags": queries.tags()[:20],
        "kinds": rules.KINDS,
        "sorts": tuple(queries.SORTS),
    }
    return render(request, "datalabs/catalogue.html", context)


@require_safe
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one datalab."""
    return render(request, "datalabs/detail.html", {"datalab": queries.datalab(slug)})


@require_safe
def icon(request: HttpRequest, slug: str) -> HttpResponse:  # noqa: ARG001  Django's signature
    """Send a datalab's icon as an image that can't act."""
    found = queries.datalab(slug)
    headers = {
        "Content-Security-Policy": ICON_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=86400",
    }
    return HttpResponse(found.icon or BLANK_ICON, content_type="image/svg+xml; charset=utf-8", headers=headers)


BLANK_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect x="1" y="1" width="46" height="46" rx="6" '
    'fill="#e8ebea" stroke="#9aa5a8"/><circle cx="24" cy="24" r="10" fill="none" stroke="#4d686d" stroke-width="2"/>'
    '<path d="M24 6v8m0 20v8M6 24h8m20 0h8" stroke="#4d686d" stroke-width="2"/></svg>'
)
"""What stands in for an icon that a package doesn't have."""
