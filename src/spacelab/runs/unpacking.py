"""A job laid out in a folder where a person can repeat its command by hand: its inputs, a script, what it printed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from spacelab.runs import folders
from spacelab.runs.models import Run, RunJob
from spacelab.runs.untrusted import text
from spacelab.volumes.rules import ARCHIVE_ROOT, TEAM_ROOT, WORKSPACE

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LEFT_OUT = frozenset({"HOME", "TMPDIR", "LD_PRELOAD"})
KEPT_LOG = 2**20
LARGEST_COMMAND = 2**20
SCRIPT = "run.sh"


@dataclass(frozen=True)
class Layout:
    """What is put into the folder, by name: contents, and targets of links; and the inputs that are gone."""

    files: dict[str, bytes]
    links: dict[str, str]
    lost: list[str]


def folder_of(run: Run, job: RunJob) -> str:
    """Name the folder, relative to the workspace."""
    return f"steps/{run.pk}/{re.sub(r'[^A-Za-z0-9._-]', '-', job.job)[:80]}-{run.attempt}"


def layout(run: Run, job: RunJob, folder: str) -> Layout:
    """Lay out a job: its script names the inputs by the links beside it."""
    here = str(WORKSPACE / folder)
    links: dict[str, str] = {}
    lost: list[str] = []
    names: dict[str, str] = {}
    for number, (staged, origin) in enumerate(_files(job.inputs)):
        name = f"inputs/{number}/{PurePosixPath(origin).name}"
        if _stays(origin):
            links[name] = origin
        else:
            lost.append(origin)
        names[staged] = names[origin] = f"{here}/{name}"
    written = _written(run, job)
    variables = _variables(written)
    for name, place in (("HOME", f"{here}/outputs"), ("TMPDIR", "/tmp")):  # noqa: S108  a path inside the session
        if variables.get(name, "").startswith("/"):
            names[variables[name]] = place
    script = _script(job, variables, names, here, _stdin(written, names))
    files = {SCRIPT: script.encode(), "README.md": _readme(run, job, lost).encode()}
    files["inputs.json"] = json.dumps(job.inputs, indent=1, ensure_ascii=False).encode()
    for name in ("stdout", "stderr"):
        if printed := folders.read_log(run.pk, job.job, name, since=-KEPT_LOG, most=KEPT_LOG):
            files[f"{name}.txt"] = printed
    return Layout(files, links, lost)


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
            if origin.startswith("/") and "\0" not in origin:
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


def _variables(written: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables of a job."""
    found = written.get("environment")
    if not isinstance(found, Mapping):
        return {}
    pairs = {str(name): text(value, 10_000) for name, value in found.items()}
    return {name: value for name, value in pairs.items() if NAME.fullmatch(name)}


def _stdin(written: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return where the command's standard input is now: one of its inputs, by its path inside or on the outside."""
    path = text(written.get("stdin"), 5000)
    if path in names:
        return names[path]
    tail = path[path.find("/in/") :] if "/in/" in path else ""
    return next((place for staged, place in names.items() if tail and staged.endswith(tail)), "/dev/null")


def _script(job: RunJob, variables: Mapping[str, str], names: Mapping[str, str], here: str, stdin: str) -> str:
    lines = ["#!/bin/sh", f"# The command of {_comment(job.job)}, with its inputs as they lie beside this script."]
    lines += [f"cd {shlex.quote(here)} || exit", "mkdir -p outputs && cd outputs || exit"]
    for name, value in variables.items():
        if name in LEFT_OUT:
            continue
        lines.append(
            f'export PATH={shlex.quote(value)}:"$PATH"' if name == "PATH" else f"export {name}={shlex.quote(value)}"
        )
    command = shlex.join(_moved(str(word), names) for word in job.command)
    lines.append(f"exec {command} < {shlex.quote(stdin)}")
    return "\n".join(lines) + "\n"


def _moved(word: str, names: Mapping[str, str]) -> str:
    """Let a word of the command name the inputs where they are now."""
    for staged in sorted(names, key=len, reverse=True):
        word = word.replace(staged, names[staged])
    return word


def _comment(words: str) -> str:
    return " ".join(words.split())


def _readme(run: Run, job: RunJob, lost: list[str]) -> str:
    lines = [f"# {_comment(job.job)} of {_comment(run.title)}", ""]
    state = f" (exit code {job.exit_code})" if job.exit_code is not None else ""
    lines += [f"It {job.state}{state}. {_comment(job.reason)} {_comment(job.advice)}".strip(), ""]
    lines += [f"- `sh {SCRIPT}` repeats its command, here and with the same inputs; outputs go to `outputs`."]
    lines += [
        "- `inputs` leads to its input files, `inputs.json` holds all its inputs.",
        "- `stderr.txt` is its log.",
        "",
    ]
    if lost:
        lines += ["These inputs were made by earlier steps and are not kept any more:", ""]
        lines += [f"- `{_comment(one)[:200]}`" for one in lost[:50]]
        lines += ["", "Run those steps again, or name such files as outputs of the pipeline.", ""]
    return "\n".join(lines)
