"""What the graph of a run says at each step: the state as colour, sign and word, time, and shares of CPU and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from spacelab.runs.rules import DONE, WAITING, JobState
from spacelab.runs.viewing.figures import StepFigures

NOT_RUN = "not-run"
"""A step that its ended run never came to."""
SIGNS = {
    WAITING: "○",
    NOT_RUN: "⊘",
    JobState.RUNNING: "▶",
    JobState.SUCCEEDED: "✓",
    JobState.REUSED: "↺",
    JobState.SKIPPED: "⤼",
    JobState.FAILED: "✕",
    JobState.CANCELLED: "■",
    JobState.INTERRUPTED: "!",
}
TONES = {
    JobState.RUNNING: "busy",
    JobState.SUCCEEDED: "ok",
    JobState.REUSED: "ok",
    JobState.FAILED: "bad",
    JobState.CANCELLED: "warn",
    JobState.INTERRUPTED: "warn",
}
NO_FIGURES = StepFigures()
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
LEAST_SHARE = 0.005
"""What stands for a share below one per cent."""
TENTHS_BELOW = 10.0
"""Seconds below which tenths count."""


@dataclass(frozen=True)
class StepView:
    """A step of a run as its graph and its list show it; its share of the run's CPU time lies between 0 and 1."""

    id: str
    title: str
    state: str
    depth: int
    scatter: bool
    done: int
    failed: int
    running: int
    count: int
    seconds: float | None
    cpu_seconds: float
    cpu_share: float
    memory_bytes: int
    tries: int
    only_job: str
    """The one job of a step that is not scattered, whose page a box leads to; else empty."""
    why: str = ""
    """Why it was not run, in words."""

    @property
    def sign(self) -> str:
        """The state as a sign, which stands before its word."""
        return SIGNS.get(self.state, "?")

    @property
    def tone(self) -> str:
        """The tone of its badge."""
        return TONES.get(JobState(self.state), "quiet") if self.state in set(JobState) else "quiet"

    @property
    def words(self) -> str:
        """How far it is: `37 of 100, 1 failed` for a scatter, else its state."""
        if not self.scatter or not self.count or self.state == JobState.SKIPPED:
            return "not run" if self.state == NOT_RUN else self.state
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {self.count}{failed}"

    @property
    def took(self) -> str:
        """How long it took from its first start to its last end, in words."""
        return duration(self.seconds) if self.seconds is not None else ""

    @property
    def line(self) -> str:
        """What stands at its box: sign, how far, how long."""
        return " ".join(part for part in (self.sign, self.words, f"· {self.took}" if self.took else "") if part)

    @property
    def note(self) -> str:
        """What is read out beside it: shares and tries."""
        parts = [self.why] if self.why else []
        if self.cpu_share:
            parts.append(f"{percent(self.cpu_share)} of the CPU time")
        if self.memory_bytes:
            parts.append(f"{size(self.memory_bytes)} of memory at most")
        if self.tries > 1:
            parts.append(f"try {self.tries}")
        return ", ".join(parts)


def views_of(
    steps: Sequence[Mapping[str, Any]], figures: Mapping[str, StepFigures], *, now: datetime
) -> list[StepView]:
    """List a run's steps as they stand; `now` is where the time of what runs ends."""
    all_cpu = sum(one.cpu_seconds for one in figures.values()) or 1.0
    found = []
    for step in steps:
        jobs: Mapping[str, int] = step.get("jobs") or {}
        known, own = sum(jobs.values()), figures.get(step["id"], NO_FIGURES)
        scatter = bool(step["scatter"]) or known > 1  # inside a scattered subworkflow a plain step has many jobs
        found.append(
            StepView(
                id=step["id"],
                title=step["label"] or step["id"].rpartition("/")[2],
                state=step["state"],
                depth=step["id"].count("/"),
                scatter=scatter,
                done=sum(count for state, count in jobs.items() if state in DONE),
                failed=jobs.get(JobState.FAILED, 0),
                running=jobs.get(JobState.RUNNING, 0),
                count=max(step.get("count") or 0, known) if known else 0,
                seconds=_seconds(own, step["state"], now),
                cpu_seconds=own.cpu_seconds,
                cpu_share=_share(own.cpu_seconds, all_cpu),
                memory_bytes=own.memory_bytes,
                tries=own.tries,
                only_job=own.first_job if own.jobs == 1 and not scatter else "",
            )
        )
    return found


def _share(own: float, total: float) -> float:
    """Return a share in whole per cent, so that a step's box stays what it is while others go on."""
    return round(own / total, 2) or (LEAST_SHARE if own else 0.0)


def most_telling(steps: Sequence[StepView], most: int) -> list[StepView]:
    """Choose steps where there are too many: what fails and runs first, then what took longest; in their own order."""
    if len(steps) <= most:
        return list(steps)
    urgent = {str(JobState.FAILED): 2, str(JobState.RUNNING): 1}
    ranked = sorted(steps, key=lambda step: (-urgent.get(step.state, 0), -(step.seconds or 0)))
    chosen = {step.id for step in ranked[:most]}
    return [step for step in steps if step.id in chosen]


def _seconds(own: StepFigures, state: str, now: datetime) -> float | None:
    if own.started_at is None:
        return None
    end = now if state == JobState.RUNNING or own.ended_at is None else own.ended_at
    return max((end - own.started_at).total_seconds(), 0.0)


def duration(seconds: float) -> str:
    """Write a time in at most two units: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < TENTHS_BELOW:
        return f"{seconds:.1f} s"
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    if seconds < HOUR:
        return _two(whole, 60, "min", "s", 1)
    if seconds < DAY:
        return _two(whole, 3600, "h", "min", 60)
    return _two(whole, 86400, "d", "h", 3600)


def percent(share: float) -> str:
    """Write a share between 0 and 1 in whole per cent."""
    return f"{share:.0%}" if share == 0 or share > LEAST_SHARE else "<1%"


def _two(whole: int, unit: int, name: str, smaller: str, of_smaller: int) -> str:
    first, rest = divmod(whole, unit)
    return f"{first} {name} {rest // of_smaller} {smaller}" if rest // of_smaller else f"{first} {name}"


def size(number: float) -> str:
    """Write a number of bytes with three figures."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:  # noqa: PLR2004  the step of these units
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"
