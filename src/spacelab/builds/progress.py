"""What a build's page shows: its state, its steps with their times, its log and its facts, as small pieces of HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.builds import queries
from spacelab.builds.models import Build, BuildChange
from spacelab.builds.rules import FINAL, PENDING, State
from spacelab.datalabs.rules import State as VersionState

LOG_BYTES = 48 * 1024
"""How much of the log a page shows."""

TITLES = {
    State.RECEIVED: "Received",
    State.FETCHING: "Fetched",
    State.PLANNED: "Planned",
    State.QUEUED: "Queued",
    State.BUILDING: "Built",
    State.CHECKING: "Checked",
    State.BUILT: "Ready to launch",
    State.FAILED: "Failed",
    State.CANCELLED: "Cancelled",
}
DOING = {State.FETCHING: "Fetching", State.QUEUED: "Waiting", State.BUILDING: "Building", State.CHECKING: "Checking"}
WORDS = {
    State.RECEIVED: "received",
    State.FETCHING: "fetching",
    State.PLANNED: "ready to build",
    State.QUEUED: "waiting",
    State.BUILDING: "building",
    State.CHECKING: "checking",
    State.BUILT: "built",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}
TONES = {
    State.PLANNED: "quiet",
    State.BUILT: "ok",
    State.FAILED: "bad",
    State.CANCELLED: "quiet",
}
COMING = (State.PLANNED, State.QUEUED, State.BUILDING, State.CHECKING, State.BUILT)
FRAGMENTS = ("state", "notices", "steps", "log", "facts")
"""Each is a template `_<name>.html` and the element `build-<name>` of the page."""


@dataclass(frozen=True)
class Row:
    """One line of the page's steps; `inner` ones lie inside the build."""

    title: str
    state: str
    reason: str = ""
    took: float | None = None
    at: datetime | None = None
    inner: bool = False


@dataclass(frozen=True)
class Badge:
    """A build's state in one word and one tone."""

    word: str
    tone: str


def badge_of(build: Build) -> Badge:
    """Say how a build is, as its badge shows it."""
    state = State(build.state)
    return Badge(WORDS[state], TONES.get(state, "busy"))


def rows_of(build: Build, changes: list[BuildChange]) -> list[Row]:
    """List what happened to a build with what each part took, and what is still to come."""
    rows: list[Row] = []
    for index, change in enumerate(changes):
        state, last = State(change.state), index == len(changes) - 1
        until = None if last else changes[index + 1].at
        took = (until - change.at).total_seconds() if until and state not in {State.RECEIVED, State.PLANNED} else None
        ended = state in FINAL or not last
        ran_bad = not last and changes[index + 1].state == State.FAILED
        mark = "bad" if state is State.FAILED or ran_bad else "done" if ended or state is State.PLANNED else "now"
        title = TITLES[state] if mark == "done" else DOING.get(state, TITLES[state])
        if state is State.CANCELLED:
            mark = "bad"
        rows.append(Row(title, mark, _told(change, last=last), took, change.at))
        if state in {State.BUILDING, State.FETCHING} and build.steps and _is_of(changes, index):
            rows += [
                Row(one["title"], one.get("state", "next"), one.get("note", ""), one.get("took"), None, inner=True)
                for one in build.steps
            ]
    reached = State(build.state)
    if reached not in FINAL:
        later = COMING[COMING.index(reached) + 1 :] if reached in COMING else COMING
        rows += [Row(TITLES[one], "next") for one in later]
    return rows


def _told(change: BuildChange, *, last: bool) -> str:
    """Return what a change's line says: what went wrong is told above the steps, and what is past needs no word."""
    if change.state == State.FAILED or (not last and change.state in {State.QUEUED, State.BUILDING}):
        return ""
    return change.reason


def _is_of(changes: list[BuildChange], index: int) -> bool:
    """Say whether the steps that are known belong to this change: to the last one in which something was at work."""
    later = {change.state for change in changes[index + 1 :]}
    return not later & {State.PLANNED, State.FETCHING, State.BUILDING}


def total_of(build: Build) -> float | None:
    """Say how long it took from the start to the end, in seconds."""
    if build.queued_at is None:
        return None
    return ((build.ended_at or timezone.now()) - build.queued_at).total_seconds()


def place_in_queue(build: Build) -> tuple[int, int]:
    """Say which place a waiting build has, and of how many; 0 if it does not wait."""
    if build.state != State.QUEUED:
        return 0, 0
    queue = queries.queue()
    return (queue.index(build.pk) + 1 if build.pk in queue else 0), len(queue)


def context_of(build: Build, person: Person) -> dict[str, Any]:
    """Collect what the pieces of a build's page show to this person."""
    state = State(build.state)
    place, waiting = place_in_queue(build)
    log = queries.log_of(build.pk, LOG_BYTES).decode(errors="replace")
    version = build.datalab_version
    return {
        "build": build,
        "mine": build.person_id == person.pk,
        "badge": badge_of(build),
        "planned": state is State.PLANNED,
        "final": state in FINAL,
        "failed": state is State.FAILED,
        "built": state is State.BUILT,
        "working": state not in FINAL and state is not State.PLANNED,
        "followed": state not in FINAL or any(one["summary"] == PENDING for one in build.checks),
        "rows": rows_of(build, queries.changes(build)),
        "total": total_of(build),
        "place": place,
        "waiting": waiting,
        "at_once": settings.SPACELAB.builds_at_once,
        "log": log,
        "package_kept": queries.is_package_kept(build),
        "outcome_gone": queries.is_outcome_gone(build),
        "draft": bool(version and version.state == VersionState.DRAFT),
        "latest": bool(
            version
            and version.builds.filter(state=State.BUILT).order_by("-number").values_list("pk", flat=True).first()
            == build.pk
        ),
    }


def stamp_of(context: dict[str, Any]) -> tuple[Any, ...]:
    """Return what tells two states of a page apart, so that nothing is rendered twice."""
    build = context["build"]
    seen = (build.state, build.reason, str(build.steps), str(build.checks))
    return (*seen, context["place"], len(context["log"]), context["log"][-200:])


def fragments_of(context: dict[str, Any]) -> dict[str, str]:
    """Render the pieces of the page: element id → HTML."""
    return {f"build-{name}": render_to_string(f"builds/_{name}.html", context) for name in FRAGMENTS}
