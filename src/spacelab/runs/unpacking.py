"""A job laid out in a folder where a person can repeat its command by hand: its inputs, a script, what it printed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from spacelab.runs import folders
from spacelab.runs.models import Run, RunJob
from spacelab.runs.rules import JOB_PLACE
from spacelab.runs.untrusted import text
from spacelab.volumes.rules import ARCHIVE_ROOT, TEAM_ROOT, WORKSPACE

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OF_THE_COMMAND = ("HOME", "TMPDIR")
"""Variables that only the command gets: a terminal keeps its own."""
LEFT_OUT = frozenset({*OF_THE_COMMAND, "LD_PRELOAD"})
KEPT_LOG = 2**20
LARGEST_COMMAND = 2**20
MOST_LAID = 2000
"""Files laid out for one job."""
SCRIPT = "run.sh"
VARIABLES = "environment.sh"
AREAS = ("in", "out", "tmp")
"""The folders of a job: what it reads, where its command begins and writes, what is for the while."""


@dataclass
class Layout:
    """What is put into the folder, by name: contents, and targets of links; and the inputs that are gone."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    """What the job may change, by name: copied by the script, so that the original stays as it is."""
    lost: list[str] = field(default_factory=list)


def folder_of(run: Run, job: RunJob) -> str:
    """Name the folder, relative to the workspace."""
    return f"steps/{run.pk}/{re.sub(r'[^A-Za-z0-9._-]', '-', job.job)[:80]}-{run.attempt}"


def layout(run: Run, job: RunJob, folder: str) -> Layout:
    """Lay out a job as it was: a session shows the folder at `JOB_PLACE` as well, where the job had it."""
    written = _written(run, job)
    place = _place(written)
    laid = Layout()
    for one in _laid(job, written):
        _lay(laid, run, _inside(one.get("path", ""), place), one)
    variables = {name: _moved(value, place) for name, value in _variables(written).items()}
    laid.files[VARIABLES] = _exports(job, variables).encode()
    words = shlex.join(_moved(str(word), place) for word in job.command)
    command = f"{words} < {shlex.quote(_stdin(written, place, laid))}"
    laid.files[SCRIPT] = _script(job, variables, laid, str(WORKSPACE / folder), command).encode()
    laid.files["README.md"] = _readme(run, job, laid.lost, place).encode()
    laid.files["inputs.json"] = json.dumps(job.inputs, indent=1, ensure_ascii=False).encode()
    for name in ("stdout", "stderr"):
        if printed := folders.read_log(run.pk, job.job, name, since=-KEPT_LOG, most=KEPT_LOG):
            laid.files[f"{name}.txt"] = printed
    return laid


def _lay(laid: Layout, run: Run, name: str, told: Mapping[str, str]) -> None:
    """Lay out one thing; what lies nowhere that a session sees is noted as lost."""
    if not name or len(laid.links) + len(laid.files) + len(laid.copies) >= MOST_LAID:
        return
    if "text" in told:
        laid.files[name] = told["text"].encode()
        return
    origin = told.get("source") or told.get("copy") or ""
    if not origin.startswith("/") or "\0" in origin:
        return
    if not _stays(origin) and not folders.is_kept(run, origin):
        if origin not in laid.lost:
            laid.lost.append(origin)
    elif "copy" in told:
        laid.copies[name] = origin
    else:
        laid.links[name] = origin


def _laid(job: RunJob, written: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Tell what the job found in its folders: as its coordinator wrote down, or as its inputs say."""
    told = written.get("laid")
    if isinstance(told, list):
        for one in told[:MOST_LAID]:
            if isinstance(one, Mapping):
                yield {str(name): value for name, value in one.items() if isinstance(value, str)}
        return
    for staged, origin in _files(job.inputs):
        yield {"path": staged, "source": origin}


def _files(value: Any) -> Iterator[tuple[str, str]]:
    """Yield each file of the inputs: its path while the job ran, and where it came from."""
    if isinstance(value, list):
        for one in value:
            yield from _files(one)
    elif isinstance(value, Mapping):
        if value.get("class") in {"File", "Directory"} and isinstance(value.get("location"), str):
            origin = value["location"]
            origin = unquote(origin[7:]) if origin.startswith("file://") else origin
            staged = value.get("path") if isinstance(value.get("path"), str) else origin
            yield str(staged), origin
        for key, one in value.items():
            if key != "listing":
                yield from _files(one)


def _stays(origin: str) -> bool:
    """Say whether a file lies in a volume, not in what a run kept for a while."""
    path = PurePosixPath(origin)
    return ".." not in path.parts and any(root in path.parents for root in (ARCHIVE_ROOT, TEAM_ROOT, WORKSPACE))


