"""The operations of GA4GH WES 1.1 over runs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema

from spacelab import __version__
from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.runs import actions as run_actions
from spacelab.runs import queries as runs
from spacelab.runs.models import Run, RunJob
from spacelab.runs.wes import actions, intake, queries
from spacelab.runs.wes.rules import ENGINE, PARAMETERS, TYPE_VERSIONS, WES_VERSIONS, WesState, moment

info_router = Router(tags=["service info"])
"""Stands at the root of WES, for everybody."""
router = Router(tags=["workflow runs"])
"""Stands at `/runs` of WES."""

MOST = 200
USUAL = 50
MOST_TASKS_IN_LOG = 1000


class WesError(Schema):
    """Why something was refused."""

    msg: str
    status_code: int


class WesOrganization(Schema):
    """Who runs the service."""

    name: str
    url: str


class WesServiceType(Schema):
    """Which GA4GH service this is."""

    group: str
    artifact: str
    version: str


class WesTypeVersions(Schema):
    """Versions of a workflow language."""

    workflow_type_version: list[str]


class WesEngineVersions(Schema):
    """Versions of an engine."""

    workflow_engine_version: list[str]


class WesDefaultParameter(Schema):
    """A parameter of the engine with what it is where it is left out."""

    name: str
    type: str
    default_value: str


class WesServiceInfo(Schema):
    """What this service is and can do."""

    id: str
    name: str
    type: WesServiceType
    description: str
    organization: WesOrganization
    documentationUrl: str  # noqa: N815  the specification's name
    environment: str
    version: str
    workflow_type_versions: dict[str, WesTypeVersions]
    supported_wes_versions: list[str]
    supported_filesystem_protocols: list[str]
    workflow_engine_versions: dict[str, WesEngineVersions]
    default_workflow_engine_parameters: list[WesDefaultParameter]
    system_state_counts: dict[str, int]
    auth_instructions_url: str
    tags: dict[str, str]


class WesRunId(Schema):
    """The id of a run."""

    run_id: str


class WesRunStatus(Schema):
    """A run's state."""

    run_id: str
    state: WesState


class WesRunSummary(WesRunStatus):
    """A run in a list."""

    start_time: str | None
    end_time: str | None
    tags: dict[str, str]


class WesRunList(Schema):
    """A page of runs; an empty token says that there are no more."""

    runs: list[WesRunSummary]
    next_page_token: str


class WesLog(Schema):
    """What was carried out. The addresses of its logs need the same token."""

    name: str
    cmd: list[str]
    start_time: str | None
    end_time: str | None
    stdout: str | None
    stderr: str | None
    exit_code: int | None
    system_logs: list[str]


class WesTaskLog(WesLog):
    """One job of a run."""

    id: str
    tes_uri: str | None


class WesTaskList(Schema):
    """A page of jobs."""

    task_logs: list[WesTaskLog]
    next_page_token: str


class WesRunRequest(Schema):
    """What a run was asked for with."""

    workflow_params: dict[str, Any]
    workflow_type: str
    workflow_type_version: str
    tags: dict[str, str]
    workflow_engine_parameters: dict[str, str]
    workflow_engine: str
    workflow_engine_version: str
    workflow_url: str


class WesRunLog(Schema):
    """A run with all that is known of it."""

    run_id: str
    request: WesRunRequest
    state: WesState
    run_log: WesLog
    task_logs_url: str
    task_logs: list[WesTaskLog]
    outputs: dict[str, Any]


RUN_FORM = {
    "type": "object",
    "required": ["workflow_type", "workflow_type_version", "workflow_url"],
    "properties": {
        "workflow_params": {"type": "string", "description": "The job order as JSON."},
        "workflow_type": {"type": "string", "description": "CWL"},
        "workflow_type_version": {"type": "string", "description": "v1.0, v1.1 or v1.2"},
        "tags": {"type": "string", "description": "A JSON object of texts."},
        "workflow_engine": {"type": "string"},
        "workflow_engine_version": {"type": "string"},
        "workflow_engine_parameters": {"type": "string", "description": "A JSON object of texts."},
        "workflow_url": {
            "type": "string",
            "description": "An attachment's name, catalogue/<name>/<version>, or trs://<this host>/<name>/<version>.",
        },
        "workflow_attachment": {"type": "array", "items": {"type": "string", "format": "binary"}},
    },
}
BODY = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": RUN_FORM}}}}


def _portal(path: str) -> str:
    return f"{settings.SPACELAB.portal_url}{path}"


@info_router.get("/service-info", response=WesServiceInfo, operation_id="GetServiceInfo", summary="This service")
def service_info(request: HttpRequest) -> dict[str, Any]:
    """Say what this service is and can do; with a token, how many of one's runs are in which state."""
    host = intake.hosts()
    person = request.user if isinstance(request.user, Person) else None
    profile = runs.profiles()[0].name
    return {
        "id": ".".join(reversed(min(host, key=len).split("."))) + ".wes",
        "name": "Spacelab",
        "type": {"group": "org.ga4gh", "artifact": "wes", "version": WES_VERSIONS[-1]},
        "description": "Runs CWL pipelines next to the data of this platform.",
        "organization": {"name": "Spacelab", "url": _portal("/")},
        "documentationUrl": _portal("/api/docs"),
        "environment": "production",
        "version": __version__,
        "workflow_type_versions": {"CWL": {"workflow_type_version": list(TYPE_VERSIONS)}},
        "supported_wes_versions": list(WES_VERSIONS),
        "supported_filesystem_protocols": ["file"],
        "workflow_engine_versions": {ENGINE: {"workflow_engine_version": [__version__]}},
        "default_workflow_engine_parameters": [
            {"name": name, "type": "string", "default_value": profile if name == "profile" else ""}
            for name in PARAMETERS
        ],
        "system_state_counts": queries.state_counts(person) if person else {},
        "auth_instructions_url": _portal("/account/tokens/"),
        "tags": {},
    }


