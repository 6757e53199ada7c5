"""Compiled plans: what cwltool works out anew for every job, worked out once for tools that can be decided statically.

A tool has a plan when nothing in it needs JavaScript and its inputs, bindings and outputs are of the plain kinds below;
a job has one when its input values are plain, too. For everything else, and whenever something unusual shows up (a
value that doesn't fit its type, an output that isn't there), cwltool's own path is taken from the start or for the rest
of the job: plans know the smooth way only, and differential tests hold both ways against each other.
"""

from __future__ import annotations

import dataclasses
import functools
import glob
import locale
import math
import os
import stat
from collections.abc import Callable, Mapping
from typing import Any

from cwl_utils import expression
from cwltool.builder import Builder
from cwltool.errors import WorkflowException
from schema_salad.ref_resolver import file_uri

from cwl_runner.digests import Digests
from cwl_runner.roots import local_path

UNKNOWN: Any = object()
INT, LONG = 2**31, 2**63


class NotPlain(Exception):  # noqa: N818 - not an error: cwltool's own way is taken
    """Something that plans don't know."""


@dataclasses.dataclass(frozen=True)
class Input:
    """One input: its scalar type, whether it is an array of it, whether null will do, and its default."""

    name: str
    kind: str
    array: bool
    optional: bool
    default: Any


@dataclasses.dataclass(frozen=True)
class Word:
    """One place in the command line: a constant, an expression, or an input by name."""

    position: list[int | str]
    constant: str | None = None
    value_from: str | None = None
    source: str = ""
    prefix: str | None = None
    separate: bool = True
    separator: str | None = None
    array: bool = False


@dataclasses.dataclass(frozen=True)
class Output:
    """One output: file or folder, one or many, found by patterns."""

    name: str
    kind: str
    array: bool
    optional: bool
    patterns: list[str]


@dataclasses.dataclass(frozen=True)
class Bound:
    """A plan applied to the inputs of one job."""

    inputs: dict[str, Any]
    files: list[tuple[str, str]]
    """Source and staged path of each input file."""
    command: list[str]
    variables: dict[str, str]
    stdin: str | None
    stdout: str | None
    stderr: str | None
    patterns: list[list[str]]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is known of a tool before any of its jobs."""

    inputs: list[Input]
    words: list[Word]
    outputs: list[Output]
    variables: list[tuple[str, str]]
    streams: dict[str, str]
    requirements: list[Any]
    resources: dict[str, Any]
    version: str
    seconds: int | None
    network: bool
    plain: bool
    """Whether no expression at all has to be evaluated."""

    def bind(self, order: Mapping[str, Any], inside: str, software: str, path: str) -> Bound | None:
        """Apply the plan to input values (by short name); None when they aren't plain."""
        files: dict[str, tuple[str, str]] = {}
        values: dict[str, Any] = dict(order)
        for entry in self.inputs:
            value = _value(entry, order.get(entry.name), f"{inside}/in", files)
            if value is UNKNOWN:
                return None
            values[entry.name] = value
        evaluate = functools.partial(self._evaluate, values, inside)
        try:
            command = [text for word in self.words for text in _arguments(word, values, evaluate)]
            variables = {"HOME": f"{inside}/out", "TMPDIR": f"{inside}/tmp", "PATH": path}  # noqa: S108 - a folder of its own
            variables = {**{name: _text(evaluate(text)) for name, text in self.variables}, **variables}
            streams = {name: _text(evaluate(text)) for name, text in self.streams.items()}
            patterns = [[_text(evaluate(each)) for each in output.patterns] for output in self.outputs]
        except (NotPlain, WorkflowException):
            return None
        if software:
            variables |= {"PATH": f"{software}/bin:{variables['PATH']}", "VIRTUAL_ENV": software}
        staged = {target: source for source, target in files.values()}
        stdin = streams.get("stdin")
        out, err = streams.get("stdout"), streams.get("stderr")
        names = [name for name in (out, err) if name is not None]
        if (stdin is not None and stdin not in staged) or any(not _safe(name) for name in names) or not command:
            return None
        if any(not _safe(each) for group in patterns for each in group):
            return None
        return Bound(values, list(files.values()), command, variables, staged.get(stdin or ""), out, err, patterns)

    def _evaluate(self, values: dict[str, Any], inside: str, text: str, context: Any = None) -> Any:
        if "$" not in text and "\\" not in text:
            return text
        resources = {**self.resources, "cores": math.ceil(self.resources["cores"])}
        return expression.do_eval(
            text,
            values,
            self.requirements,
            f"{inside}/out",
            f"{inside}/tmp",  # noqa: S108 - a folder of its own
            resources,
            context,
            cwlVersion=self.version,
        )

    def collect(self, bound: Bound, out: str, digests: Digests) -> dict[str, Any] | None:
        """Find the outputs below a folder; None when one isn't as it should be."""
        found: dict[str, Any] = {}
        for output, patterns in zip(self.outputs, bound.patterns, strict=True):
            entries = [_entry(path, digests) for pattern in patterns for path in _matches(out, pattern)]
            if any(entry["class"] != output.kind for entry in entries):
                return None
            if output.array:
                found[output.name] = entries or (None if output.optional else [])
            elif len(entries) == 1:
                found[output.name] = entries[0]
            elif entries or not output.optional:
                return None
            else:
                found[output.name] = None
        return found