def _written(run: Run, job: RunJob) -> Mapping[str, Any]:
    """Read what the coordinator wrote down beside a failed job's log."""
    try:
        found = json.loads(folders.read_beside(run.pk, job.job, "command.json", LARGEST_COMMAND) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _place(written: Mapping[str, Any]) -> str:
    """Return the folder of the job as its command saw it."""
    told = text(written.get("folder"), 500)
    return told.rstrip("/") if len(told) > 1 and told.startswith("/") else JOB_PLACE


def _inside(path: str, place: str) -> str:
    """Name a path of the job below its folder; empty for one that is elsewhere."""
    found = PurePosixPath(path)
    if ".." in found.parts or "\0" in path or not found.is_relative_to(place):
        return ""
    name = found.relative_to(place)
    return str(name) if name.parts[:1] in {("in",), ("out",)} and len(name.parts) > 1 else ""


def _moved(words: str, place: str) -> str:
    """Let text that names the job's folder name it where it is now."""
    if place == JOB_PLACE:
        return words
    return re.sub(rf"{re.escape(place)}(?=/|$)", JOB_PLACE, words)


def _variables(written: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables of a job."""
    found = written.get("environment")
    if not isinstance(found, Mapping):
        return {}
    pairs = {str(name): text(value, 10_000) for name, value in found.items()}
    return {name: value for name, value in pairs.items() if NAME.fullmatch(name)}


def _stdin(written: Mapping[str, Any], place: str, laid: Layout) -> str:
    """Return where the command's standard input is now: one of its inputs, by its path inside or on the outside."""
    path = text(written.get("stdin"), 5000)
    here = {origin: f"{JOB_PLACE}/{name}" for name, origin in laid.links.items()}
    if path in here:
        return here[path]
    if name := _inside(path, place):
        return f"{JOB_PLACE}/{name}"
    tail = path[path.rfind("/in/") :] if "/in/" in path else ""
    return next((at for at in here.values() if tail and at.endswith(tail)), "/dev/null")


def _exports(job: RunJob, variables: Mapping[str, str]) -> str:
    """Write down the variables of the step, for a terminal to take over: its software comes first."""
    lines = [f"# The variables of {_comment(job.job)}."]
    for name, value in variables.items():
        if name == "PATH":
            lines.append(f'export PATH={shlex.quote(value)}:"$PATH"')
        elif name not in LEFT_OUT:
            lines.append(f"export {name}={shlex.quote(value)}")
    return "\n".join(lines) + "\n"


def _script(job: RunJob, variables: Mapping[str, str], laid: Layout, here: str, command: str) -> str:
    """Write the script that repeats the command with the same words, in the same folder."""
    lines = ["#!/bin/sh", f"# The command of {_comment(job.job)}, in its folder and with its inputs."]
    lines += [f". {shlex.quote(f'{here}/{VARIABLES}')}", f"cd {JOB_PLACE}/out || exit"]
    for name, origin in laid.copies.items():
        target = f"{JOB_PLACE}/{name}"
        lines.append(f"mkdir -p {shlex.quote(str(PurePosixPath(target).parent))}")
        lines.append(f"cp -rn {shlex.quote(origin)} {shlex.quote(target)} && chmod -R u+w {shlex.quote(target)}")
    lines += [f"export {name}={shlex.quote(variables[name])}" for name in OF_THE_COMMAND if name in variables]
    lines.append(f"exec {command}")
    return "\n".join(lines) + "\n"


def _comment(words: str) -> str:
    return " ".join(words.split())


def _readme(run: Run, job: RunJob, lost: list[str], place: str) -> str:
    lines = [f"# {_comment(job.job)} of {_comment(run.title)}", ""]
    state = f" (exit code {job.exit_code})" if job.exit_code is not None else ""
    lines += [f"It {job.state}{state}. {_comment(job.reason)} {_comment(job.advice)}".strip(), ""]
    lines += [
        f"This folder is also `{JOB_PLACE}`, where the job had it: paths in its log and in its files lead to the same.",
        "",
        f"- `sh {SCRIPT}` repeats its command with the same inputs; what it writes goes to `out`.",
        f"- `. ./{VARIABLES}` gives a terminal the step's software and variables.",
        "- `stderr.txt` is its log, `inputs.json` holds all its inputs.",
        "",
    ]
    if found := [(_moved(staged, place), origin) for staged, origin in _files(job.inputs)][:100]:
        lines += ["| input | from |", "|---|---|"]
        lines += [f"| `{_comment(staged)[:200]}` | `{_comment(origin)[:200]}` |" for staged, origin in found]
        lines.append("")
    if lost:
        lines += ["These inputs were made by earlier steps and are not kept any more:", ""]
        lines += [f"- `{_comment(one)[:200]}`" for one in lost[:50]]
        lines += ["", "Resume or repeat the run: those steps make them again.", ""]
    return "\n".join(lines)
