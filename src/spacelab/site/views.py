"""The front page: what Spacelab is, for a visitor; where one left off, for somebody signed in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import select_template
from django.views.decorators.http import require_safe

from spacelab.accounts.models import Person
from spacelab.datalabs import queries as datalabs
from spacelab.sessions.models import LaunchChoice, Session
from spacelab.volumes import queries as volumes
from spacelab.workloads.rules import FINAL

FEATURED = 3
"""Datalabs on the front page."""

RECENT = 3
"""Datalabs that a person launched last, on her start page."""

ARCHIVES = 8
"""Archives named on the front page."""


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Show the start page to somebody signed in, the landing page to a visitor."""
    if isinstance(request.user, Person):
        return _start(request, request.user)
    archives = volumes.visible_to(request.user).order_by("title")
    context = {
        "featured": datalabs.catalogue(datalabs.Filters(sort="newest"))[:FEATURED],
        "datalab_count": datalabs.published().count(),
        "archives": archives[:ARCHIVES],
        "archive_count": archives.count(),
        "missions": archives.exclude(mission="").values("mission").distinct().order_by("mission").count(),
    }
    return render(request, "site/landing.html", context)


def _start(request: HttpRequest, person: Person) -> HttpResponse:
    running = (
        Session.objects.filter(owner=person)
        .exclude(workload__phase__in=[str(phase) for phase in FINAL])
        .select_related("workload", "version__datalab")
        .order_by("-workload__created_at")
    )
    last = list(
        LaunchChoice.objects.filter(person=person).order_by("-at").values_list("datalab_id", flat=True)[:RECENT]
    )
    known = {one.pk: one for one in datalabs.published(person).filter(pk__in=last)}
    recent = [known[key] for key in last if key in known]
    context = {
        "sessions": running,
        "running_template": select_template(["sessions/_running.html", "site/_running.html"]),
        "recent": recent,
        "first": not last and not running,
        "suggested": [] if recent else datalabs.published(person)[:FEATURED],
        "archives": volumes.visible_to(person).order_by("title")[:ARCHIVES],
    }
    return render(request, "site/start.html", context)
