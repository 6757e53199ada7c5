"""The head of a run's page: which job failed first, why, its command and last words, and problems at their lines."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacelab.runs import folders, queries
from spacelab.runs.models import Run, RunJob
from spacelab.runs.rules import JobState
from spacelab.runs.viewing import texts

LAST_LINES = 12
TAIL_BYTES = 8192
LONGEST_COMMAND = 1500
LINES_AROUND = 2
MOST_PROBLEMS = 20
MOST_EXCERPTS = 5


@dataclass(frozen=True)
class Failure:
    """A job that failed: its row, its command as a shell takes it, and the last lines of what it printed."""

    job: RunJob
    command: str
    last_lines: str
    stream: str
    others: int
    """How many more jobs failed."""


@dataclass(frozen=True)
class Trouble:
    """What the coordinator complained of, with the lines of the document around it: (number, text, at fault)."""

    problem: Mapping[str, Any]
    lines: Sequence[tuple[int, str, bool]] = ()


def failure_of(run: Run) -> Failure | None:
    """Return the first job that failed; None where none did, or where a new attempt has begun to repeat it."""
    failed = run.totals.get(JobState.FAILED, 0)
    first = next(iter(queries.failed_jobs(run, 1)), None) if failed else None
    if first is None:
        return None
    stream, lines = _last_words(run, first.job)
    return Failure(first, command_of(first), lines, stream, failed - 1)


def _last_words(run: Run, job: str) -> tuple[str, str]:
    for stream in ("stderr", "stdout"):
        lines = texts.tail_of(folders.read_log(run.pk, job, stream, since=-TAIL_BYTES), LAST_LINES)
        if lines.strip():
            return stream, lines
    return "stderr", ""


def command_of(job: RunJob) -> str:
    """Write a job's command as a shell would take it, cut where it is very long."""
    line = shlex.join(str(word) for word in job.command)
    return line if len(line) <= LONGEST_COMMAND else f"{line[:LONGEST_COMMAND]}…"


def troubles_of(run: Run) -> list[Trouble]:
    """Return the coordinator's problems, errors first, with the documents' lines around the first few.

    What it said of the job that stands at the head of the page is said there.
    """
    known = {(one.step, one.reason) for one in queries.failed_jobs(run, 1)}
    told = [
        one
        for one in run.problems[:MOST_PROBLEMS]
        if one.get("line") or (one.get("node"), one.get("message")) not in known
    ]
    ordered = sorted(told, key=lambda one: one.get("severity") == "warning")
    if not any(one.get("line") for one in ordered):
        return [Trouble(one) for one in ordered]
    files: Mapping[str, str] = run.bundle.files
    return [
        Trouble(one, _around(files.get(one.get("file", ""), ""), one.get("line")) if place < MOST_EXCERPTS else ())
        for place, one in enumerate(ordered)
    ]


def _around(text: str, line: int | None) -> list[tuple[int, str, bool]]:
    lines = text.split("\n")
    if not line or line > len(lines):
        return []
    first = max(line - LINES_AROUND, 1)
    shown = lines[first - 1 : line + LINES_AROUND]
    return [(first + place, each[:300], first + place == line) for place, each in enumerate(shown)]
