"""Decisions about runs: their states, what each event of the coordinator means, and names of jobs on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from spacelab.runs.untrusted import LARGEST_OUTPUTS, data, number, records, text, when, whole

JOB_PLACE = "/job"
"""Where a job has its folders while it runs: `in`, `out`, where its command begins, and `tmp`."""

LONGEST_STEP = 255
LONGEST_JOB = 300
LONGEST_REASON = 2000
LONGEST_ADVICE = 1000
LONGEST_TROUBLE = 20
MOST_STEPS = 2000
MOST_PROBLEMS = 100
MOST_JOBS = 50_000
"""Jobs of one run that have a row; further ones are left out, and said to be."""
STOPPED_BY_OWNER, STOPPED_BY_OPERATOR = "You stopped it.", "An operator stopped it."
"""Why a run ended that somebody stopped; of what she stopped herself its owner gets no news."""


class State(StrEnum):
    """Where a run stands. The last four are ends, from which it may be resumed."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """It ended without its own doing: a crash, a limit, a restart of the machine."""

    @property
    def is_final(self) -> bool:
        """Whether nothing happens any more unless somebody asks for it."""
        return self in FINAL

    @property
    def may_go_on(self) -> bool:
        """Whether it can be started again on its folder, with what is finished left as it is."""
        return self in {State.FAILED, State.CANCELLED, State.INTERRUPTED}


FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.INTERRUPTED})
UNFINISHED = frozenset(State) - FINAL


class JobState(StrEnum):
    """Where a job stands. `reused`: its outputs were there from an earlier run of the same command."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    REUSED = "reused"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


DONE = frozenset({JobState.SUCCEEDED, JobState.REUSED, JobState.SKIPPED})
WAITING = "waiting"
"""The state of a step of which nothing has begun."""
STEP_STATES = frozenset({WAITING, *JobState})


@dataclass
class Facts:
    """What events change of a run; problems and outputs are those of its present attempt."""

    attempt: int = 1
    state: State = State.QUEUED
    steps: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""
    advice: str = ""
    trouble: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass
class JobFacts:
    """What events say of a job; the fields are those of its row."""

    step: str
    job: str
    number: int
    state: JobState = JobState.RUNNING
    index: list[int] | None = None
    tries: int = 1
    attempt: int = 1
    command: list[str] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    image: str = ""
    environment: str = ""
    exit_code: int | None = None
    cpu_seconds: float | None = None
    memory_bytes: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    advice: str = ""
    trouble: str = ""


