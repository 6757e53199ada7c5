"""A run as the editor draws it: a state for each step of the graph, and what failed with its last words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone

from spacelab.runs.models import Run
from spacelab.runs.rules import WAITING, JobState, State
from spacelab.runs.viewing import failures, figures
from spacelab.runs.viewing.states import StepView, duration, views_of

NOT_RUN = "not run"
"""The state of a step whose turn never came, once its run has ended."""
ALONE = "main"
"""What the coordinator calls a step that runs alone."""
OF_RUN = {State.QUEUED: WAITING, State.PAUSED: str(JobState.RUNNING)}


def canvas_of(run: Run) -> dict[str, Any]:
    """Describe a run: its state, one for each step by its path in the document, and the first job that failed."""
    end = run.ended_at
    took = ((end or timezone.now()) - run.started_at).total_seconds() if run.started_at else None
    return {
        "id": run.pk,
        "state": run.state,
        "reason": run.reason,
        "advice": run.advice,
        "final": run.is_final,
        "stopping": bool(run.stop_wanted) and not run.is_final,
        "only_step": run.only_step,
        "took": duration(took) if took is not None and end else "",
        "page": reverse("runs:detail", args=[run.pk]),
        "stop": reverse("runs:stop", args=[run.pk]),
        "steps": _steps(run),
        "failure": _failure(run),
        "problems": run.problems[: failures.MOST_PROBLEMS],
    }


def _steps(run: Run) -> dict[str, dict[str, str]]:
    views = views_of(run.steps, figures.figures_of(run), now=run.ended_at or timezone.now())
    if run.only_step:
        begun = [one for one in views if one.state != WAITING]
        found = {_path(run, one.id): _step(run, one) for one in begun}
        own = {"state": OF_RUN.get(State(run.state), run.state), "words": "", "took": "", "page": ""}
        return {run.only_step: own} | found
    found = {one.id: _step(run, one) for one in views}
    for one in views:  # a workflow inside a step runs as soon as one of its steps does
        parent = found.get(one.id.rpartition("/")[0])
        if parent and parent["state"] == WAITING and one.state != WAITING:
            parent["state"] = str(JobState.RUNNING)
    return found


def _step(run: Run, one: StepView) -> dict[str, str]:
    state = NOT_RUN if one.state == WAITING and run.is_final else one.state
    page = f"{reverse('runs:jobs', args=[run.pk])}?step={quote(one.id, safe='')}" if one.count else ""
    return {"state": state, "words": one.words if one.words != one.state else "", "took": one.took, "page": page}


def _path(run: Run, step: str) -> str:
    """Return where a step stands in the document, which a run of one step alone names from there."""
    if not run.only_step:
        return step
    return run.only_step if step == ALONE else f"{run.only_step}/{step}"


def _failure(run: Run) -> Mapping[str, Any] | None:
    found = failures.failure_of(run)
    if found is None:
        return None
    job = found.job
    return {
        "step": _path(run, job.step),
        "job": job.job,
        "exit_code": job.exit_code,
        "reason": job.reason or "Its command did not succeed.",
        "advice": job.advice,
        "command": found.command,
        "lines": found.last_lines,
        "stream": found.stream,
        "others": found.others,
        "page": reverse("runs:job-page", args=[run.pk, job.job]),
    }
