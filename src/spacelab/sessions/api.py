"""Sessions as JSON: launch, follow, extend and stop; with profiles, quota, log and a stream of phases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from ninja import Router, Schema, Status

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.kit import sse
from spacelab.kit.parts import sends
from spacelab.sessions import actions, live, progress, queries
from spacelab.sessions.models import Session
from spacelab.workloads import queries as workloads

router = Router(tags=["sessions"])
"""Stands at `/sessions` of the API."""

MOST = 200
"""Sessions of one answer at most."""

LOG_BYTES = 1024 * 1024
"""How much of a log one answer holds; ask again with `since` for more."""


class SessionIn(Schema):
    """What to launch. Left out: the newest version, no volume, no team's area, the datalab's name as the title."""

    datalab: str
    profile: str = ""
    volumes: list[str] = []
    teams: list[str] = []
    version: str = ""
    title: str = ""
    open: list[str] | None = None
    """Files to open, as paths inside; left out: what the datalab opens by itself."""
    thread: str = ""
    """The predefined processing thread to run instead of the application."""
    inputs: dict[str, str | int | float] = {}
    """The thread's inputs by name."""


class ExtendIn(Schema):
    """For how many hours from now a session is kept even without activity."""

    hours: int


class PhaseOut(Schema):
    """One change of phase, with its reason in plain words."""

    phase: str
    reason: str
    at: datetime


class UsageOut(Schema):
    """What a session uses: CPU seconds since its start, memory and scratch in bytes now."""

    cpu_seconds: float
    memory_bytes: int
    scratch_bytes: int


class ProfileOut(Schema):
    """A resource profile: CPU cores, memory and scratch in MiB."""

    name: str
    title: str
    cpu: float
    memory_mb: int
    scratch_mb: int
    network: str


class AmountOut(Schema):
    """A number of sessions, CPU cores and MiB of memory."""

    sessions: int
    cpu: float
    memory_mb: int


class QuotaOut(Schema):
    """What a person's sessions may take together, and what they take."""

    total: AmountOut
    used: AmountOut


class SessionOut(Schema):
    """One session. `url` is the interface at the session's own origin; `ends_at` when it ends if nobody uses it."""

    id: str
    title: str
    datalab: str
    version: str
    profile: str
    volumes: list[str]
    teams: list[str]
    open: list[str]
    thread: str
    inputs: dict[str, str]
    is_test: bool
    """Whether its version was not published when it was launched."""
    phase: str
    state: str
    reason: str
    trouble: str
    """What went wrong, in one word: image-missing, out-of-memory, crashed, unanswered, runtime-away, lost, or empty."""
    url: str
    created_at: datetime
    ready_at: datetime | None
    ended_at: datetime | None
    active_at: datetime
    keep_until: datetime | None
    ends_at: datetime | None
    restarted_as: str | None
    isolation: str
    """How this host keeps sessions apart: "sandbox", "container", or "none"."""
    usage: UsageOut


class SessionDetail(SessionOut):
    """One session with its phases, oldest first."""

    phases: list[PhaseOut]
    results: list[str]
    """Files that a processing thread has left, as paths in the workspace."""


def _out(session: Session) -> dict[str, Any]:
    workload, idleness = session.workload, queries.idleness_of(session)
    return {
        "id": session.id,
        "title": session.title,
        "datalab": session.datalab_slug,
        "version": session.version_number,
        "profile": session.profile,
        "open": session.opens,
        "thread": session.thread,
        "inputs": session.inputs,
        "is_test": session.is_test,
        "volumes": session.volumes,
        "teams": session.teams,
        "phase": workload.phase,
        "state": progress.badge_of(session).word,
        "reason": workload.reason,
        "trouble": workload.trouble,
        "url": queries.url_of(session),
        "created_at": workload.created_at,
        "ready_at": workload.ready_at,
        "ended_at": workload.ended_at,
        "active_at": queries.activity_of(session)[0],
        "keep_until": session.keep_until,
        "ends_at": idleness.ends_at if idleness else None,
        "restarted_as": session.restarted_as_id,
        "isolation": workloads.capabilities().isolation,
        "usage": {
            "cpu_seconds": workload.cpu_seconds,
            "memory_bytes": workload.memory_bytes,
            "scratch_bytes": workload.scratch_bytes,
        },
    }


def detail_of(session: Session) -> dict[str, Any]:
    """Describe a session with its phases to a program."""
    phases = [live.change_as_json(change) for change in workloads.changes(session.workload)]
    return {**_out(session), "phases": phases, "results": [one.inside for one in queries.results_of(session)]}


@router.get("/profiles", response=list[ProfileOut], operation_id="list_profiles", summary="The resource profiles")
def list_profiles(request: HttpRequest) -> Any:
    """List the resource profiles, smallest first."""
    signed_in(request.user)
    return list(queries.profiles())


