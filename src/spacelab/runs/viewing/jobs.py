"""What pages show of one job: its command, its files by place and size, the end of what it printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacelab.accounts.models import Person
from spacelab.runs import folders, progress, queries
from spacelab.runs.models import Run, RunJob
from spacelab.runs.rules import JobState, State
from spacelab.runs.viewing import failures, texts, values

LOG_BYTES = 65_536
MOST_FILES = 20


@dataclass(frozen=True)
class ValueFile:
    """A file of an input or output; `path` within the run's results, or empty where it lies elsewhere."""

    name: str
    place: str
    size: int | None
    path: str


@dataclass(frozen=True)
class Value:
    """An input or output of a job: its files, or its value in words."""

    name: str
    files: Sequence[ValueFile]
    words: str
    left_out: int = 0


def values_of(run: Run, given: Mapping[str, Any]) -> list[Value]:
    """List inputs or outputs, each with a bounded number of its files."""
    listed = []
    for name, value in given.items():
        found = list(values.files_in(value))
        shown = [
            ValueFile(
                values.name_of(one),
                values.place_of(one),
                one.get("size") if isinstance(one.get("size"), int) else None,
                values.inside(one, run.results) if one.get("class") == "File" else "",
            )
            for one in found[:MOST_FILES]
        ]
        listed.append(Value(name, shown, values.words(value), len(found) - len(shown)))
    return listed


def job_context(run: Run, job: RunJob, person: Person) -> dict[str, Any]:
    """Collect what the page of a job shows to this person."""
    mine = run.owner_id == person.pk
    printed = {
        name: texts.clean(folders.read_log(run.pk, job.job, name, since=-LOG_BYTES)) for name in ("stderr", "stdout")
    }
    return {
        "run": run,
        "job": job,
        "badge": progress.job_badge(job.state),
        "texts": printed,
        "command": failures.command_of(job) if job.command else "",
        "inputs": values_of(run, job.inputs),
        "outputs": values_of(run, job.outputs),
        "live": job.state == JobState.RUNNING,
        "mine": mine,
        "may_open": queries.may_open(person, run),
        "may_go_on": mine and State(run.state).may_go_on and run.cleaned_at is None,
    }
