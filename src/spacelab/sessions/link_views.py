"""Pages that links from elsewhere lead to: a launch that asks first, its badge, and what a file can be opened with."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.datalabs import queries as datalab_queries
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.kit.refusals import NotFound, NotSignedIn, Refusal
from spacelab.publishing.rules.facets import facet_title, file_type_of
from spacelab.sessions import actions, queries
from spacelab.sessions.forms import LinkForm
from spacelab.sessions.links import LONGEST, Link, draw_badge, read_link
from spacelab.sessions.permissions import SessionPermission
from spacelab.volumes.queries import visible_to

BADGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
BADGE_AGE = 3600
"""Seconds for which others may keep a badge."""
MOST_OPENERS = 24


@require_http_methods(["GET", "HEAD", "POST"])
def launch_link(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask whether to launch what a link names; nothing starts before somebody says yes here."""
    link = read_link(
        version=request.GET.get("version", ""),
        volumes=request.GET.getlist("volume"),
        files=request.GET.getlist("file"),
    )
    if not isinstance(request.user, Person):
        return _ask_visitor(request, slug, link)
    person = request.user
    require(person, SessionPermission.LAUNCH)
    datalab = queries.find_datalab(person, slug)
    version = queries.version_named(person, datalab, link.version)
    form = LinkForm(request.POST or None, person=person, datalab=datalab)
    volumes = _volumes(person, version, link)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                session = actions.launch(
                    by=person,
                    datalab_slug=slug,
                    version=version.version,
                    profile=form.cleaned_data["profile"],
                    volumes=volumes,
                    teams=[],
                    opens=link.files or None,
                )
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                return redirect("lab_sessions:detail", session.id)
    context = {**_context(datalab, version, link), "form": form, "volumes": volumes}
    return render(request, "sessions/link.html", context, status=status)


def _ask_visitor(request: HttpRequest, slug: str, link: Link) -> HttpResponse:
    """Show a visitor what is for everybody; whether there is anything else she learns once she has signed in."""
    try:
        datalab = datalab_queries.datalab(slug, request.user)
    except NotFound as none:
        raise NotSignedIn("This needs an account.", advice="Sign in, or request access.") from none
    versions = datalab_queries.versions_of(datalab)
    version = next((one for one in versions if one.version == link.version), None)
    if version is None and link.version:
        raise NotSignedIn("This needs an account.", advice="Sign in, or request access.")
    next_page = urlencode({"next": request.get_full_path()})
    context = _context(datalab, version or datalab_queries.preferred(versions), link)
    context |= {"first": f"{reverse('accounts:sign-in')}?{next_page}", "volumes": link.volumes}
    return render(request, "sessions/link.html", context)


def _context(datalab: Datalab, version: DatalabVersion, link: Link) -> dict[str, Any]:
    return {
        "datalab": datalab,
        "version": version,
        "trouble": datalab_queries.trouble_of(version),
        "link": link,
    }


def _volumes(person: Person, version: DatalabVersion, link: Link) -> list[str]:
    """Return the volumes of the link, beside those of the version that the person may use."""
    allowed = {one.name for one in visible_to(person)}
    return list(dict.fromkeys([*(one for one in version.default_volumes if one in allowed), *link.volumes]))


@require_safe
def badge(_request: HttpRequest, slug: str) -> HttpResponse:
    """Send the badge of a launch link; a grey one, as an error, for what is not for everybody."""
    found = datalab_queries.published().filter(slug=slug).first()
    headers = {
        "Content-Security-Policy": BADGE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": f"public, max-age={BADGE_AGE}" if found else "no-store",
    }
    drawn = draw_badge(found.title if found else "")
    return HttpResponse(
        drawn, content_type="image/svg+xml; charset=utf-8", headers=headers, status=200 if found else 404
    )


@require_safe
def open_with(request: HttpRequest) -> HttpResponse:
    """List the datalabs that open a file of this name, the most used first."""
    path = request.GET.get("file", "")[:LONGEST]
    kind = file_type_of(path)
    filters = datalab_queries.Filters(opens=kind, sort="popularity")
    found = datalab_queries.catalogue(filters, request.user)[:MOST_OPENERS] if kind else []
    context = {"path": path, "kind": kind, "title": facet_title("opens", kind) if kind else "", "datalabs": found}
    return render(request, "sessions/open_with.html", context)
