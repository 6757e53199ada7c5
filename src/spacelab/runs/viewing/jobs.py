"""What pages show of one job: its command, its files by place and size, the end of what it printed."""

from __future__ import annotations

from typing import Any

from spacelab.accounts.models import Person
from spacelab.runs import folders, progress, queries
from spacelab.runs.models import Run, RunJob
from spacelab.runs.rules import JobState, State
from spacelab.runs.viewing import failures, texts
from spacelab.runs.viewing.given import values_of

LOG_BYTES = 65_536


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
