"""What the controller writes of builds: how far they came, what came out, and what went wrong."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from spacelab.audit import actions as audit
from spacelab.builds.models import Build, BuildChange
from spacelab.builds.rules import ENDS, FINAL, NEXT, State
from spacelab.datalabs import actions as datalab_actions
from spacelab.datalabs.rules import State as VersionState
from spacelab.notifications import actions as notifications
from spacelab.notifications.rules import Kind
from spacelab.workloads import actions as workload_actions
from spacelab.workloads.rules import Desired, WorkloadSpec

SYSTEM = audit.System("builds")
LONGEST_REASON = 1000
TOLD = {State.BUILT: "is built", State.FAILED: "could not be built"}
"""Ends of a build of which its person hears, in words; a cancelled one she ended herself."""


def move(*, by: audit.Actor, build: Build, state: State, reason: str, **values: Any) -> bool:
    """Move a build on from the state that `build` has, with these values; say whether it was still there.

    Raises `ValueError` for a change that must not be.
    """
    before = State(build.state)
    if state not in NEXT[before]:
        raise ValueError(f"a build does not go from {before} to {state}")
    values |= {"state": state, "reason": reason[:LONGEST_REASON]}
    now = timezone.now()
    if state is State.QUEUED:
        values["queued_at"] = now
    if state in {State.BUILDING, State.FETCHING}:
        values["begun_at"] = now
    if state in FINAL:
        values["ended_at"] = now
    with transaction.atomic():
        if not Build.objects.filter(pk=build.pk, state=before).update(**values):
            return False
        BuildChange.objects.create(build_id=build.pk, state=state, reason=values["reason"])
        if state in ENDS and build.datalab_version is not None and build.datalab_version.state == VersionState.BUILDING:
            ended = "build-failed" if state is State.FAILED else "build-cancelled"
            datalab_actions.advance_by_platform(
                version=build.datalab_version, transition=ended, reason=values["reason"]
            )
        if state in FINAL | {State.QUEUED}:
            audit.record(by=by, action=f"builds.{state}", subject=f"build:{build.pk}", reason=values["reason"][:300])
        if state in TOLD:
            _tell(build, state, values["reason"])
    for name, value in values.items():
        setattr(build, name, value)
    return True


def _tell(build: Build, state: State, reason: str) -> None:
    """Tell whose build it is that it has ended."""
    name = build.title or build.slug or build.brought
    notifications.tell(
        people=[build.person],
        kind=Kind.BUILD_ENDED,
        title=f"{name} {TOLD[state]}".strip(),
        text=reason,
        url=reverse("builds:detail", args=[build.pk]),
        subject=f"build:{build.pk}",
    )


def begin(*, by: audit.Actor, build: Build, state: State, spec: WorkloadSpec, reason: str) -> bool:
    """Submit the workload that fetches or builds, and move the build on; say whether that was still wanted."""
    with transaction.atomic():
        workload = workload_actions.submit(by=build.person, spec=spec, held=True)
        moved = move(by=by, build=build, state=state, reason=reason, workload_id=workload.pk)
        if not moved:
            transaction.set_rollback(True)
    return moved


def fail(*, by: audit.Actor, build: Build, message: str, advice: str = "", **where: Any) -> bool:
    """End a build as failed, with what went wrong, where (step, file, line), and what to try."""
    failure = {"message": message, "advice": advice, **{key: value for key, value in where.items() if value}}
    return move(by=by, build=build, state=State.FAILED, reason=message, failure=failure)


def stop_overfull(*, by: audit.Actor, build: Build, used_mb: int, most_mb: int) -> None:
    """End a build that has written more than it may."""
    with transaction.atomic():
        fail(
            by=by,
            build=build,
            message=f"The build wrote {used_mb} MiB, and may fill {most_mb} MiB.",
            advice="Ask for fewer packages, or an operator for a larger limit (SPACELAB_BUILD_DISK_MB).",
        )
        if build.workload_id:
            workload_actions.request_stop(by=by, workload_id=build.workload_id, reason="The build filled the disk.")


def stop_workload(*, by: audit.Actor, build: Build) -> None:
    """Ask what is still at work for an ended build to end."""
    if build.workload is not None and build.workload.desired != Desired.STOP:
        workload_actions.request_stop(by=by, workload_id=build.workload.pk, reason="The build has ended.")


def save_steps(*, by: audit.Actor, build: Build, steps: list[dict[str, Any]]) -> None:  # noqa: ARG001  as every action
    """Note how far the steps inside a build have come."""
    if steps != build.steps:
        Build.objects.filter(pk=build.pk).update(steps=steps)
        build.steps = steps


def save_checks(*, by: audit.Actor, build: Build, checks: list[dict[str, Any]]) -> None:  # noqa: ARG001  as every action
    """Note what a build's checks found after it was offered."""
    Build.objects.filter(pk=build.pk).update(checks=checks)
    build.checks = checks


def mark_cleaned(*, by: audit.Actor, build: Build) -> None:
    """Note that nothing is left of a build's work, and let go of its workload."""
    if build.workload_id:
        workload_actions.release(by=by, workload_id=build.workload_id)
    Build.objects.filter(pk=build.pk).update(cleaned=True)


def release_workload(*, by: audit.Actor, build: Build) -> None:
    """Let go of the workload that has done its part, so that what is left of it is removed."""
    if build.workload_id:
        workload_actions.release(by=by, workload_id=build.workload_id)
