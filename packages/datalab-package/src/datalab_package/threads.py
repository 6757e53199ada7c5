"""Predefined processing threads: a command with named inputs and outputs, run by one click."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from datalab_package.texts import Keys

THREAD_KEYS = {"name", "title", "description", "command", "inputs", "outputs"}
INPUT_KEYS = {"name", "title", "type", "default", "formats", "choices", "minimum", "maximum"}
OUTPUT_KEYS = {"name", "title", "path"}
INPUT_TYPES = ("file", "number", "text", "choice")

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class ThreadInput:
    """What a thread asks for. `formats` are file name endings such as `fits`; bounds hold for numbers."""

    name: str
    title: str
    type: str = "text"
    default: str = ""
    formats: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class ThreadOutput:
    """What a thread leaves: a file or folder, by its path in the folder where it ran."""

    name: str
    title: str
    path: str


@dataclass(frozen=True)
class Thread:
    """One processing thread. In `command`, `{name}` stands for an input's value or an output's path."""

    name: str
    title: str
    description: str
    command: tuple[str, ...]
    inputs: tuple[ThreadInput, ...] = ()
    outputs: tuple[ThreadOutput, ...] = ()

    def command_for(self, values: dict[str, str]) -> list[str]:
        """Return the command with these inputs (their defaults otherwise) and the outputs' paths put in."""
        known = {one.name: values.get(one.name, one.default) for one in self.inputs}
        known |= {one.name: one.path for one in self.outputs}
        return [PLACE.sub(lambda found: known.get(found[1], found[0]), word) for word in self.command]


def read_threads(keys: Keys) -> tuple[Thread, ...]:
    """Read the key `threads` of a package's set-up; raise `PackageProblem` on what can't be used."""
    threads = tuple(_thread(one) for one in keys.tables("threads", THREAD_KEYS))
    names = [one.name for one in threads]
    for name in names:
        if names.count(name) > 1:
            raise keys.wrong("threads", f"two are called “{name}”")
    return threads


def _thread(keys: Keys) -> Thread:
    thread = Thread(
        name=_name(keys),
        title=keys.text("title", longest=120, needed=True),
        description=keys.text("description", longest=5000),
        command=tuple(keys.command("command", needed=True)),
        inputs=tuple(_input(one) for one in keys.tables("inputs", INPUT_KEYS)),
        outputs=tuple(_output(one) for one in keys.tables("outputs", OUTPUT_KEYS)),
    )
    known = [*(one.name for one in thread.inputs), *(one.name for one in thread.outputs)]
    for name in known:
        if known.count(name) > 1:
            raise keys.wrong("inputs", f"two inputs or outputs are called “{name}”")
    for word in thread.command:
        for name in PLACE.findall(word):
            near = difflib.get_close_matches(name, known, 1)
            if name not in known and near:
                raise keys.wrong("command", f"{{{name}}} is no input or output", f"Did you mean {{{near[0]}}}?")
    return thread


def _name(keys: Keys) -> str:
    name = keys.text("name", longest=40, needed=True)
    if not NAME.fullmatch(name):
        raise keys.wrong("name", f"“{name}” is not a name", "Use small letters, digits and _, a letter first.")
    return name


def _input(keys: Keys) -> ThreadInput:
    name = _name(keys)
    kind = keys.choice("type", INPUT_TYPES) or "text"
    one = ThreadInput(
        name=name,
        title=keys.text("title", longest=120) or name,
        type=kind,
        default=keys.text("default", longest=1000),
        formats=tuple(keys.words("formats")),
        choices=tuple(keys.words("choices")),
        minimum=_number(keys, "minimum"),
        maximum=_number(keys, "maximum"),
    )
    if (kind == "choice") != bool(one.choices):
        raise keys.wrong("choices", "belong to the type choice, and only to that")
    if one.choices and one.default and one.default not in one.choices:
        raise keys.wrong("default", f"“{one.default}” is none of the choices")
    if kind == "number" and one.default:
        number = _number(keys, "default") or 0.0
        if (one.minimum is not None and number < one.minimum) or (one.maximum is not None and number > one.maximum):
            raise keys.wrong("default", "lies outside minimum and maximum")
    return one


def _number(keys: Keys, key: str) -> float | None:
    text = keys.text(key, longest=40)
    try:
        return float(text) if text else None
    except ValueError:
        raise keys.wrong(key, f"“{text}” is not a number") from None


def _output(keys: Keys) -> ThreadOutput:
    name = _name(keys)
    path = keys.text("path", longest=300, needed=True)
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise keys.wrong("path", "must lie in the folder where the thread runs", "Write a path such as results/a.fits.")
    return ThreadOutput(name=name, title=keys.text("title", longest=120) or name, path=path)
