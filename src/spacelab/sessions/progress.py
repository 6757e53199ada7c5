"""What a session's page shows: its state, its steps, its usage, its idleness and its log, as small pieces of HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.sessions import queries, rules
from spacelab.sessions.models import Session
from spacelab.workloads import queries as workloads
from spacelab.workloads.models import PhaseChange
from spacelab.workloads.rules import FINAL, Desired, Phase, Trouble

LOG_BYTES = 16_384
"""How much of the log a page shows."""

TITLES = {
    Phase.QUEUED: "Queued",
    Phase.STARTING: "Starting",
    Phase.RUNNING: "Running",
    Phase.STOPPING: "Stopping",
    Phase.STOPPED: "Stopped",
    Phase.SUCCEEDED: "Ended",
    Phase.FAILED: "Failed",
}
TONES = {
    Phase.RUNNING: "ok",
    Phase.STOPPED: "quiet",
    Phase.SUCCEEDED: "quiet",
    Phase.FAILED: "bad",
}
COMING = (Phase.QUEUED, Phase.STARTING, Phase.RUNNING)
FRAGMENTS = ("state", "notices", "steps", "results", "idle", "usage", "log")
"""Each is a template `_<name>.html` and the element `session-<name>` of the page."""


@dataclass(frozen=True)
class Step:
    """One phase of a session's life: when it began, in seconds after the launch, and why."""

    title: str
    state: str
    reason: str = ""
    at: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Advice:
    """What went wrong in one sentence, and what to do next; `larger` where a larger profile may help."""

    title: str
    next: str
    larger: bool = False


ADVICE = {
    Trouble.IMAGE_MISSING: Advice(
        "Its image is not on this platform.",
        "Ask an operator to bring it back, or build the version again if the datalab is yours; then launch again.",
    ),
    Trouble.OUT_OF_MEMORY: Advice(
        "It used up its memory.",
        "Launch it again with a larger profile, or read the data in smaller pieces. Files that were saved are there.",
        larger=True,
    ),
    Trouble.DISK_FULL: Advice(
        "It filled its part of the platform's disk.",
        "Keep large files in your workspace or in /scratch, and launch it again with a larger profile if it needs more "
        "room elsewhere. Files in your workspace are there.",
        larger=True,
    ),
    Trouble.CRASHED: Advice(
        "It ended while it was starting.",
        "The last lines of the log say why. If it worked before, a package or setting in your home may be in its "
        "way; else tell the author of the datalab.",
    ),
    Trouble.UNANSWERED: Advice(
        "It runs, but its interface never answered.",
        "The log shows how far it came; launch it again if it was just slow. If the datalab is yours: it has to "
        "listen on the port in $IF_main_port, and answer at its health path.",
    ),
    Trouble.RUNTIME_AWAY: Advice(
        "What carries sessions does not answer.",
        "Nothing of yours is lost. Tell an operator, who can run `spacelab doctor`, and launch again in a while.",
    ),
    Trouble.LOST: Advice(
        "It is gone with the machine that it ran on, or was killed.",
        "Launch it again: files that were saved are there, what was only in its memory is not.",
    ),
}

ADVICE_WHILE_RUNNING = {
    Trouble.OUT_OF_MEMORY: Advice(
        "It ran out of memory, and goes on.",
        "In a notebook the process that was ended is mostly a kernel: what it had computed is lost, files are not. "
        "Restart the kernel and read the data in smaller pieces, or launch again with a larger profile.",
        larger=True,
    ),
    Trouble.MISPLACED: Advice(
        "It runs, but has no page where it is opened.",
        "If the datalab is yours: go back to its plan, and let it open where it serves. That is /datalabs/{id}/ for a "
        "program that serves below /datalabs/$IF_main_id.",
    ),
    Trouble.RUNTIME_AWAY: Advice(
        "What carries sessions does not answer at the moment.",
        "The session goes on, and nothing of yours is lost. An operator can run `spacelab doctor`.",
    ),
}


def advice_of(session: Session) -> Advice | None:
    """Say what to do about what went wrong with a session, where that is known."""
    trouble, running = session.workload.trouble, session.workload.phase == Phase.RUNNING
    if trouble not in set(Trouble):
        return None
    return (ADVICE_WHILE_RUNNING if running else ADVICE).get(Trouble(trouble))


@dataclass(frozen=True)
class Badge:
    """A session's state in one word and one tone."""

    word: str
    tone: str


