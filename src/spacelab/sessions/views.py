"""Pages of sessions: launch form, a thread's form, list, one session, its stream, and the buttons on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require, signed_in
from spacelab.builds import queries as build_queries
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.queries import trouble_of
from spacelab.kit import sse
from spacelab.kit.refusals import Invalid, NotSignedIn, Refusal
from spacelab.sessions import actions, live, progress, queries
from spacelab.sessions.forms import Chosen, ExtendForm, LaunchForm, ThreadForm
from spacelab.sessions.models import Session
from spacelab.sessions.permissions import SessionPermission
from spacelab.workloads.queries import capabilities, controller_is_running

PER_PAGE = 50
LOG_DOWNLOAD_BYTES = 4 * 2**20
"""The end of a log that can be saved; the rest stays with the runtime."""


@require_http_methods(["GET", "HEAD", "POST"])
def launch(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose and launch; a refusal stands at its field and the form keeps what was entered."""
    person = signed_in(request.user)
    require(person, SessionPermission.LAUNCH)
    datalab = queries.find_datalab(person, slug)
    version = queries.version_named(person, datalab, request.GET.get("version"))
    form = LaunchForm(
        request.POST or None,
        person=person,
        datalab=datalab,
        version=version,
        wanted=request.GET.getlist("volumes"),
        opens=[path for path in request.GET.getlist("open") if path],
    )

    def begin(chosen: dict[str, Any]) -> Session:
        return actions.launch(
            by=person,
            datalab_slug=slug,
            version=chosen.get("version") or version.version,
            profile=chosen["profile"],
            volumes=chosen.get("volumes", []),
            teams=chosen.get("teams", []),
            title=chosen["title"],
            opens=form.opens,
        )

    begun, status = _begin(request, form, begin)
    if begun is not None:
        return begun
    context = {
        "datalab": datalab,
        "version": version,
        "trouble": trouble_of(version),
        **_absence(person, version),
        "form": form,
        "shares": queries.shares(person),
        "capabilities": capabilities(),
        "policy": queries.idle_policy(),
    }
    return render(request, "sessions/launch.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def thread(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Enter a processing thread's inputs and run it; a refusal stands at its field."""
    person = signed_in(request.user)
    require(person, SessionPermission.LAUNCH)
    datalab = queries.find_datalab(person, slug)
    version = queries.version_named(person, datalab, request.GET.get("version"))
    found = queries.thread_named(version, name)
    form = ThreadForm(request.POST or None, person=person, version=version, thread=found)

    def begin(chosen: dict[str, Any]) -> Session:
        return actions.run_thread(
            by=person,
            datalab_slug=slug,
            version=version.version,
            thread=name,
            inputs=form.inputs,
            profile=chosen["profile"],
        )

    begun, status = _begin(request, form, begin)
    if begun is not None:
        return begun
    context = {
        "datalab": datalab,
        "version": version,
        "trouble": trouble_of(version),
        **_absence(person, version),
        "thread": found,
        "form": form,
        "shares": queries.shares(person),
        "hours": queries.thread_hours(),
    }
    return render(request, "sessions/thread.html", context, status=status)


def _absence(person: Person, version: DatalabVersion) -> dict[str, Any]:
    """Say whether the version has to be built again here, and whether this person may have that done."""
    absence = build_queries.absence_of(version)
    return {"absence": absence, "may_mend": absence is not None and build_queries.may_build_again(person, version)}


def _begin(
    request: HttpRequest, form: Chosen, begin: Callable[[dict[str, Any]], Session]
) -> tuple[HttpResponse | None, int]:
    """Do what a sent form asks for: return where to go, or else the status of the page with the form on it."""
    if request.method != "POST":
        return None, 200
    if not form.is_valid():
        return None, 422
    try:
        session = begin(form.cleaned_data)
    except Refusal as refusal:
        form.refuse(refusal)
        return None, refusal.status
    return redirect("lab_sessions:detail", session.id), 302


@require_POST
def relaunch(request: HttpRequest, slug: str) -> HttpResponse:
    """Launch with the choices of the last time, by one click."""
    session = actions.relaunch(by=signed_in(request.user), datalab_slug=slug)
    return redirect("lab_sessions:detail", session.id)


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """List the person's sessions."""
    person = signed_in(request.user)
    context = {
        "running": queries.running(person),
        "recent": queries.recent(person),
        "shares": queries.shares(person),
        "policy": queries.idle_policy(),
        "sees_all": SessionPermission.MANAGE_ANY,
    }
    return render(request, "sessions/list.html", context)


@require_safe
def everybodys(request: HttpRequest) -> HttpResponse:
    """List everybody's running sessions, for operators."""
    require(signed_in(request.user), SessionPermission.MANAGE_ANY)
    page = Paginator(queries.running(), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "sessions/all.html", {"page": page})


@require_safe
def detail(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show one session; the page of a restarted one leads to its successor, unless it is asked to stay."""
    person = signed_in(request.user)
    session = queries.find_seen(person, session_id)
    if session.restarted_as_id and session.owner_id == person.pk and "stay" not in request.GET:
        return redirect("lab_sessions:detail", session.restarted_as_id)
    context = {
        **progress.context_of(session, person),
        "inputs": queries.inputs_in_words(session),
        "mounts": queries.mounts_of(session),
        "controller_runs": controller_is_running(),
    }
    return render(request, "sessions/detail.html", context)


async def events(request: HttpRequest, session_id: str) -> StreamingHttpResponse:
    """Stream the pieces of a session's page."""
    person = await request.auser()
    if not isinstance(person, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in.")
    await sse.in_pool(queries.find_seen)(person, session_id)
    return sse.response(live.page_stream(person.pk, session_id, get_token(request)))


@require_safe
def log(request: HttpRequest, session_id: str) -> HttpResponse:
    """Send the end of a session's log as text."""
    session = queries.find_seen(signed_in(request.user), session_id)
    text = queries.log_since(session)[-LOG_DOWNLOAD_BYTES:].decode(errors="replace")
    headers = {"Content-Disposition": f'inline; filename="session-{session.id}.log"', "Cache-Control": "no-store"}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)


@require_POST
def stop(request: HttpRequest, session_id: str) -> HttpResponse:
    """Stop a session."""
    session = actions.stop(by=signed_in(request.user), session_id=session_id)
    return redirect("lab_sessions:detail", session.id)


@require_POST
def restart(request: HttpRequest, session_id: str) -> HttpResponse:
    """Stop a session and launch it again."""
    session = actions.restart(by=signed_in(request.user), session_id=session_id)
    return redirect("lab_sessions:detail", session.id)


@require_POST
def extend(request: HttpRequest, session_id: str) -> HttpResponse:
    """Keep an idle session longer."""
    person = signed_in(request.user)
    form = ExtendForm(request.POST)
    if not form.is_valid():
        queries.find_own(person, session_id)
        raise Invalid("That is not a number of hours.", advice="Choose one of the times offered.", field="hours")
    hours = form.cleaned_data["hours"]
    actions.extend(by=person, session_id=session_id, hours=hours)
    messages.success(request, f"This session is kept for {hours} hours at least.")
    return redirect("lab_sessions:detail", session_id)


@require_POST
def rename(request: HttpRequest, session_id: str) -> HttpResponse:
    """Give a session another title; a refusal is shown on its page."""
    try:
        actions.rename(by=signed_in(request.user), session_id=session_id, title=request.POST.get("title", ""))
    except Invalid as refusal:
        messages.error(request, f"{refusal.message} {refusal.advice}")
    return redirect("lab_sessions:detail", session_id)
