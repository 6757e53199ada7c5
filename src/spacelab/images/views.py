"""Pages about whole images and environments, for operators."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require, signed_in
from spacelab.images import papers, queries, shelf
from spacelab.images.actions import look_up_again
from spacelab.images.permissions import ImagePermission
from spacelab.kit.files import attachment
from spacelab.kit.refusals import NotFound

KINDS = {"contents": shelf.CONTENTS, "vulnerabilities": shelf.REPORT, "provenance": shelf.PROVENANCE}
MOST_LICENCES = 12
"""Licences that the page shows; the list of contents has all."""


def _operator(request: HttpRequest) -> Person:
    person = signed_in(request.user)
    require(person, ImagePermission.MANAGE_ANY)
    return person


@require_safe
def every(request: HttpRequest) -> HttpResponse:
    """List the platform's images and environments with what is known about each, for operators."""
    _operator(request)
    now, database = timezone.now(), queries.known_database()
    context = {
        "subjects": papers.subjects_with_papers(),
        "database": database,
        "days": database.days_old(now) if database else None,
        "old": queries.is_old(database, now) if database else False,
        "gate": queries.gate(),
    }
    return render(request, "images/list.html", context)


@require_safe
def detail(request: HttpRequest, key: str) -> HttpResponse:
    """Show what an image or environment contains, which vulnerabilities are known, and where it comes from."""
    _operator(request)
    found = papers.find(key)
    decision = queries.judge(found.report) if found.report else None
    licences = list(found.contents.licences.items()) if found.contents else []
    context = {
        "subject": found,
        "decision": decision,
        "passed": queries.passes(found.report, decision) if found.report and decision else None,
        "age_warning": queries.age_warning(found.report) if found.report else "",
        "licences": licences[:MOST_LICENCES],
        "more_licences": max(len(licences) - MOST_LICENCES, 0),
        "provenance": papers.origin_of(key),
    }
    return render(request, "images/detail.html", context)


@require_POST
def look_up(request: HttpRequest, key: str) -> HttpResponse:
    """Look the packages up in the database as it is now."""
    look_up_again(by=_operator(request), key=key)
    return redirect("images:detail", key)


@require_safe
def paper(request: HttpRequest, key: str, kind: str) -> HttpResponseBase:
    """Hand out one of the papers as a file."""
    _operator(request)
    file = shelf.paper(key, KINDS[kind]) if kind in KINDS else None
    if file is None or not file.exists():
        raise NotFound("There is no such paper.", advice="It is made when the image or environment is scanned.")
    return attachment(request, file.open("rb"), file.name, "application/json")
