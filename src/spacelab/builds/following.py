"""What a build prints while it is at work: kept beside its row, and read for the steps that it announces."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from spacelab.builds import actions, queries, rules
from spacelab.builds.actions import SYSTEM
from spacelab.builds.models import Build
from spacelab.builds.rules import State
from spacelab.workloads import queries as workloads

LONGEST_LOG = 16 * 2**20
"""Bytes of one log that are kept."""
LONGEST_TITLE = 110


def collect_log(build: Build) -> None:
    """Append to the kept log what the workload printed since."""
    if build.workload_id is None:
        return
    name = "fetch.log" if build.state == State.FETCHING else "build.log"
    folder = queries.build_folder(build.pk)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    size = file.stat().st_size if file.exists() else 0
    printed = workloads.log_since(build.workload_id, size)
    if printed and size < LONGEST_LOG:
        with file.open("ab") as log:
            log.write(printed)


def note_steps(build: Build, *, ended: bool = False, failed: bool = False) -> None:
    """Write down how far the steps have come: as the runtime tells, or as the log announces them."""
    told = getattr(workloads.runtime(), "build_steps", None)
    steps: list[dict[str, Any]] = []
    if told is not None and build.workload_id and build.state == State.BUILDING:
        steps = [_step(one, failed=failed) for one in told(build.workload_id)]
    if not steps:
        name = "fetch.log" if build.state == State.FETCHING else "build.log"
        with contextlib.suppress(OSError):
            text = (queries.build_folder(build.pk) / name).read_text(errors="replace")
            total = _ran(build)
            steps = [asdict(one) for one in rules.steps_in(text, ended=ended, failed=failed, total=total)]
    if steps:
        actions.save_steps(by=SYSTEM, build=build, steps=steps)


def _step(seen: Any, *, failed: bool) -> dict[str, Any]:
    """Describe a step of an image's build (`workloads.ports.StepSeen`)."""
    title = " ".join(str(seen.instruction).split())
    title = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
    took = seen.ended_at - seen.started_at if seen.ended_at else None
    state = "done" if seen.ended_at else "bad" if failed else "now"
    return {"title": title, "state": state, "seconds": None, "took": took, "note": "unchanged" if seen.cached else ""}


def _ran(build: Build) -> float | None:
    """Say how long the workload ran, in seconds."""
    workload = build.workload
    began = (workload.ready_at or workload.started_at) if workload else None
    if workload is None or began is None:
        return None
    return ((workload.ended_at or timezone.now()) - began).total_seconds()