def _value(entry: Input, value: Any, stage: str, files: dict[str, tuple[str, str]]) -> Any:
    """Check one value against its type; files get their staged paths."""
    if value is None:
        value = entry.default
    if value is None:
        return None if entry.optional else UNKNOWN
    if not entry.array:
        return _scalar(entry.kind, value, stage, files)
    if not isinstance(value, list):
        return UNKNOWN
    items = [_scalar(entry.kind, item, stage, files) for item in value]
    return UNKNOWN if any(item is UNKNOWN for item in items) else items


def _scalar(kind: str, value: Any, stage: str, files: dict[str, tuple[str, str]]) -> Any:
    if kind in ("File", "Directory"):
        return _file(kind, value, stage, files)
    fits: Callable[[Any], bool] = {
        "string": lambda each: isinstance(each, str),
        "boolean": lambda each: isinstance(each, bool),
        "int": lambda each: isinstance(each, int) and not isinstance(each, bool) and -INT <= each < INT,
        "long": lambda each: isinstance(each, int) and not isinstance(each, bool) and -LONG <= each < LONG,
    }.get(kind, lambda each: isinstance(each, int | float) and not isinstance(each, bool))
    return value if fits(value) else UNKNOWN


def _file(kind: str, value: Any, stage: str, files: dict[str, tuple[str, str]]) -> Any:
    """Give a file its staged path; only one that lies somewhere, alone, is plain."""
    if (
        not isinstance(value, dict)
        or value.get("class") != kind
        or set(value) & {"secondaryFiles", "contents", "listing"}
    ):
        return UNKNOWN
    location, name = str(value.get("location", "")), value.get("basename")
    path = local_path(location)
    if not path or "#" in location or not isinstance(name, str) or name in ("", ".", "..") or "/" in name:
        return UNKNOWN
    if location not in files:
        files[location] = (path, f"{stage}/{len(files)}/{name}")
    target = files[location][1]
    folder, staged = os.path.split(target)
    if staged != name:
        return UNKNOWN
    value = {**value, "path": target}
    if kind == "File":
        root, extension = os.path.splitext(name)  # noqa: PTH122 - as CWL splits names
        value |= {"dirname": folder, "nameroot": root, "nameext": extension}
    return value


def _arguments(word: Word, values: dict[str, Any], evaluate: Callable[..., Any]) -> list[str]:
    """Give the words of the command line for one binding, as cwltool's `generate_arg` does."""
    if word.constant is not None:
        return [word.constant]
    value = values[word.source] if word.source else evaluate(word.value_from)
    head = [word.prefix] if word.prefix is not None else []
    if isinstance(value, list):
        if not word.source:
            raise NotPlain
        if not value:
            return []
        items = [_told(item) for item in value]
        if word.separator is None:
            return [*([word.prefix] if word.prefix else []), *items]
        value = word.separator.join(items)
    elif value is None or value is False or (value is True and not word.prefix):
        return []
    elif value is True:
        return [str(word.prefix)]
    elif isinstance(value, dict) and value.get("class") not in ("File", "Directory"):
        raise NotPlain
    text = _told(value)
    return [*head, text] if word.separate else [f"{word.prefix}{text}"]


def _told(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        raise NotPlain
    return Builder.tostr(None, value)  # type: ignore[arg-type]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise NotPlain
    return value


def _safe(name: str) -> bool:
    """Say whether a name or pattern stays inside the job's folder."""
    return not name.startswith("/") and ".." not in name and name != "."


def _matches(out: str, pattern: str) -> list[str]:
    path = f"{out}/{pattern}"
    if not glob.has_magic(pattern):
        return [path] if os.path.lexists(path) else []
    return sorted(glob.glob(path), key=functools.cmp_to_key(locale.strcoll))  # noqa: PTH207 - as cwltool finds them


def _entry(path: str, digests: Digests) -> dict[str, Any]:
    """Describe a file or folder as cwltool does."""
    name = os.path.basename(path.rstrip("/"))  # noqa: PTH119 - for every output
    root, extension = os.path.splitext(name)  # noqa: PTH122 - as CWL splits names
    location = file_uri(path)
    try:
        found = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return {"class": "neither"}
    if stat.S_ISDIR(found.st_mode):
        told = {"location": location, "basename": name, "nameroot": root, "nameext": extension}
        return {**told, "class": "Directory"}
    if not stat.S_ISREG(found.st_mode):
        return {"class": "neither"}
    return {
        "location": location,
        "basename": name,
        "nameroot": root,
        "nameext": extension,
        "class": "File",
        "checksum": digests.of_file(path),
        "size": found.st_size,
    }