def named_jobs(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """List the jobs that these events speak of, each once."""
    found = (text(event.get("job"), LONGEST_JOB) for event in events)
    return list(dict.fromkeys(name for name in found if name))


def follow(facts: Facts, jobs: dict[str, JobFacts], events: Iterable[Mapping[str, Any]], *, known: int) -> int:
    """Let events change a run and those of its jobs that they name; return how many made no sense.

    `jobs` holds what is known of the jobs that the events name, and gets the new ones; `known` is how many there are.
    """
    senseless = 0
    for event in events:
        handler = HANDLERS.get(str(event.get("event")))
        before = len(jobs)
        senseless += handler is None or not handler(facts, jobs, event, known)
        known += len(jobs) - before
    return senseless


def _run_started(facts: Facts, _jobs: dict[str, JobFacts], event: Mapping[str, Any], _known: int) -> bool:
    facts.state = State.RUNNING
    facts.started_at = facts.started_at or when(event.get("at"))
    facts.ended_at = None
    facts.reason = facts.advice = facts.trouble = ""
    facts.problems, facts.outputs = [], {}
    before = {step["id"]: step for step in facts.steps}
    facts.steps = []
    for one in records(event.get("steps"), MOST_STEPS):
        name = text(one.get("id"), LONGEST_STEP)
        old = before.get(name, {})
        if name:
            facts.steps.append(
                {
                    "id": name,
                    "label": text(one.get("label"), 200),
                    "run": text(one.get("run"), 300),
                    "scatter": one.get("scatter") is True,
                    "parent": text(one.get("parent"), LONGEST_STEP),
                    "state": old["state"] if old.get("state") in DONE else WAITING,
                    "count": old.get("count"),
                    "jobs": old.get("jobs", {}),
                }
            )
    return True


def _step(facts: Facts, event: Mapping[str, Any]) -> dict[str, Any] | None:
    name = text(event.get("step"), LONGEST_STEP)
    found = next((step for step in facts.steps if step["id"] == name), None)
    if found is None and name and len(facts.steps) < MOST_STEPS:
        parent = name.rpartition("/")[0]
        found = {"id": name, "label": "", "run": "", "scatter": False, "parent": parent}
        found |= {"state": WAITING, "count": None, "jobs": {}}
        facts.steps.append(found)
    return found


def _scatter(facts: Facts, _jobs: dict[str, JobFacts], event: Mapping[str, Any], _known: int) -> bool:
    step, count = _step(facts, event), whole(event.get("count"), least=0)
    if step is None or count is None:
        return False
    step["scatter"], step["count"] = True, count
    if step["state"] == WAITING:
        step["state"] = str(JobState.RUNNING)
    return True


def _job(facts: Facts, jobs: dict[str, JobFacts], event: Mapping[str, Any], known: int) -> JobFacts | None:
    name = text(event.get("job"), LONGEST_JOB)
    step = _step(facts, event)
    if not name or step is None:
        return None
    if name not in jobs:
        if known >= MOST_JOBS:
            return None
        jobs[name] = JobFacts(step=step["id"], job=name, number=known)
    if step["state"] not in {str(JobState.RUNNING), str(JobState.FAILED)}:
        step["state"] = str(JobState.RUNNING)
    return jobs[name]


def _job_started(facts: Facts, jobs: dict[str, JobFacts], event: Mapping[str, Any], known: int) -> bool:
    job = _job(facts, jobs, event, known)
    if job is None:
        return False
    job.state, job.attempt = JobState.RUNNING, facts.attempt
    index = event.get("index")
    if isinstance(index, list):
        job.index = [value for value in map(whole, index[:10]) if value is not None]
    job.tries = whole(event.get("try"), least=1) or 1
    command = event.get("command")
    job.command = [text(word, 65_536) for word in command[:5000]] if isinstance(command, list) else []
    job.inputs, job.outputs = data(event.get("inputs")), {}
    job.image, job.environment = text(event.get("image"), 300), text(event.get("environment"), 300)
    job.started_at, job.ended_at = when(event.get("at")), None
    job.exit_code = job.cpu_seconds = job.memory_bytes = None
    job.reason = job.advice = job.trouble = ""
    return True


ENDED_JOB = frozenset(JobState) - {JobState.RUNNING, JobState.INTERRUPTED}


def _job_ended(facts: Facts, jobs: dict[str, JobFacts], event: Mapping[str, Any], known: int) -> bool:
    job, state = _job(facts, jobs, event, known), event.get("state")
    if job is None or state not in set(ENDED_JOB):
        return False
    if state == JobState.REUSED and job.state in DONE and job.ended_at:
        return True  # a later attempt took over what an earlier one of this run had done: its figures still hold
    job.state, job.attempt = JobState(state), facts.attempt
    job.exit_code = whole(event.get("exit_code"), least=-1000)
    job.cpu_seconds = number(event.get("cpu_seconds"))
    job.memory_bytes = whole(event.get("memory_bytes"), least=0)
    job.started_at = when(event.get("started_at")) or job.started_at
    job.ended_at = when(event.get("ended_at")) or when(event.get("at"))
    job.outputs = data(event.get("outputs"))
    job.reason = text(event.get("reason"), LONGEST_REASON)
    job.advice = text(event.get("advice"), LONGEST_ADVICE)
    job.trouble = text(event.get("trouble"), LONGEST_TROUBLE)
    if state == JobState.FAILED:
        _mark(facts, job.step, str(JobState.FAILED))
    return True


def _mark(facts: Facts, step: str, state: str) -> None:
    for one in facts.steps:
        if one["id"] == step:
            one["state"] = state


def _step_ended(facts: Facts, _jobs: dict[str, JobFacts], event: Mapping[str, Any], _known: int) -> bool:
    step, state = _step(facts, event), event.get("state")
    if step is None or state not in STEP_STATES:
        return False
    step["state"] = state
    return True


def _paused(facts: Facts, _jobs: dict[str, JobFacts], _event: Mapping[str, Any], _known: int) -> bool:
    facts.state = State.PAUSED
    return True


def _resumed(facts: Facts, _jobs: dict[str, JobFacts], _event: Mapping[str, Any], _known: int) -> bool:
    facts.state = State.RUNNING
    return True


def _problem(facts: Facts, _jobs: dict[str, JobFacts], event: Mapping[str, Any], _known: int) -> bool:
    if len(facts.problems) >= MOST_PROBLEMS:
        return True
    facts.problems.append(
        {
            "severity": "warning" if event.get("severity") == "warning" else "error",
            "message": text(event.get("message"), LONGEST_REASON),
            "advice": text(event.get("advice"), LONGEST_ADVICE),
            "file": text(event.get("file"), 300),
            "line": whole(event.get("line"), least=1),
            "node": text(event.get("node"), LONGEST_STEP),
        }
    )
    return True


RUN_ENDS = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


def _run_ended(facts: Facts, _jobs: dict[str, JobFacts], event: Mapping[str, Any], _known: int) -> bool:
    if event.get("state") not in set(RUN_ENDS):
        return False
    facts.state = State(event["state"])
    facts.ended_at = when(event.get("at")) or datetime.now(UTC)
    facts.outputs = data(event.get("outputs"), LARGEST_OUTPUTS)
    facts.reason = text(event.get("reason"), LONGEST_REASON)
    facts.advice = text(event.get("advice"), LONGEST_ADVICE)
    facts.trouble = text(event.get("trouble"), LONGEST_TROUBLE)
    return True


HANDLERS = {
    "run-started": _run_started,
    "scatter": _scatter,
    "job-started": _job_started,
    "job-ended": _job_ended,
    "step-ended": _step_ended,
    "paused": _paused,
    "resumed": _resumed,
    "problem": _problem,
    "run-ended": _run_ended,
}
"""What each kind of event does; any other is counted as senseless."""


def job_folder(job: str) -> tuple[str, ...]:
    """Return the folder of a job in its run's folder, part by part; empty for a name that would lead elsewhere."""
    parts = tuple(job.split("/"))
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        return ()
    return ("jobs", *parts)


@dataclass(frozen=True)
class Room:
    """What a person's workloads take, or may take, together: runs at once, CPU cores, MiB of memory."""

    runs: int
    cpu: float
    memory_mb: int


def why_it_waits(allowed: Room, used: Room, cpu: float, memory_mb: int) -> str:
    """Say why one more run of this size has to wait; empty where it need not."""
    if used.runs >= allowed.runs:
        return f"It waits for its turn: {used.runs} of your runs are at work, and so many may be at once."
    if used.cpu + cpu > allowed.cpu:
        return f"It waits until {cpu:g} CPU cores of your quota are free: {used.cpu:g} of {allowed.cpu:g} are in use."
    if used.memory_mb + memory_mb > allowed.memory_mb:
        needed, taken, total = (round(value / 1024, 1) for value in (memory_mb, used.memory_mb, allowed.memory_mb))
        return f"It waits until {needed:g} GiB of memory in your quota are free: {taken:g} of {total:g} are in use."
    return ""


def counted(steps: Sequence[dict[str, Any]], rows: Iterable[tuple[str, str, int]]) -> dict[str, int]:
    """Write into each step how many of its jobs stand where, and return the same for all: state → how many."""
    by_id = {step["id"]: step for step in steps}
    totals: dict[str, int] = {}
    for step in steps:
        step["jobs"] = {}
    for name, state, count in rows:
        if name in by_id:
            by_id[name]["jobs"][state] = count
        totals[state] = totals.get(state, 0) + count
    return totals


@dataclass(frozen=True)
class Footprint:
    """What a run at work takes of the disk: bytes now, and bytes more each second."""

    run: str
    size: int
    growth: float


LEAST_GROWTH = 2**18
"""Bytes a second; a run that grows less is not what fills a disk."""
SECONDS_LEFT = 8.0
"""A disk that will be full sooner than this is in danger."""


def overfull(found: Sequence[Footprint], *, most: int, free: int, floor: int, reserve: int) -> dict[str, str]:
    """Say which runs have to end for the disk's sake, with the reason; all in bytes.

    Each may fill `most`. Below `floor` the one that grows fastest ends if the rest won't last, or `reserve` is reached.
    """
    mebibyte = 2**20
    ends = {
        one.run: f"It has filled {one.size // mebibyte} MiB of the disk, and a run may fill {most // mebibyte}."
        for one in found
        if one.size > most
    }
    growing = [one for one in found if one.growth > LEAST_GROWTH and one.run not in ends]
    if growing and free < floor and (free < reserve or free < SECONDS_LEFT * sum(one.growth for one in growing)):
        worst = max(growing, key=lambda one: one.growth)
        ends[worst.run] = "The platform's disk is almost full, and it was filling it."
    return ends
