"""Pages about archive volumes: what data there is, and what one volume holds."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from spacelab.kit.files import attachment
from spacelab.kit.refusals import Invalid, NotFound
from spacelab.volumes import listing, queries
from spacelab.volumes.rules import resolve_inside

LARGEST_DOWNLOAD = 100 * 2**20
"""Bytes; bigger files are there to be read in a session, next to the data."""


@require_safe
def archive_list(request: HttpRequest) -> HttpResponse:
    """List the volumes that the visitor may use, by domain."""
    volumes = queries.visible_to(request.user)
    domains = sorted({one.domain for one in volumes if one.domain})
    domain = request.GET.get("domain", "")
    if domain:
        volumes = volumes.filter(domain=domain)
    return render(request, "volumes/list.html", {"volumes": volumes, "domains": domains, "domain": domain})


@require_safe
def detail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one volume: its README, its facts, its notebooks, its files."""
    volume = queries.get_visible(request.user, name)
    root = Path(volume.path)
    inside = request.GET.get("path", "").strip("/")
    try:
        found = listing.entries(root, inside)
        notebooks = listing.entries(root, "Example_Notebooks") if (root / "Example_Notebooks").is_dir() else []
        text = listing.readme(root) if not inside else ""
    except OSError as error:
        raise NotFound("This volume can't be read at the moment.", advice="Tell an operator.") from error
    context = {
        "volume": volume,
        "entries": found,
        "inside": inside,
        "parent": inside.rpartition("/")[0],
        "notebooks": [one for one in notebooks if one.name.endswith(".ipynb")],
        "uses": queries.uses_of(volume),
        "readme": mark_safe(text),  # noqa: S308  markdown-it made it with raw HTML switched off
    }
    return render(request, "volumes/detail.html", context)


@require_safe
def file(request: HttpRequest, name: str, inside: str) -> HttpResponseBase:
    """Hand out one file of a volume as an attachment; raise `Invalid` for one that is too big to download."""
    volume = queries.get_visible(request.user, name)
    found = resolve_inside(Path(volume.path), inside)
    hidden = any(part.startswith(".") for part in Path(inside).parts)
    if not found.is_file() or hidden or not listing.readable_in_sessions(Path(volume.path), found):
        raise NotFound("There is no such file in this volume.", advice="Go back to the volume.")
    if found.stat().st_size > LARGEST_DOWNLOAD:
        raise Invalid("This file is too big to download here.", advice="Open it in a session, next to the data.")
    return attachment(request, found.open("rb"), found.name)
