"""The testing tab of a version's authoring pages: evidence, its files, and another test."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.datalabs import queries as datalab_queries
from spacelab.datalabs.rules import Visibility
from spacelab.kit import sse
from spacelab.kit.refusals import NotFound, NotSignedIn
from spacelab.testing import actions, live, queries, showing

FILE_POLICY = "default-src 'none'; sandbox"
"""What a test kept comes from a stranger's program: opened by itself, it does nothing."""


@require_safe
def testing(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Show what launch tests found out about a version, and offer another one."""
    person = signed_in(request.user)
    found = queries.find_version(person, slug, version)
    evidence = list(queries.evidence_of(found)[: queries.SHOWN])
    context = {
        **datalab_queries.authoring_context(person, found, "testing"),
        "test": queries.open_test(found),
        "awaited": queries.is_awaited(found),
        "ended": queries.last_test(found),
        "evidence": queries.shown(evidence[0]) if evidence else None,
        "older": evidence[1:],
        "outdated": bool(evidence) and evidence[0].content_hash != found.content_hash,
        "may_test": queries.can_test(person, found),
        "may_launch": queries.can_launch(person, found),
    }
    return render(request, "testing/testing.html", context)


@require_POST
def again(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Begin another test of what was built."""
    person = signed_in(request.user)
    found = queries.find_version(person, slug, version)
    actions.test_again(by=person, version=found)
    messages.success(request, "The test has begun.")
    return redirect("testing:author-testing", slug, version)


@require_safe
async def events(request: HttpRequest, slug: str, version: str) -> StreamingHttpResponse:
    """Stream how far a test is."""
    person = await request.auser()
    if not isinstance(person, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in.")
    await sse.in_pool(queries.find_version)(person, slug, version)
    return sse.response(live.test_stream(person.pk, slug, version))


@require_safe
def file(request: HttpRequest, slug: str, version: str, evidence: int, name: str) -> HttpResponse:
    """Send a file that a test kept: the screenshot or the log."""
    found = queries.find_file(queries.find_version(signed_in(request.user), slug, version), evidence, name)
    headers = {
        "Content-Security-Policy": FILE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=3600",
    }
    return HttpResponse(found.read_bytes(), content_type=queries.FILES[name], headers=headers)


@require_safe
def picture(request: HttpRequest, slug: str, version: str, name: str) -> HttpResponse:
    """Send a picture of a published version that the visitor may see."""
    found = datalab_queries.seen_by(request.user).filter(datalab__slug=slug, version=version).first()
    file = showing.file_of(found, name) if found else None
    drawn = showing.read_picture(file) if file else b""
    if found is None or not drawn:
        raise NotFound("There is no such picture.", advice="Look at the datalab's page.")
    public = found.visibility == Visibility.EVERYBODY
    headers = {
        "Content-Security-Policy": FILE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=86400" if public else "private, no-store",
    }
    return HttpResponse(drawn, content_type="image/png", headers=headers)
