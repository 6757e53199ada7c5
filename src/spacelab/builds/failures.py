"""Why a build failed: from its log and its workload to the step, the line and what to try."""

from __future__ import annotations

from typing import Any

import datalab_package
from spacelab.builds import actions, planning, queries
from spacelab.builds.actions import SYSTEM
from spacelab.builds.following import note_steps
from spacelab.builds.models import Build
from spacelab.builds.rules import State
from spacelab.kit.refusals import Refusal
from spacelab.repositories.rules import why_not
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Phase, Trouble

LOG_BYTES = 512 * 1024
"""The end of a log in which the cause is looked for."""


def explain(build: Build, workload: Workload) -> None:
    """End the build as failed and say why, as exactly as can be told."""
    fetching = build.state == State.FETCHING
    note_steps(build, ended=True, failed=True)
    known = _of_workload(workload) or (_of_fetch(build) if fetching else _of_log(build))
    steps = [one["title"] for one in build.steps if one.get("state") == "bad"]
    known.setdefault("step", steps[0] if steps else "")
    actions.fail(by=SYSTEM, build=build, **known)


def _of_workload(workload: Workload) -> dict[str, Any]:
    """Say what ended the workload from outside: a limit, a stop, a runtime that could not start it."""
    if workload.trouble == Trouble.OUT_OF_MEMORY:
        spec = workload.spec["resources"]
        return {
            "message": f"The build needed more memory than its {spec['memory_mb']} MiB.",
            "advice": "Ask for fewer packages or ready-made wheels, or an operator for a larger limit "
            "(SPACELAB_BUILD_MEMORY_MB).",
        }
    if "time limit" in workload.reason:
        return {
            "message": f"The build took longer than its {workload.spec['deadline_seconds'] // 60} minutes.",
            "advice": "Look in the log at what takes so long; an operator can allow more (SPACELAB_BUILD_MINUTES).",
        }
    if Phase(workload.phase) is Phase.STOPPED or workload.exit_code is None:
        return {"message": workload.reason or "The build was ended.", "advice": "Build it again."}
    return {}


def _of_fetch(build: Build) -> dict[str, Any]:
    log = queries.log_of(build.pk, LOG_BYTES).decode(errors="replace")
    message, advice = why_not(log, build.git_url, build.git_ref)
    return {"message": message, "advice": advice or "The log below says more."}


def _of_log(build: Build) -> dict[str, Any]:
    log = queries.log_of(build.pk, LOG_BYTES).decode(errors="replace")
    try:
        planned = planning.plan(build.package, build.answers)
    except Refusal as refusal:
        return {"message": refusal.message, "advice": refusal.advice}
    found = datalab_package.explain_failure(log, planned.plan)
    announced = next((one["title"] for one in build.steps if one.get("state") == "bad"), "")
    return {
        "message": found.message,
        "advice": found.advice,
        "step": announced or found.step,
        "line": found.line,
        "file": found.file,
    }
