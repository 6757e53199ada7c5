"""Runs as JSON: launch, follow, control and remove; with jobs, logs and a stream of states."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from ninja import Query, Router, Schema, Status

from spacelab.accounts.queries import signed_in
from spacelab.kit import sse
from spacelab.kit.files import attachment
from spacelab.kit.parts import sends
from spacelab.runs import actions, exporting, folders, launchables, live, queries
from spacelab.runs.filters import Filters
from spacelab.runs.models import Run, RunJob

router = Router(tags=["runs"])
"""Stands at `/runs` of the API."""

MOST = 200
"""Runs of one answer at most."""
MOST_JOBS = 1000


class ListIn(Schema):
    """To what a list is narrowed, and where it begins; days are written 2026-01-31."""

    state: str = ""
    pipeline: str = ""
    whose: str = "mine"
    since: str = ""
    until: str = ""
    offset: int = 0


class ChoicesIn(Schema):
    """What every run has. Left out: the smallest profile, only the inputs' volumes, a new folder below results."""

    profile: str = ""
    volumes: list[str] = []
    teams: list[str] = []
    results: str = ""
    """The folder of the outputs, relative to the workspace: new or empty."""
    title: str = ""
    shown_to: str = ""
    """The team that may look at it."""


class RunIn(ChoicesIn):
    """What to launch: a pipeline of the catalogue, its newest version if none is named, and its job order."""

    pipeline: str
    version: str = ""
    job: dict[str, Any] = {}
    """Input → value, as in a CWL job order; files as `{"class": "File", "location": "/media/user/…"}`."""
    step: str = ""
    """The step that is run alone, with `job` holding its inputs."""


class RunAgainIn(ChoicesIn):
    """What changes when a run is repeated; a job order that is left out stays as it was."""

    job: dict[str, Any] | None = None
    step: str = ""


class RunStepOut(Schema):
    """One step: `jobs` counts its jobs by state, `count` is how many a scatter has in all."""

    id: str
    label: str
    state: str
    scatter: bool
    count: int | None
    jobs: dict[str, int]


class CrateIn(Schema):
    """What goes into a crate by value, up to so many MiB in all."""

    inputs: bool = False
    outputs: bool = True
    logs: bool = True
    limit_mb: int = exporting.USUAL_MB


class RunOut(Schema):
    """One run. `results` is the folder of its outputs, relative to the workspace."""

    id: str
    title: str
    owner: str
    pipeline: str
    version: str
    is_test: bool
    step: str
    state: str
    reason: str
    advice: str
    trouble: str
    attempt: int
    profile: str
    volumes: list[str]
    teams: list[str]
    shown_to: str
    results: str
    previous: str | None
    jobs: dict[str, int]
    disk_bytes: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cleaned_at: datetime | None


class RunDetail(RunOut):
    """One run with its steps, job order, outputs, and what was wrong."""

    job: dict[str, Any]
    outputs: dict[str, Any]
    steps: list[RunStepOut]
    problems: list[dict[str, Any]]


class JobOut(Schema):
    """One execution of a step. CPU in seconds, memory in bytes."""

    job: str
    step: str
    index: list[int] | None
    state: str
    tries: int
    command: list[str]
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    image: str
    exit_code: int | None
    cpu_seconds: float | None
    memory_bytes: int | None
    started_at: datetime | None
    ended_at: datetime | None
    reason: str
    advice: str


def _out(run: Run) -> dict[str, Any]:
    return {
        "id": run.pk,
        "title": run.title,
        "owner": run.owner.username,
        "pipeline": run.pipeline_slug,
        "version": run.version_number,
        "is_test": run.is_test,
        "step": run.only_step,
        "state": run.state,
        "reason": run.reason,
        "advice": run.advice,
        "trouble": run.trouble,
        "attempt": run.attempt,
        "profile": run.profile,
        "volumes": run.volumes,
        "teams": run.teams,
        "shown_to": run.team.slug if run.team else "",
        "results": run.results,
        "previous": run.previous_id,
        "jobs": run.totals,
        "disk_bytes": run.disk_bytes,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "cleaned_at": run.cleaned_at,
    }


def _detail(run: Run) -> dict[str, Any]:
    return {**_out(run), "job": run.job, "outputs": run.outputs, "steps": run.steps, "problems": run.problems}


def _chosen(wanted: ChoicesIn) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in ChoicesIn.model_fields}


@router.get("", response=list[RunOut], operation_id="list_runs", summary="Runs")
def list_runs(request: HttpRequest, asked: Query[ListIn]) -> list[dict[str, Any]]:
    """List your runs, newest first; `whose=team` those shown to your teams, `state=unfinished` those at work."""
    person = signed_in(request.user)
    first = min(max(asked.offset, 0), 10**9)
    found = Filters.read({name: str(value) for name, value in asked}, person).apply(person)
    return [_out(one) for one in found[first : first + MOST]]


@router.post("", response={201: RunDetail}, operation_id="launch_run", summary="Launch a pipeline")
def launch_run(request: HttpRequest, wanted: RunIn, response: HttpResponse) -> Status[dict[str, Any]]:
    """Launch a pipeline. The answer comes at once: follow the events from there."""
    person = signed_in(request.user)
    found = launchables.of_catalogue(person, wanted.pipeline, wanted.version, only_step=wanted.step)
    run = actions.launch(by=person, wanted=found, job=wanted.job, **_chosen(wanted))
    response["Location"] = reverse("api:get_run", args=[run.pk])
    return Status(201, _detail(queries.find_own(person, run.pk)))


