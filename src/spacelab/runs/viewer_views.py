"""Pages of what a run looks like: the run itself, its jobs, its files with previews, and two runs side by side."""

from __future__ import annotations

from hashlib import sha1
from pathlib import PurePosixPath

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.http import require_safe

from spacelab.accounts.queries import signed_in, teams_of
from spacelab.kit import sse
from spacelab.kit.files import attachment
from spacelab.runs import progress, queries, viewer_live
from spacelab.runs.rules import JobState
from spacelab.runs.viewing import page as parts
from spacelab.runs.viewing import previews, values
from spacelab.runs.viewing.bounded import Wanted
from spacelab.runs.viewing.comparing import compare as compared
from spacelab.runs.viewing.jobs import job_context
from spacelab.runs.viewing.tables import PAGE_ROWS
from spacelab.workloads.queries import controller_is_running

JOBS_PER_PAGE, JOBS_PER_PANEL = 100, 25
FILES_PER_PAGE = 100
LARGEST_NUMBER = 10**9
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""What a run left comes from a stranger's program: opened by itself, it does nothing."""


def _is_part(request: HttpRequest) -> bool:
    """Say whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


@require_safe
def detail(request: HttpRequest, run_id: str) -> HttpResponse:
    """Show one run: what failed, why and what to do first, then its graph, steps, log, timeline and outputs."""
    person = signed_in(request.user)
    run = queries.find_seen(person, run_id)
    context = {
        **progress.context_of(run, person),
        "my_teams": list(teams_of(person)) if run.owner_id == person.pk else [],
        "others_of_pipeline": queries.comparable(person, run),
        "seen": viewer_live.seen_of(run),
        "controller_runs": controller_is_running(),
    }
    return render(request, "runs/detail.html", context)


async def events(request: HttpRequest, run_id: str) -> StreamingHttpResponse:
    """Stream the pieces of a run's page."""
    person = signed_in(await request.auser())
    await sse.in_pool(queries.find_seen)(person, run_id)
    return sse.response(viewer_live.page_stream(person.pk, run_id, get_token(request), request.GET.get("seen", "")))


@require_safe
def jobs(request: HttpRequest, run_id: str) -> HttpResponse:
    """List the jobs of a run, or of one of its steps; as a part of the run's page where that asks."""
    run = queries.find_seen(signed_in(request.user), run_id)
    step, state = request.GET.get("step", ""), request.GET.get("state", "")
    found = queries.jobs_of(run, step).defer("inputs", "command", "outputs")
    counted = next((one.get("jobs", {}) for one in run.steps if one["id"] == step), {}) if step else run.totals
    counts = [("", sum(counted.values())), *((str(one), counted[one]) for one in JobState if counted.get(one))]
    if state:
        found = found.filter(state=state)
    context = {
        "run": run,
        "step": step,
        "state": state,
        "counts": counts,
        "total": sum(counted.values()),
        "page": Paginator(found, JOBS_PER_PANEL if _is_part(request) else JOBS_PER_PAGE).get_page(
            request.GET.get("page")
        ),
    }
    return render(request, "runs/_jobs_panel.html" if _is_part(request) else "runs/jobs.html", context)


@require_safe
def job(request: HttpRequest, run_id: str, name: str = "") -> HttpResponse:
    """Show one job: its command, inputs, outputs and what it prints."""
    person = signed_in(request.user)
    run = queries.find_seen(person, run_id)
    found = queries.find_job(run, name or request.GET.get("name", ""))
    return render(request, "runs/job.html", job_context(run, found, person))


async def job_events(request: HttpRequest, run_id: str, name: str) -> StreamingHttpResponse:
    """Stream the pieces of a job's page."""
    person = signed_in(await request.auser())
    run = await sse.in_pool(queries.find_seen)(person, run_id)
    await sse.in_pool(queries.find_job)(run, name)
    return sse.response(viewer_live.job_stream(person.pk, run_id, name, get_token(request)))


@require_safe
def files(request: HttpRequest, run_id: str) -> HttpResponse:
    """List the files that a run left in its owner's workspace."""
    person = signed_in(request.user)
    run = queries.find_seen(person, run_id)
    if not queries.may_open(person, run):
        raise queries.NO_SUCH_FILE
    found = queries.results_of(run)
    context = {
        "run": run,
        "mine": run.owner_id == person.pk,
        "page": Paginator(found, FILES_PER_PAGE).get_page(request.GET.get("page")),
        "cut": len(found) >= queries.MOST_RESULTS,
    }
    return render(request, "runs/files.html", context)


@require_safe
def file(request: HttpRequest, run_id: str, path: str) -> HttpResponse:
    """Show a file that a run left, as far as it can be shown safely; as a part of the run's page where that asks."""
    person = signed_in(request.user)
    run = queries.find_seen(person, run_id)
    wanted = _wanted(request.GET)
    with queries.open_result(person, run, path) as opened:
        name = PurePosixPath(path).name
        preview = previews.preview_of(name, opened, wanted, uid=settings.SPACELAB.workload_uid)
    known = (one for one in values.files_in(run.outputs) if values.inside(one, run.results) == path)
    context = {
        "run": run,
        "path": path,
        "inside": f"{run.results}/{path}",
        "key": sha1(path.encode(), usedforsecurity=False).hexdigest()[:10],
        "preview": preview,
        "wanted": wanted,
        "stretches": previews.STRETCHES,
        "earlier": max(wanted.first - PAGE_ROWS, 0) or "",
        "checksum": next((str(one.get("checksum") or "") for one in known), ""),
        "mine": run.owner_id == person.pk,
    }
    return render(request, "runs/_preview.html" if _is_part(request) else "runs/file.html", context)


def _wanted(query: QueryDict) -> Wanted:
    """Read which part of a file is asked for; anything senseless is what is shown at first."""

    def number(name: str) -> int | None:
        given = query.get(name, "")
        return min(int(given), LARGEST_NUMBER) if given.isascii() and given.isdigit() and len(given) < 12 else None  # noqa: PLR2004  digits

    stretch = query.get("stretch", "")
    return Wanted(
        "",
        part=number("part"),
        plane=number("plane") or 1,
        stretch=stretch if stretch in previews.STRETCHES else previews.STRETCHES[0],
        first=number("first") or 0,
    )


@require_safe
def raw(request: HttpRequest, run_id: str, path: str) -> HttpResponseBase:
    """Send a file that a run left: pictures to be shown, everything else (and those on demand) to be saved."""
    person = signed_in(request.user)
    run = queries.find_seen(person, run_id)
    opened = queries.open_result(person, run, path)
    name = PurePosixPath(path).name
    kind, media_type = previews.kind_of(name, opened.read(previews.HEAD_BYTES))
    shown = kind is previews.Kind.PICTURE and "download" not in request.GET
    answer = attachment(request, opened, name, media_type if shown else "application/octet-stream")
    if shown:
        answer.headers["Content-Disposition"] = "inline"
    answer.headers["Content-Security-Policy"] = FILE_POLICY
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Show two runs side by side, what differs first."""
    person = signed_in(request.user)
    left = queries.find_seen(person, request.GET.get("left", ""))
    right = queries.find_seen(person, request.GET.get("right", ""))
    context = {
        "left": left,
        "right": right,
        "pair": (left, right),
        "comparison": compared(parts.side_of(left), parts.side_of(right)),
    }
    return render(request, "runs/compare.html", context)