@router.get("/quota", response=QuotaOut, operation_id="get_quota", summary="Your quota")
def get_quota(request: HttpRequest) -> dict[str, Any]:
    """Say what your sessions may take together, and what they take."""
    return {"total": queries.quota(), "used": queries.used_by(signed_in(request.user))}


@router.get("", response=list[SessionOut], operation_id="list_sessions", summary="Your sessions")
def list_sessions(request: HttpRequest, ended: bool = False) -> list[dict[str, Any]]:  # noqa: FBT001, FBT002  a query string
    """List your sessions, newest first; with `ended=true` also those that are over."""
    person = signed_in(request.user)
    found = queries.sessions().filter(owner=person) if ended else queries.running(person)
    return [_out(one) for one in found[:MOST]]


@router.post("", response={201: SessionDetail}, operation_id="launch_session", summary="Launch a session")
def launch_session(request: HttpRequest, wanted: SessionIn, response: HttpResponse) -> Status[dict[str, Any]]:
    """Launch a datalab, or run one of its threads. The answer comes at once: follow the events from there."""
    person = signed_in(request.user)
    session = _begin(person, wanted, wanted.profile or queries.profiles()[0].name)
    response["Location"] = reverse("api:get_session", args=[session.id])
    return Status(201, detail_of(queries.find_own(person, session.id)))


def _begin(person: Person, wanted: SessionIn, profile: str) -> Session:
    if wanted.thread:
        return actions.run_thread(
            by=person,
            datalab_slug=wanted.datalab,
            version=wanted.version or None,
            thread=wanted.thread,
            inputs=wanted.inputs,
            profile=profile,
            title=wanted.title,
        )
    return actions.launch(
        by=person,
        datalab_slug=wanted.datalab,
        version=wanted.version or None,
        profile=profile,
        volumes=wanted.volumes,
        teams=wanted.teams,
        title=wanted.title,
        opens=wanted.open,
    )


@router.get("/{session_id}", response=SessionDetail, operation_id="get_session", summary="One session")
def get_session(request: HttpRequest, session_id: str) -> dict[str, Any]:
    """Show one session with its phases."""
    return detail_of(queries.find_seen(signed_in(request.user), session_id))


@router.delete("/{session_id}", response={202: SessionOut}, operation_id="stop_session", summary="Stop a session")
def stop_session(request: HttpRequest, session_id: str) -> Status[dict[str, Any]]:
    """Ask for a session to end; follow the events to see when it has. Again, or after its end, nothing changes."""
    return Status(202, _out(actions.stop(by=signed_in(request.user), session_id=session_id)))


@router.post("/{session_id}/restart", response={202: SessionOut}, operation_id="restart_session", summary="Restart")
def restart_session(request: HttpRequest, session_id: str) -> Status[dict[str, Any]]:
    """Stop a session and launch the same again once it has ended; `restarted_as` will name the new one."""
    return Status(202, _out(actions.restart(by=signed_in(request.user), session_id=session_id)))


@router.post("/{session_id}/extend", response=SessionOut, operation_id="extend_session", summary="Keep it longer")
def extend_session(request: HttpRequest, session_id: str, wanted: ExtendIn) -> dict[str, Any]:
    """Keep a session for some hours from now even without activity."""
    return _out(actions.extend(by=signed_in(request.user), session_id=session_id, hours=wanted.hours))


@router.get(
    "/{session_id}/log", operation_id="get_session_log", summary="A session's log", openapi_extra=sends("text/plain")
)
def get_session_log(request: HttpRequest, session_id: str, since: int = 0) -> HttpResponse:
    """Send what the session printed, as text, from byte `since` on; `X-Next-Since` says where to go on."""
    session = queries.find_seen(signed_in(request.user), session_id)
    since = max(since, 0)
    printed = queries.log_since(session, since)[:LOG_BYTES]
    answer = HttpResponse(printed, content_type="text/plain; charset=utf-8")
    answer["X-Next-Since"] = str(since + len(printed))
    answer["Cache-Control"] = "no-store"
    return answer


@router.get(
    "/{session_id}/events",
    operation_id="follow_session",
    summary="A session's phases as they change",
    openapi_extra=sends("text/event-stream"),
)
def follow_session(request: HttpRequest, session_id: str) -> StreamingHttpResponse:
    """Stream server-sent events: `phase` with phase, reason and time for each change so far and to come, then `end`."""
    person = signed_in(request.user)
    session = queries.find_seen(person, session_id)
    last = request.headers.get("Last-Event-ID", "")
    return sse.response(live.phase_stream(person.pk, session.id, int(last) if last.isdecimal() else 0))
