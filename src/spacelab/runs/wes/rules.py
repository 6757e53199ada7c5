"""Decisions about WES: states as it names them, its times, page tokens, and what a request may hold."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from spacelab.runs.rules import JobState, State

WORKFLOW_TYPE = "CWL"
TYPE_VERSIONS = ("v1.0", "v1.1", "v1.2")
WES_VERSIONS = ("1.0.0", "1.1.0")
ENGINE = "spacelab"
PARAMETERS = {
    "profile": "the resource profile",
    "volumes": "archive volumes beside those of the inputs, with commas between",
    "teams": "teams whose areas are mounted, with commas between",
    "results": "the folder of the outputs in the workspace",
    "title": "the title of the run",
    "shown_to": "the team that may look at the run",
}
"""Parameters of the engine, as `workflow_engine_parameters` takes them."""
MOST_TAGS = 50
LONGEST_TAG = 1000
LONGEST_URL = 1000
LARGEST_PARAMS = 2**20
MOST_ATTACHMENTS = 500
LARGEST_ATTACHMENT = 64 * 2**20
"""Bytes of one attached input; larger data belong into a volume."""
LARGEST_ATTACHMENTS = 256 * 2**20
SLASH = "\u29f8"
"""Stands for `/` in the names of attachments, which Django would cut there."""
CATALOGUE = re.compile(
    r"(?:/?catalogue/|catalogue:)(?P<slug>[a-z0-9][a-z0-9-]{1,59})(?:/(?P<version>[^/]{1,40}?)(?:\.cwl)?)?"
)
TRS = re.compile(r"trs://(?P<host>[^/]+)/(?P<slug>[^/]+)(?:/(?P<version>[^/]+))?")
PORTAL = re.compile(r"/pipelines/(?P<slug>[a-z0-9][a-z0-9-]{1,59})/(?:(?P<version>[^/]{1,40})/?)?")


class WesState(StrEnum):
    """The states of WES 1.1."""

    UNKNOWN = "UNKNOWN"
    QUEUED = "QUEUED"
    INITIALIZING = "INITIALIZING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETE = "COMPLETE"
    EXECUTOR_ERROR = "EXECUTOR_ERROR"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    CANCELED = "CANCELED"
    CANCELING = "CANCELING"
    PREEMPTED = "PREEMPTED"


def state_of(state: str, *, begun: bool, stopping: bool, jobs: Mapping[str, int], trouble: str) -> WesState:
    """Return how WES calls a run's state.

    A run that failed with a failed job is an executor's error, any other a system's; one that the platform ended
    without its own doing (a restart, a limit) was preempted where what carries it went away, else a system's error.
    """
    known = State(state) if state in set(State) else None
    if known is not None and not known.is_final and stopping:
        return WesState.CANCELING
    match known:
        case State.QUEUED:
            return WesState.INITIALIZING if begun else WesState.QUEUED
        case State.FAILED:
            return WesState.EXECUTOR_ERROR if jobs.get(JobState.FAILED) else WesState.SYSTEM_ERROR
        case State.INTERRUPTED:
            return WesState.PREEMPTED if trouble in {"runtime-away", "lost"} else WesState.SYSTEM_ERROR
        case State.RUNNING | State.PAUSED | State.SUCCEEDED | State.CANCELLED:
            return SIMPLE[known]
        case _:
            return WesState.UNKNOWN


SIMPLE = {
    State.RUNNING: WesState.RUNNING,
    State.PAUSED: WesState.PAUSED,
    State.SUCCEEDED: WesState.COMPLETE,
    State.CANCELLED: WesState.CANCELED,
}


def moment(at: datetime | None) -> str | None:
    """Write a time as WES does: `2026-01-31T12:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def page_token(*parts: str) -> str:
    """Return the token of the page that begins behind these."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def read_page_token(token: str, count: int) -> list[str]:
    """Return what a page token holds; raises UnfitRequestError for one that was not given out like this."""
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != count or not all(isinstance(one, str) for one in found):
        raise UnfitRequestError("This page_token was not given out.", "Begin without one.")
    return found


class UnfitRequestError(ValueError):
    """A request that is not of the right form."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


@dataclass(frozen=True)
class Request:
    """A request for a run, checked as far as it can be without the catalogue."""

    url: str
    type_version: str
    params: dict[str, Any]
    engine_version: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def read_request(given: Mapping[str, str], version: str) -> Request:
    """Read the fields of a request; raises UnfitRequestError naming the one at fault. `version` is the engine's."""
    kind, type_version = given.get("workflow_type", ""), given.get("workflow_type_version", "")
    if kind.upper() != WORKFLOW_TYPE:
        raise UnfitRequestError(f"workflow_type: {_shown(kind)} is not run here.", "It has to be CWL.")
    if type_version not in TYPE_VERSIONS:
        told = f"workflow_type_version: {_shown(type_version)} is not run here."
        raise UnfitRequestError(told, f"It has to be one of {', '.join(TYPE_VERSIONS)}.")
    engine, engine_version = given.get("workflow_engine", ""), given.get("workflow_engine_version", "")
    if engine not in {"", ENGINE} or (engine_version and (not engine or engine_version != version)):
        raise UnfitRequestError(f"workflow_engine: only {ENGINE} {version} is here.", "Leave it out.")
    url = given.get("workflow_url", "")
    if not url or len(url) > LONGEST_URL:
        raise UnfitRequestError("workflow_url is missing, or too long.", "Name an attachment, or a pipeline.")
    parameters = _texts(given, "workflow_engine_parameters")
    if unknown := parameters.keys() - PARAMETERS.keys():
        known = ", ".join(PARAMETERS)
        raise UnfitRequestError(f"workflow_engine_parameters: {_shown(min(unknown))} is unknown.", f"Known: {known}.")
    tags = _texts(given, "tags")
    if len(tags) > MOST_TAGS:
        raise UnfitRequestError("tags: these are too many.", f"Send at most {MOST_TAGS}.")
    params = _mapping(given, "workflow_params")
    return Request(url, type_version, params, engine_version, parameters, tags)


def _mapping(given: Mapping[str, str], name: str) -> dict[str, Any]:
    text = given.get(name, "").strip()
    if len(text) > LARGEST_PARAMS:
        raise UnfitRequestError(f"{name} is too large.", "Name a folder instead of many files.")
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UnfitRequestError(f"{name} is no JSON object.")
    return found


def _texts(given: Mapping[str, str], name: str) -> dict[str, str]:
    found = {key: value for key, value in _mapping(given, name).items() if value is not None}
    if any(not isinstance(one, str) or len(key) + len(one) > LONGEST_TAG for key, one in found.items()):
        raise UnfitRequestError(f"{name} has a value that is no text, or too long.")
    return found


def _shown(text: str) -> str:
    return f"“{text[:60]}”"


def reference_of(url: str, hosts: frozenset[str]) -> tuple[str, str] | None:
    """Return short name and version of the pipeline that an address names; None for one that names none here.

    `catalogue/<slug>/<version>`, `trs://<host>/<slug>/<version>` and the address of its page; no version is the newest.
    """
    found = CATALOGUE.fullmatch(url)
    if found is None and (trs := TRS.fullmatch(url)):
        found = trs if trs["host"] in hosts else None
    if found is None and url.startswith(("http://", "https://")):
        host, slash, path = url.partition("://")[2].partition("/")
        found = PORTAL.fullmatch(slash + path) if host in hosts else None
    return (found["slug"], found["version"] or "") if found else None
