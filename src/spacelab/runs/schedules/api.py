"""Schedules as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Schema, Status

from spacelab.accounts.queries import signed_in
from spacelab.runs.api import ChoicesIn
from spacelab.runs.schedules import actions, queries
from spacelab.runs.schedules.models import Firing, Schedule
from spacelab.runs.schedules.settling import Asked

router = Router(tags=["runs"])
"""Stands at `/schedules` of the API."""

MOST = 200


class ScheduleIn(ChoicesIn):
    """What a schedule is. `trigger` is `time` (with `cron` and `time_zone`) or `files` (with `folder` and `input`)."""

    pipeline: str
    version: str = ""
    """Empty: the newest one at each start."""
    job: dict[str, Any] = {}
    trigger: str
    cron: str = ""
    """Minute, hour, day of month, month, day of week."""
    time_zone: str = "UTC"
    missed: str = "skip"
    """What happens to times that it missed: `skip`, `once` or `each`."""
    folder: str = ""
    patterns: list[str] = []
    with_subfolders: bool = False
    with_present: bool = False
    """Whether files count that are there already."""
    settle_seconds: int = 30
    input: str = ""
    """The input that gets the files."""
    one_run_each: bool = False
    may_overlap: bool = False


class FiringOut(Schema):
    """One time, or one lot of files: `launched`, `skipped` or `refused`. `times` counts times, or files."""

    due: datetime
    at: datetime
    outcome: str
    reason: str
    times: int
    files: list[str]
    run: str | None


class ScheduleOut(Schema):
    """One schedule. `state` is `active`, `paused` or `stopped`; `reason` says what keeps it from starting a run."""

    id: str
    title: str
    owner: str
    pipeline: str
    version: str
    job: dict[str, Any]
    choices: dict[str, Any]
    trigger: str
    cron: str
    time_zone: str
    missed: str
    folder: str
    patterns: list[str]
    with_subfolders: bool
    settle_seconds: int
    input: str
    one_run_each: bool
    may_overlap: bool
    state: str
    reason: str
    next_times: list[datetime]
    created_at: datetime


SAME = (
    "id", "title", "job", "choices", "trigger", "cron", "time_zone", "missed", "folder", "patterns", "with_subfolders",
    "settle_seconds", "input", "one_run_each", "may_overlap", "state", "reason", "created_at",
)  # fmt: skip


def _out(schedule: Schedule) -> dict[str, Any]:
    return {
        **{name: getattr(schedule, name) for name in SAME},
        "owner": schedule.owner.username,
        "pipeline": schedule.pipeline_slug,
        "version": schedule.version_number,
        "next_times": queries.next_times(schedule),
    }


def _asked(wanted: ScheduleIn) -> Asked:
    choices = {name: getattr(wanted, name) for name in ChoicesIn.model_fields if name != "title"}
    names = [name for name in ScheduleIn.model_fields if name not in {*choices, "patterns"}]
    return Asked(
        choices=choices, patterns="\n".join(wanted.patterns), **{name: getattr(wanted, name) for name in names}
    )


@router.get("", response=list[ScheduleOut], operation_id="list_schedules", summary="Your schedules")
def list_schedules(request: HttpRequest) -> list[dict[str, Any]]:
    """List your schedules, newest first, each with its next five times."""
    person = signed_in(request.user)
    return [_out(one) for one in queries.schedules_of(person).select_related("owner")[:MOST]]


@router.post("", response={201: ScheduleOut}, operation_id="create_schedule", summary="Make a schedule")
def create_schedule(request: HttpRequest, wanted: ScheduleIn, response: HttpResponse) -> Status[dict[str, Any]]:
    """Make a schedule, once its pipeline could be launched as it says."""
    made = actions.create(by=signed_in(request.user), asked=_asked(wanted))
    response["Location"] = reverse("api:get_schedule", args=[made.pk])
    return Status(201, _out(made))


@router.get("/{schedule_id}", response=ScheduleOut, operation_id="get_schedule", summary="One schedule")
def get_schedule(request: HttpRequest, schedule_id: str) -> dict[str, Any]:
    """Show one schedule."""
    return _out(queries.find_seen(signed_in(request.user), schedule_id))


@router.put("/{schedule_id}", response=ScheduleOut, operation_id="change_schedule", summary="Change a schedule")
def change_schedule(request: HttpRequest, schedule_id: str, wanted: ScheduleIn) -> dict[str, Any]:
    """Change a schedule. One that watches another folder than before begins with what comes from now on."""
    return _out(actions.change(by=signed_in(request.user), schedule_id=schedule_id, asked=_asked(wanted)))


@router.delete("/{schedule_id}", response={204: None}, operation_id="delete_schedule", summary="Delete a schedule")
def delete_schedule(request: HttpRequest, schedule_id: str) -> Status[None]:
    """Delete a schedule with its history; its runs stay."""
    actions.delete(by=signed_in(request.user), schedule_id=schedule_id)
    return Status(204, None)


@router.post("/{schedule_id}/pause", response=ScheduleOut, operation_id="pause_schedule", summary="Pause a schedule")
def pause_schedule(request: HttpRequest, schedule_id: str) -> dict[str, Any]:
    """Have a schedule start nothing until it is resumed; runs at work go on."""
    return _out(actions.pause(by=signed_in(request.user), schedule_id=schedule_id))


@router.post("/{schedule_id}/resume", response=ScheduleOut, operation_id="resume_schedule", summary="Resume a schedule")
def resume_schedule(request: HttpRequest, schedule_id: str) -> dict[str, Any]:
    """Have a paused or stopped schedule go on, once all that it needs is there again."""
    return _out(actions.resume(by=signed_in(request.user), schedule_id=schedule_id))


@router.get(
    "/{schedule_id}/history", response=list[FiringOut], operation_id="schedule_history", summary="What a schedule did"
)
def schedule_history(request: HttpRequest, schedule_id: str) -> list[dict[str, Any]]:
    """List what a schedule started and left out, the newest first, at most two hundred."""
    found = queries.history(queries.find_seen(signed_in(request.user), schedule_id), MOST)
    return [_firing(one) for one in found]


def _firing(firing: Firing) -> dict[str, Any]:
    names = ("due", "at", "outcome", "reason", "times", "files")
    return {**{name: getattr(firing, name) for name in names}, "run": firing.run_id}
