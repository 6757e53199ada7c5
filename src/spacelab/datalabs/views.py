"""Pages of the app store, open to visitors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from spacelab.accounts.queries import signed_in
from spacelab.datalabs import queries, rules
from spacelab.datalabs.forms import FilterForm
from spacelab.datalabs.models import DatalabVersion
from spacelab.feedback import queries as feedback
from spacelab.publishing.rules.exports import FORMATS
from spacelab.publishing.rules.exports.references import Reference, reference_of
from spacelab.publishing.rules.facets import facet_title, file_type

PER_PAGE = 24
TAGS = 20
FACETS = {"mission": "Mission", "domain": "Field of science", "opens": "Opens files of type"}
"""The facets that the form asks for, with their labels."""
MOST_CHOICES = 200
"""Values of one facet that the form offers, the most frequent ones."""
NEWEST_COMMENTS = 3
"""Comments that stand on a datalab's own page; all of them have a page of their own."""
ICON_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""An icon is somebody's file: opened by itself, it may draw and nothing else."""


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """List the datalabs that fit the query string."""
    filters = FilterForm(request.GET).filters()
    found: Any = queries.catalogue(filters, request.user)  # counted and sliced, which is all that pages need
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    counted = queries.facets()
    context = {
        "page": page,
        "filters": filters,
        "tags": [(one.name, one.number) for one in counted["tag"][:TAGS]],
        "facets": [_choices(filters, name, label, counted[name]) for name, label in FACETS.items()],
        "kinds": rules.KINDS,
        "sorts": tuple(queries.SORTS),
        "drafts": queries.with_drafts_of(request.user),
    }
    return render(request, "datalabs/catalogue.html", context)


def _choices(
    filters: queries.Filters, name: str, label: str, values: Sequence[queries.Value]
) -> tuple[str, str, str, list[queries.Value]]:
    """Return what a select of the form needs; what was asked for is among its choices even if nothing has it."""
    wanted = getattr(filters, name)
    asked = file_type(wanted) if name == "opens" else wanted
    chosen = next((one.name for one in values if one.name.casefold() == asked.casefold()), asked)
    offered = sorted(sorted(values, key=lambda one: -one.number)[:MOST_CHOICES], key=values.index)
    if chosen and chosen not in {one.name for one in offered}:
        offered.insert(0, queries.Value(chosen, facet_title(name, chosen), 0))
    return name, label, chosen, offered


@require_safe
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one datalab."""
    found = queries.datalab(slug, request.user)
    newest, drafts = queries.preferred(queries.versions_of(found)), queries.drafts_of(found)
    context = {
        "datalab": found,
        "newest": newest,
        "formats": FORMATS.values(),
        "opens": rules.Opens.from_json(newest.opens),
        "trouble": queries.trouble_of(newest),
        "lineage": queries.lineage_of(request.user, newest, *queries.versions_of(found)),
        "derives": queries.may_author(request.user),
        "reference": _reference(request, newest),
        "threads": queries.threads_of(newest),
        "drafts": [(one, queries.trouble_of(one), queries.threads_of(one)) for one in drafts],
        "standing": queries.standing_of(found),
        "discussed": queries.is_discussed(found),
        "moderates": feedback.may_moderate(request.user),
        "talk": feedback.newest(queries.subject_of(found), NEWEST_COMMENTS),
    }
    return render(request, "datalabs/detail.html", context)


def _reference(request: HttpRequest, version: DatalabVersion) -> Reference | None:
    """Say how a published version is cited; drafts are not."""
    if not version.is_frozen:
        return None
    address = request.build_absolute_uri(reverse("datalabs:detail", args=[version.datalab.slug]))
    return reference_of(queries.terms_of(version, address))


@require_safe
def icon(request: HttpRequest, slug: str) -> HttpResponse:
    """Send a datalab's icon as an image that can't act; a blank one, as an error, of what the person may not see."""
    found = queries.shown_to(request.user).filter(slug=slug).first()
    public = found is not None and queries.is_published(found)
    headers = {
        "Content-Security-Policy": ICON_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=86400" if public else "private, no-store",
    }
    drawn = found.icon if found else ""
    kind = "image/svg+xml; charset=utf-8"
    return HttpResponse(drawn or BLANK_ICON, content_type=kind, headers=headers, status=200 if found else 404)


BLANK_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect x="1" y="1" width="46" height="46" rx="6" '
    'fill="#e8ebea" stroke="#9aa5a8"/><circle cx="24" cy="24" r="10" fill="none" stroke="#4d686d" stroke-width="2"/>'
    '<path d="M24 6v8m0 20v8M6 24h8m20 0h8" stroke="#4d686d" stroke-width="2"/></svg>'
)
"""What stands in for an icon that a package doesn't have."""


@require_safe
def bookmarks(request: HttpRequest) -> HttpResponse:
    """List the datalabs that one has bookmarked."""
    found = queries.bookmarked(signed_in(request.user))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "datalabs/bookmarks.html", {"page": page})
