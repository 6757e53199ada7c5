"""What happened in a run: read from its folder, of which a stranger's program may have written every byte."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

from run_crate.places import open_inside

LONGEST_LINE = 2**20
"""Bytes of one event; a longer line is passed over."""
MOST_EVENT_BYTES = 512 * 2**20
MOST_JOBS = 50_000
LARGEST_SETTING = 8 * 2**20
"""Bytes of the job order or the options."""
MOST_DOCUMENTS = 1000
LARGEST_BUNDLE = 16 * 2**20
"""Bytes of all documents."""
DONE = frozenset({"succeeded", "reused"})


class UnreadableRunError(Exception):
    """A folder that holds no run; its text is for people."""


@dataclass
class JobRecord:
    """One execution of a step. Times are in seconds since 1970, memory in bytes."""

    step: str
    job: str
    state: str = "running"
    command: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    image: str = ""
    environment: str = ""
    exit_code: int | None = None
    cpu_seconds: float | None = None
    memory_bytes: float | None = None
    started: float | None = None
    ended: float | None = None
    reason: str = ""
    tries: int = 1


@dataclass
class RunRecord:
    """A run as its folder tells it. `documents` are the bundle's files, `environments` what its images stood for."""

    documents: dict[str, str]
    main: str
    order: dict[str, Any]
    environments: dict[str, str] = field(default_factory=dict)
    only_step: str = ""
    cwl_version: str = ""
    state: str = "running"
    reason: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    jobs: dict[str, JobRecord] = field(default_factory=dict)
    attempts: int = 0
    started: float | None = None
    ended: float | None = None


def read_run(folder: Path) -> RunRecord:
    """Read a run's folder; raises UnreadableRunError where documents, options or job order are missing or broken."""
    options = _setting(folder, "options.json")
    record = RunRecord(
        documents=_documents(folder),
        main=_text(options.get("main")),
        order=_setting(folder, "job.json"),
        environments={_text(name): _text(value) for name, value in _mapping(options.get("environments")).items()},
        only_step=_text(options.get("only_step")),
    )
    if record.main.partition("#")[0] not in record.documents:
        raise UnreadableRunError("The run's main document is not in its folder.")
    file = open_inside(folder, ("events.jsonl",))
    if file is not None:
        with file:
            follow(record, read_events(file))
    return record


def read_events(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield the events of a file; lines that are none, or too long, are passed over."""
    read, skipping = 0, False
    while read < MOST_EVENT_BYTES and (line := file.readline(LONGEST_LINE)):
        read += len(line)
        whole = line.endswith(b"\n")
        if not skipping and whole:
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                event = None
            if isinstance(event, dict):
                yield event
        skipping = not whole


def follow(record: RunRecord, events: Iterable[Mapping[str, Any]]) -> None:
    """Let events change a run; of a job that was tried more than once, the last try counts."""
    for event in events:
        at = _number(event.get("at"))
        match event.get("event"):
            case "run-started":
                record.attempts += 1
                record.started = at if record.started is None else record.started
                record.cwl_version = _text(event.get("cwl_version"))
                record.state, record.reason, record.ended = "running", "", None
            case "job-started":
                _job_started(record, event, at)
            case "job-ended":
                _job_ended(record, event, at)
            case "run-ended":
                record.state, record.reason = _text(event.get("state")), _text(event.get("reason"))
                record.outputs, record.ended = _mapping(event.get("outputs")), at
            case _:
                pass


def _job(record: RunRecord, event: Mapping[str, Any]) -> JobRecord | None:
    name = _text(event.get("job"))
    if not name or (name not in record.jobs and len(record.jobs) >= MOST_JOBS):
        return None
    return record.jobs.setdefault(name, JobRecord(_text(event.get("step")), name))


def _job_started(record: RunRecord, event: Mapping[str, Any], at: float | None) -> None:
    job = _job(record, event)
    if job is None:
        return
    command = event.get("command")
    record.jobs[job.job] = JobRecord(
        step=_text(event.get("step")),
        job=job.job,
        command=tuple(_text(word) for word in command) if isinstance(command, list) else (),
        inputs=_mapping(event.get("inputs")),
        image=_text(event.get("image")),
        environment=_text(event.get("environment")),
        started=at,
        tries=int(_number(event.get("try")) or 1),
    )


def _job_ended(record: RunRecord, event: Mapping[str, Any], at: float | None) -> None:
    job = _job(record, event)
    if job is None:
        return
    if job.state in DONE and event.get("state") == "reused":
        return  # a resumed run repeats nothing: what happened is what the first attempt said
    job.state = _text(event.get("state"))
    code = event.get("exit_code")
    job.exit_code = code if isinstance(code, int) and not isinstance(code, bool) else None
    job.cpu_seconds, job.memory_bytes = _number(event.get("cpu_seconds")), _number(event.get("memory_bytes"))
    job.started = _number(event.get("started_at")) or job.started or at
    job.ended = _number(event.get("ended_at")) or at
    job.outputs, job.reason = _mapping(event.get("outputs")), _text(event.get("reason"))


def moment(seconds: float | None) -> str:
    """Write a time in seconds since 1970 as ISO 8601 with milliseconds, in UTC; empty for none that a calendar has."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return ""


def _documents(folder: Path) -> dict[str, str]:
    """Read the bundle: regular files that are texts, following no link."""
    found: dict[str, str] = {}
    total = 0
    bundle = folder / "bundle"
    for path in sorted(bundle.rglob("*")):
        parts = path.relative_to(bundle).parts
        file = open_inside(folder, ("bundle", *parts))
        if file is None:
            continue
        with file:
            content = file.read(LARGEST_BUNDLE + 1)
        total += len(content)
        if len(found) >= MOST_DOCUMENTS or total > LARGEST_BUNDLE:
            raise UnreadableRunError("The run's documents are too many or too large.")
        try:
            found["/".join(parts)] = content.decode()
        except UnicodeDecodeError:
            continue
    return found


def _setting(folder: Path, name: str) -> dict[str, Any]:
    file = open_inside(folder, (name,))
    if file is None:
        raise UnreadableRunError(f"The run's folder has no {name}.")
    with file:
        content = file.read(LARGEST_SETTING + 1)
    try:
        found = json.loads(content) if len(content) <= LARGEST_SETTING else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UnreadableRunError(f"{name} in the run's folder can't be read.")
    return found


def _text(value: Any) -> str:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if isfinite(found) and found >= 0 else None