@router.get("", response=WesRunList, operation_id="ListRuns", summary="Runs")
def list_wes_runs(request: HttpRequest, page_size: int = USUAL, page_token: str = "") -> dict[str, Any]:
    """List the runs that you see, newest first, however they were launched."""
    found, token = queries.runs_page(signed_in(request.user), _size(page_size), page_token)
    return {"runs": [_summary(run) for run in found], "next_page_token": token}


@router.post("", response=WesRunId, operation_id="RunWorkflow", summary="Launch a run", openapi_extra=BODY)
def run_workflow(request: HttpRequest) -> dict[str, str]:
    """Launch a pipeline of the catalogue, or documents that come with the request: those run as a private draft."""
    person = signed_in(request.user)
    fields, attached = intake.parts_of(request)
    return {"run_id": actions.launch(by=person, fields=fields, attached=attached).pk}


@router.get("/{run_id}", response=WesRunLog, operation_id="GetRunLog", summary="One run")
def get_wes_run(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Show a run with its request, its first thousand jobs and its outputs."""
    run = runs.find_seen(signed_in(request.user), run_id)
    jobs, _ = queries.tasks_page(run, MOST_TASKS_IN_LOG, "")
    return {
        "run_id": run.pk,
        "request": _request(run),
        "state": queries.wes_state(run),
        "run_log": _run_log(run),
        "task_logs_url": _portal(f"/ga4gh/wes/v1/runs/{run.pk}/tasks"),
        "task_logs": [_task(run, job) for job in jobs],
        "outputs": run.outputs,
    }


@router.get("/{run_id}/status", response=WesRunStatus, operation_id="GetRunStatus", summary="A run's state")
def get_wes_status(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Say in which state a run is."""
    run = runs.find_seen(signed_in(request.user), run_id)
    return {"run_id": run.pk, "state": queries.wes_state(run)}


@router.post("/{run_id}/cancel", response=WesRunId, operation_id="CancelRun", summary="Cancel a run")
def cancel_run(request: HttpRequest, run_id: str) -> dict[str, str]:
    """Ask for a run to end; again, or after its end, nothing changes."""
    return {"run_id": run_actions.stop(by=signed_in(request.user), run_id=run_id).pk}


@router.get("/{run_id}/tasks", response=WesTaskList, operation_id="ListTasks", summary="A run's jobs")
def list_tasks(request: HttpRequest, run_id: str, page_size: int = USUAL, page_token: str = "") -> dict[str, Any]:
    """List the jobs of a run in the order in which they began."""
    run = runs.find_seen(signed_in(request.user), run_id)
    found, token = queries.tasks_page(run, _size(page_size), page_token)
    return {"task_logs": [_task(run, job) for job in found], "next_page_token": token}


@router.get("/{run_id}/tasks/{path:task_id}", response=WesTaskLog, operation_id="GetTask", summary="One job")
def get_task(request: HttpRequest, run_id: str, task_id: str) -> dict[str, Any]:
    """Show one job of a run."""
    run = runs.find_seen(signed_in(request.user), run_id)
    return _task(run, runs.find_job(run, task_id))


def _size(wanted: int) -> int:
    return min(max(wanted, 1), MOST)


def _summary(run: Run) -> dict[str, Any]:
    asked = getattr(run, "wes", None)
    return {
        "run_id": run.pk,
        "state": queries.wes_state(run),
        "start_time": moment(run.started_at),
        "end_time": moment(run.ended_at),
        "tags": asked.tags if asked else {},
    }


def _request(run: Run) -> dict[str, Any]:
    asked = queries.request_of(run)
    return {
        "workflow_params": asked.params if asked else run.job,
        "workflow_type": "CWL",
        "workflow_type_version": asked.type_version if asked else TYPE_VERSIONS[-1],
        "tags": asked.tags if asked else {},
        "workflow_engine_parameters": asked.parameters if asked else {"profile": run.profile},
        "workflow_engine": ENGINE,
        "workflow_engine_version": __version__,
        "workflow_url": asked.workflow_url if asked else f"catalogue/{run.pipeline_slug}/{run.version_number}.cwl",
    }


def _run_log(run: Run) -> dict[str, Any]:
    code = {WesState.COMPLETE: 0, WesState.EXECUTOR_ERROR: 1}.get(queries.wes_state(run))
    return {
        "name": run.title,
        "cmd": [],
        "start_time": moment(run.started_at),
        "end_time": moment(run.ended_at),
        "stdout": None,
        "stderr": _portal(f"/api/v1/runs/{run.pk}/log"),
        "exit_code": code,
        "system_logs": [one for one in (f"{run.reason} {run.advice}".strip(),) if one],
    }


def _task(run: Run, job: RunJob) -> dict[str, Any]:
    log = _portal(f"/api/v1/runs/{run.pk}/log?job={quote(job.job, safe='')}&stream=")
    return {
        "id": job.job,
        "name": job.step,
        "cmd": [str(one) for one in job.command],
        "start_time": moment(job.started_at),
        "end_time": moment(job.ended_at),
        "stdout": f"{log}stdout",
        "stderr": f"{log}stderr",
        "exit_code": job.exit_code,
        "system_logs": [one for one in (f"{job.reason} {job.advice}".strip(),) if one],
        "tes_uri": None,
    }