def badge_of(session: Session) -> Badge:
    """Say how a session is, as its badge shows it; a wish to stop shows at once."""
    phase = Phase(session.workload.phase)
    if session.restart_wanted:
        return Badge("restarting", "busy")
    if session.workload.desired == Desired.STOP and phase not in FINAL:
        return Badge("stopping", "busy")
    if session.thread and phase is Phase.SUCCEEDED:
        return Badge("finished", "ok")
    return Badge(TITLES[phase].lower(), TONES.get(phase, "busy"))


def steps_of(session: Session, changes: list[PhaseChange]) -> list[Step]:
    """List what happened to a session, and what is still to come while it starts."""
    began = session.workload.created_at
    steps = []
    for change in changes:
        phase, last = Phase(change.phase), change is changes[-1]
        working = last and phase not in FINAL
        state = "bad" if phase is Phase.FAILED else "now" if working and phase is not Phase.RUNNING else "done"
        reason = (session.workload.reason or change.reason) if last else change.reason
        seconds = max((change.at - began).total_seconds(), 0)
        steps.append(Step(TITLES[phase], state, _beside(TITLES[phase], reason), change.at, seconds))
    if changes and changes[-1].phase in COMING:
        left = COMING[COMING.index(Phase(changes[-1].phase)) + 1 :]
        steps += [Step(TITLES[phase], "next") for phase in left]
    return steps


def _beside(title: str, reason: str) -> str:
    """Return what a reason says that its title does not."""
    told = reason.removeprefix(f"{title}: ")
    return "" if told.rstrip(".") == title else told


def usage_of(session: Session, now: datetime) -> dict[str, Any]:
    """Say what the session uses and may use: memory and scratch in MiB, cores on average since it was ready."""
    workload, resources = session.workload, session.workload.spec["resources"]
    ended = workload.ended_at or now
    ran = (ended - workload.started_at).total_seconds() if workload.started_at else 0
    return {
        "memory_mb": round(workload.memory_bytes / 2**20),
        "memory_limit_mb": resources["memory_mb"],
        "memory_low": resources["memory_mb"] * 0.75,
        "memory_high": resources["memory_mb"] * 0.92,
        "scratch_mb": round(workload.scratch_bytes / 2**20),
        "scratch_limit_mb": resources["scratch_mb"],
        "scratch_low": resources["scratch_mb"] * 0.75,
        "scratch_high": resources["scratch_mb"] * 0.92,
        "cores": resources["cpu"],
        "cores_low": resources["cpu"] * 0.9,
        "cpu_seconds": round(workload.cpu_seconds, 1),
        "cores_used": round(workload.cpu_seconds / ran, 2) if ran > 1 else 0,
    }


def context_of(session: Session, person: Person) -> dict[str, Any]:
    """Collect what the pieces of a session's page show to this person."""
    changes = list(workloads.changes(session.workload))
    phase = Phase(session.workload.phase)
    return {
        "session": session,
        "mine": session.owner_id == person.pk,
        "badge": badge_of(session),
        "phase": str(phase),
        "starting": phase in {Phase.QUEUED, Phase.STARTING} and session.workload.desired == Desired.RUN,
        "running": phase is Phase.RUNNING and session.workload.desired == Desired.RUN,
        "stopping": phase not in FINAL and session.workload.desired == Desired.STOP,
        "final": phase in FINAL and not session.restart_wanted,
        "failed": phase is Phase.FAILED,
        "advice": advice_of(session),
        "runtime_fault": workloads.runtime_fault(),
        "results": queries.results_of(session),
        "steps": steps_of(session, changes),
        "usage": usage_of(session, timezone.now()),
        "idleness": queries.idleness_of(session),
        "policy": queries.idle_policy(),
        "extensions": rules.EXTEND_HOURS,
        "log": queries.log_tail(session, LOG_BYTES),
    }


def stamp_of(context: dict[str, Any]) -> tuple[Any, ...]:
    """Return what tells two states of a page apart, so that nothing is rendered twice."""
    session = context["session"]
    workload = session.workload
    return (
        *(context["badge"].word, context["phase"], len(context["steps"]), workload.reason, context["log"]),
        *(workload.memory_bytes, workload.scratch_bytes, round(workload.cpu_seconds, 1)),
        *(context["idleness"], session.title, session.restarted_as_id, tuple(context["results"])),
        context["runtime_fault"],
    )


def fragments_of(context: dict[str, Any]) -> dict[str, str]:
    """Render the pieces of the page: element id → HTML."""
    return {f"session-{name}": render_to_string(f"sessions/_{name}.html", context) for name in FRAGMENTS}
