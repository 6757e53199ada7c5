"""What pages of runs show: the state in a word, what went wrong and what to do next, steps with their jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from spacelab.accounts.models import Person
from spacelab.runs import queries
from spacelab.runs.models import Run
from spacelab.runs.rules import DONE, JobState, State
from spacelab.runs.viewing import page
from spacelab.workloads import queries as workloads

LOG_BYTES = 16_384

TONES = {
    State.QUEUED: "quiet",
    State.RUNNING: "busy",
    State.PAUSED: "warn",
    State.SUCCEEDED: "ok",
    State.FAILED: "bad",
    State.CANCELLED: "quiet",
    State.INTERRUPTED: "warn",
}
JOB_TONES = {
    JobState.RUNNING: "busy",
    JobState.SUCCEEDED: "ok",
    JobState.REUSED: "ok",
    JobState.FAILED: "bad",
    JobState.INTERRUPTED: "warn",
}
STEP_MARKS = {"waiting": "next", "running": "now", "failed": "bad", "interrupted": "bad"}
FRAGMENTS = ("state", "notices", "timeline", "steps", "outputs", "facts", "log")
"""Each is a template `_<name>.html` and the element `run-<name>` of the page; boxes of the graph come one by one."""


@dataclass(frozen=True)
class Badge:
    """A state in one word and one tone."""

    word: str
    tone: str


def badge_of(run: Run) -> Badge:
    """Say how a run is, as its badge shows it; a wish shows at once."""
    state = State(run.state)
    if run.stop_wanted and not run.is_final:
        return Badge("stopping", "busy")
    if run.pause_wanted and state is State.RUNNING:
        return Badge("pausing", "warn")
    if not run.pause_wanted and state is State.PAUSED:
        return Badge("going on", "busy")
    return Badge(str(state), TONES[state])


def job_badge(state: str) -> Badge:
    """Say how a job is."""
    return Badge(state, JOB_TONES.get(JobState(state), "quiet") if state in set(JobState) else "quiet")


@dataclass(frozen=True)
class StepRow:
    """A step as the page lists it: done of so many jobs, and those that failed."""

    id: str
    title: str
    state: str
    mark: str
    depth: int
    done: int
    failed: int
    running: int
    count: int
    scatter: bool

    @property
    def words(self) -> str:
        """How far it is, in words."""
        if not self.scatter or not self.count:
            return self.state
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {self.count} done{failed}"


def step_rows(run: Run) -> list[StepRow]:
    """List the steps with how far each is."""
    rows = []
    for step in run.steps:
        jobs: dict[str, int] = step.get("jobs") or {}
        known = sum(jobs.values())
        rows.append(
            StepRow(
                id=step["id"],
                title=step["label"] or step["id"].rpartition("/")[2],
                state=step["state"],
                mark=STEP_MARKS.get(step["state"], "done"),
                depth=step["id"].count("/"),
                done=sum(count for state, count in jobs.items() if state in DONE),
                failed=jobs.get(JobState.FAILED, 0),
                running=jobs.get(JobState.RUNNING, 0),
                count=max(step.get("count") or 0, known),
                scatter=bool(step["scatter"]),
            )
        )
    return rows


def stamp_of(run: Run) -> tuple[Any, ...]:
    """Return what tells two states of a page apart, so that nothing is rendered twice."""
    workload = run.workload
    figures = (workload.phase, round(workload.cpu_seconds), workload.memory_bytes) if workload else ()
    wishes = (run.state, run.stop_wanted, run.pause_wanted, run.attempt, run.begun, run.followed, run.title)
    return (*wishes, run.read_bytes, run.reason, run.team_id, run.disk_bytes, *figures)


def context_of(run: Run, person: Person) -> dict[str, Any]:
    """Collect what the pieces of a run's page show to this person."""
    state, mine = State(run.state), run.owner_id == person.pk
    return {
        "run": run,
        "mine": mine,
        "may_stop": queries.may_stop(person, run),
        "badge": badge_of(run),
        "state": str(state),
        "final": run.is_final,
        "may_open": queries.may_open(person, run),
        "may_go_on": mine and state.may_go_on and run.cleaned_at is None,
        "log": queries.log_of(run, LOG_BYTES),
        "kept_until": run.ended_at + timedelta(days=settings.SPACELAB.run_days) if run.ended_at else None,
        "isolated": queries.are_isolated(),
        "runtime_fault": workloads.runtime_fault(),
        **page.parts_of(run),
    }


def fragments_of(context: dict[str, Any], names: Sequence[str] = FRAGMENTS) -> dict[str, str]:
    """Render pieces of the page: element id → HTML."""
    return {f"run-{name}": render_to_string(f"runs/_{name}.html", context) for name in names}


def card_of(run: Run, person: Person) -> str:
    """Render a run as a card of a list."""
    context = {"run": run, "badge": badge_of(run), "rows": step_rows(run), "mine": run.owner_id == person.pk}
    return render_to_string("runs/_card.html", context)