@router.get("/{run_id}", response=RunDetail, operation_id="get_run", summary="One run")
def get_run(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Show one run with its steps, job order and outputs."""
    return _detail(queries.find_seen(signed_in(request.user), run_id))


@router.delete("/{run_id}", response={204: None}, operation_id="remove_run", summary="Remove a run")
def remove_run(request: HttpRequest, run_id: str) -> Status[None]:
    """Remove an ended run with its log and step folders; its outputs in the workspace stay."""
    actions.delete(by=signed_in(request.user), run_id=run_id)
    return Status(204, None)


@router.post("/{run_id}/again", response={201: RunDetail}, operation_id="repeat_run", summary="Run it again")
def repeat_run(request: HttpRequest, run_id: str, wanted: RunAgainIn, response: HttpResponse) -> Status[dict[str, Any]]:
    """Run the same documents again, with changes or one step alone; unchanged steps are reused."""
    person = signed_in(request.user)
    run = queries.find_seen(person, run_id)
    found = launchables.of_run(person, run, only_step=wanted.step)
    job = run.job if wanted.job is None else wanted.job
    again = actions.launch(by=person, wanted=found, job=job, **_chosen(wanted))
    response["Location"] = reverse("api:get_run", args=[again.pk])
    return Status(201, _detail(queries.find_own(person, again.pk)))


@router.post("/{run_id}/stop", response={202: RunOut}, operation_id="stop_run", summary="Stop a run")
def stop_run(request: HttpRequest, run_id: str) -> Status[dict[str, Any]]:
    """Ask for a run to end; again, or after its end, nothing changes."""
    return Status(202, _out(actions.stop(by=signed_in(request.user), run_id=run_id)))


@router.post("/{run_id}/pause", response=RunOut, operation_id="pause_run", summary="Pause a run")
def pause_run(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Have a run begin no further jobs; those at work end as they would."""
    return _out(actions.pause(by=signed_in(request.user), run_id=run_id))


@router.post("/{run_id}/unpause", response=RunOut, operation_id="unpause_run", summary="Let a paused run go on")
def unpause_run(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Have a paused run begin jobs again."""
    return _out(actions.unpause(by=signed_in(request.user), run_id=run_id))


@router.post("/{run_id}/resume", response={202: RunOut}, operation_id="resume_run", summary="Resume or retry a run")
def resume_run(request: HttpRequest, run_id: str) -> Status[dict[str, Any]]:
    """Go on with a run that failed, was stopped or interrupted: finished jobs are not repeated."""
    return Status(202, _out(actions.resume(by=signed_in(request.user), run_id=run_id)))


@router.get("/{run_id}/jobs", response=list[JobOut], operation_id="list_jobs", summary="A run's jobs")
def list_jobs(request: HttpRequest, run_id: str, step: str = "", offset: int = 0) -> list[RunJob]:
    """List a run's jobs, or those of one step, in the order in which they began; a thousand at a time."""
    run = queries.find_seen(signed_in(request.user), run_id)
    first = min(max(offset, 0), 10**9)
    return list(queries.jobs_of(run, step)[first : first + MOST_JOBS])


@router.get("/{run_id}/log", operation_id="get_run_log", summary="A log", openapi_extra=sends("text/plain"))
def get_run_log(
    request: HttpRequest, run_id: str, job: str = "", stream: str = "stderr", since: int = 0
) -> HttpResponse:
    """Send what a job printed to `stderr` or `stdout` from byte `since` on; without a job, the coordinator's log.

    `X-Next-Since` says where to go on.
    """
    run = queries.find_seen(signed_in(request.user), run_id)
    since = min(max(since, 0), 2**62)
    if job:
        printed = folders.read_log(run.pk, queries.find_job(run, job).job, stream, since)
    else:
        printed = queries.log_of(run, folders.LARGEST_LOG).encode()[since:]
    answer = HttpResponse(printed, content_type="text/plain; charset=utf-8")
    answer["X-Next-Since"] = str(since + len(printed))
    answer["Cache-Control"] = "no-store"
    return answer


@router.get(
    "/{run_id}/events",
    operation_id="follow_run",
    summary="A run's state as it changes",
    openapi_extra=sends("text/event-stream"),
)
def follow_run(request: HttpRequest, run_id: str) -> StreamingHttpResponse:
    """Stream server-sent events: `state` with state, reason, attempt and jobs by state at each change, then `end`."""
    person = signed_in(request.user)
    return sse.response(live.state_stream(person.pk, queries.find_seen(person, run_id).pk))


@router.get("/{run_id}/crate", operation_id="export_run", summary="A crate", openapi_extra=sends("application/zip"))
def export_run(request: HttpRequest, run_id: str, wanted: Query[CrateIn]) -> HttpResponseBase:
    """Send an ended run as a Workflow Run RO-Crate; files that don't go along, or don't fit, are referred to."""
    made = exporting.export(by=signed_in(request.user), run_id=run_id, wanted=exporting.Wanted(**wanted.dict()))
    return attachment(request, made, f"{run_id}.crate.zip", "application/zip")
