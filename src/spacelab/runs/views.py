"""Pages of runs: the list with its filters, logs as text, and the buttons on the pages of runs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in, teams_of
from spacelab.kit import sse
from spacelab.kit.files import attachment
from spacelab.kit.refusals import Conflict, Invalid
from spacelab.runs import actions, exporting, filters, folders, live, progress, queries
from spacelab.runs.permissions import RunPermission

PER_PAGE = 24
MOST_DIGITS = 6
"""Digits of a size that are believed."""


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """List runs, those that can be seen and fit the filters."""
    person = signed_in(request.user)
    wanted = filters.Filters.read(request.GET, person)
    page = Paginator(wanted.apply(person), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "cards": [progress.card_of(run, person) for run in page],
        "live": any(not run.is_final for run in page),
        "filters": wanted,
        "states": filters.STATES,
        "pipelines": filters.pipelines_of(person),
        "sees_all": RunPermission.MANAGE_ANY,
        "my_teams": list(teams_of(person)),
    }
    return render(request, "runs/list.html", context)


async def list_events(request: HttpRequest) -> StreamingHttpResponse:
    """Stream the cards of the list as they change."""
    person = signed_in(await request.auser())
    wanted = await sse.in_pool(filters.Filters.read)(request.GET, person)
    number = request.GET.get("page")

    def find(viewer: Person) -> list[Any]:
        return list(Paginator(wanted.apply(viewer), PER_PAGE).get_page(number))

    return sse.response(live.list_stream(person.pk, find))


@require_safe
def log(request: HttpRequest, run_id: str) -> HttpResponse:
    """Send as text what a job printed, or the coordinator where no job is named."""
    run = queries.find_seen(signed_in(request.user), run_id)
    name, stream = request.GET.get("job", ""), request.GET.get("stream", "stderr")
    if name:
        text = folders.read_log(run.pk, queries.find_job(run, name).job, stream, since=-folders.LARGEST_LOG)
    else:
        text = queries.log_of(run, folders.LARGEST_LOG).encode()
    headers = {"Content-Disposition": f'inline; filename="{run.pk}.log"', "Cache-Control": "no-store"}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)


@require_POST
def stop(request: HttpRequest, run_id: str) -> HttpResponse:
    """Stop a run."""
    actions.stop(by=signed_in(request.user), run_id=run_id)
    return redirect("runs:detail", run_id)


@require_POST
def pause(request: HttpRequest, run_id: str) -> HttpResponse:
    """Have a run begin no further jobs."""
    actions.pause(by=signed_in(request.user), run_id=run_id)
    return redirect("runs:detail", run_id)


@require_POST
def unpause(request: HttpRequest, run_id: str) -> HttpResponse:
    """Have a paused run go on."""
    actions.unpause(by=signed_in(request.user), run_id=run_id)
    return redirect("runs:detail", run_id)


@require_POST
def resume(request: HttpRequest, run_id: str) -> HttpResponse:
    """Go on with a run that failed, was stopped or interrupted."""
    actions.resume(by=signed_in(request.user), run_id=run_id)
    return redirect("runs:detail", run_id)


@require_POST
def rename(request: HttpRequest, run_id: str) -> HttpResponse:
    """Give a run another title, and choose the team that may look at it."""
    person = signed_in(request.user)
    try:
        actions.rename(by=person, run_id=run_id, title=request.POST.get("title", ""))
        actions.show_to(by=person, run_id=run_id, team=request.POST.get("team", ""))
    except Invalid as refusal:
        messages.error(request, f"{refusal.message} {refusal.advice}")
    return redirect("runs:detail", run_id)


@require_POST
def delete(request: HttpRequest, run_id: str) -> HttpResponse:
    """Remove an ended run; its outputs stay."""
    actions.delete(by=signed_in(request.user), run_id=run_id)
    messages.success(request, "The run was removed. Its outputs are still in your workspace.")
    return redirect("runs:list")


@require_http_methods(["GET", "HEAD"])
def crate(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """Show what goes into a run's crate, and send it as a zip once that is chosen."""
    person = signed_in(request.user)
    run = queries.find_seen(person, run_id)
    if "limit_mb" not in request.GET:
        context = {"run": run, "usual_mb": exporting.USUAL_MB, "largest_mb": exporting.LARGEST_MB}
        return render(request, "runs/crate.html", context)
    digits = request.GET["limit_mb"]
    wanted = exporting.Wanted(
        inputs="inputs" in request.GET,
        outputs="outputs" in request.GET,
        logs="logs" in request.GET,
        limit_mb=int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < MOST_DIGITS else -1,
    )
    try:
        made = exporting.export(by=person, run_id=run_id, wanted=wanted)
    except (Conflict, Invalid) as refusal:
        messages.error(request, f"{refusal.message} {refusal.advice}")
        return redirect("runs:crate", run_id)
    return attachment(request, made, f"{run.pk}.crate.zip", "application/zip")
