"""Job orders: the values of a process's inputs, read from text, checked against the form, written again."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, Literal
from urllib.parse import unquote

from cwl_graph.cwl_types import NUMBERS, SecondaryFile, Type
from cwl_graph.documents import Document
from cwl_graph.graphs import Field
from cwl_graph.problems import Problem
from cwl_graph.tree import Tree, Value
from cwl_graph.writing import block_lines, flow_text

Exists = Callable[[str], str]
"""Says what is at a path inside the workload: `File`, `Directory`, or an empty text for nothing."""

MOST_SAID = 100
"""Problems of one job order that are told."""

_RANGES = {"int": 2**31, "long": 2**63}
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):")
_KINDS = {dict: "a map", list: "a list", str: "text", bool: "true or false", int: "a whole number", float: "a number"}

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class _Found:
    """Something wrong with one value."""

    path: Path
    message: str
    advice: str = ""
    severity: Literal["error", "warning"] = "error"


def read_job(text: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return a job order from YAML or JSON, and what keeps it from being read."""
    tree = Tree(text)
    if tree.root is None:
        return {}, list(tree.problems)
    if tree.root.kind != "map":
        if tree.root.plain() is None:
            return {}, []
        return {}, [
            Problem("error", "A job order is a map: `input: value`.", "Write one input a line.", line=tree.root.line)
        ]
    return tree.root.plain(), []


def job_text(job: Mapping[str, Any], style: Literal["yaml", "json"] = "yaml") -> str:
    """Return a job order as text that reads back the same."""
    if style == "json":
        return json.dumps(job, indent=2, ensure_ascii=False) + "\n"
    return "\n".join(block_lines(dict(job), 0)) + "\n" if job else flow_text({}) + "\n"


def check_job(
    document: Document,
    job: Mapping[str, Any],
    *,
    text: str = "",
    exists: Exists | None = None,
    roots: tuple[str, ...] = (),
) -> list[Problem]:
    """Return what is wrong with the values for a document's inputs; `node` names the input.

    `text`: the job order's text, for lines. `exists`: what is at a path. `roots`: folders in which files must lie.
    """
    checker = _Checker(exists, tuple(posixpath.normpath(root) for root in roots))
    found: list[_Found] = []
    for field in document.inputs:
        found += islice(checker.field(field, job.get(field.name), given=field.name in job), MOST_SAID)
    names = [field.name for field in document.inputs]
    for name in job:
        if name not in names and ":" not in name and name != "id" and not name.startswith("$"):
            near = get_close_matches(name, names, 1)
            advice = f"Is it `{near[0]}`?" if near else f"Its inputs: {', '.join(names) or 'none'}."
            found.append(_Found((name,), f"There is no input `{name}`.", advice, "warning"))
    root = Tree(text).root if text else None
    return [_problem(each, root) for each in found[:MOST_SAID]]


def _problem(found: _Found, root: Value | None) -> Problem:
    at = root
    for part in found.path:
        inner = _inside(at, part) if at is not None else None
        if inner is None:
            break
        at = inner
    line, column = (at.line, at.column) if at is not None else (0, 0)
    return Problem(found.severity, found.message, found.advice, "", line, column, str(found.path[0]))


def _inside(value: Value, part: str | int) -> Value | None:
    own = value.real
    if isinstance(part, int):
        return own.items[part] if own.kind == "list" and part < len(own.items) else None
    return next((each for name, _, each in own.pairs() if name == part), None) if own.kind == "map" else None


def _told(path: Path) -> str:
    text = str(path[0])
    for part in path[1:]:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"`{text}`"


class _Checker:
    def __init__(self, exists: Exists | None, roots: tuple[str, ...]) -> None:
        self.exists = exists
        self.roots = roots

    def field(self, field: Field, value: Any, *, given: bool) -> Iterator[_Found]:
        """Yield what is wrong with the value of one input."""
        if value is None:
            if field.optional:
                return
            if not given:
                yield _Found((field.name,), f"`{field.name}` ({field.type.text}) is missing.", _hint(field.type))
                return
        yield from self.value((field.name,), value, field.type, field.secondary_files)

    def value(self, path: Path, value: Any, kind: Type, files: tuple[SecondaryFile, ...]) -> Iterator[_Found]:
        """Yield what is wrong with a value of a type."""
        if kind.kind in {"unknown", "Any"}:
            if value is None and kind.kind == "Any":
                yield _Found(path, f"{_told(path)} is empty.", "Give it a value.")
        elif kind.kind == "union":
            yield from self.union(path, value, kind, files)
        elif kind.kind == "array":
            yield from self.array(path, value, kind, files)
        elif kind.kind == "record":
            yield from self.record(path, value, kind)
        elif kind.kind in {"File", "Directory"}:
            yield from self.place(path, value, kind.kind, files)
        elif not _is_simple(value, kind):
            yield self.wrong(path, value, kind)

    def wrong(self, path: Path, value: Any, kind: Type) -> _Found:
        shown = json.dumps(value, ensure_ascii=False, default=str)
        shown = shown if len(shown) < 40 else shown[:37] + "…"  # noqa: PLR2004  what fits a sentence
        if kind.kind in _RANGES and isinstance(value, int) and not isinstance(value, bool):
            limit = _RANGES[kind.kind]
            return _Found(
                path, f"{_told(path)} is {shown}: too large for {kind.text}.", f"The range is -{limit} to {limit - 1}."
            )
        if kind.kind == "enum" and isinstance(value, str):
            near = get_close_matches(value, kind.symbols, 1)
            advice = f"Is it `{near[0]}`?" if near else f"Choose one of {', '.join(kind.symbols)}."
            return _Found(path, f"{_told(path)} can't be {shown}.", advice)
        what = "empty" if value is None else f"{shown}, {_KINDS.get(type(value), 'something else')}"
        return _Found(path, f"{_told(path)} is {what}; {kind.text} is wanted.", _hint(kind))

    def union(self, path: Path, value: Any, kind: Type, files: tuple[SecondaryFile, ...]) -> Iterator[_Found]:
        best: list[_Found] | None = None
        for member in kind.members:
            found = list(islice(self.value(path, value, member, files), MOST_SAID))
            if not any(one.severity == "error" for one in found):
                yield from found
                return
            if _same_shape(value, member) and (best is None or len(found) < len(best)):
                best = found
        if best is not None:
            yield from best
        else:
            yield self.wrong(path, value, kind)

    def array(self, path: Path, value: Any, kind: Type, files: tuple[SecondaryFile, ...]) -> Iterator[_Found]:
        if not isinstance(value, list):
            yield self.wrong(path, value, kind)
            return
        for index, each in enumerate(value):
            if kind.items is not None:
                yield from self.value((*path, index), each, kind.items, files)

    def record(self, path: Path, value: Any, kind: Type) -> Iterator[_Found]:
        if not isinstance(value, Mapping):
            yield self.wrong(path, value, kind)
            return
        for field in kind.fields:
            each = value.get(field.name)
            if each is None and field.type.optional:
                continue
            if field.name not in value:
                yield _Found(path, f"{_told(path)} lacks `{field.name}` ({field.type.text}).", _hint(field.type))
            else:
                yield from self.value((*path, field.name), each, field.type, field.secondary_files)
        names = [field.name for field in kind.fields]
        for name in value:
            if name not in names:
                near = get_close_matches(str(name), names, 1)
                advice = f"Is it `{near[0]}`?" if near else f"Its fields: {', '.join(names)}."
                yield _Found((*path, str(name)), f"{_told(path)} has no field `{name}`.", advice, "warning")

    def place(self, path: Path, value: Any, kind: str, files: tuple[SecondaryFile, ...]) -> Iterator[_Found]:
        """Yield what is wrong with a File or a Directory."""
        if not isinstance(value, Mapping) or value.get("class") != kind:
            is_other = isinstance(value, Mapping) and value.get("class") in {"File", "Directory"}
            told = (
                f"is a {value['class']}"
                if is_other
                else "names no class"
                if isinstance(value, Mapping)
                else f"is {_KINDS.get(type(value), 'empty')}"
            )
            yield _Found(path, f"{_told(path)} {told}; a {kind} is wanted.", _hint(Type(kind)))
            return
        location = value.get("location", value.get("path"))
        if location is None:
            literal = "contents" if kind == "File" else "listing"
            if value.get(literal) is None:
                yield _Found(path, f"{_told(path)} says nowhere where it is.", "Add `location:` with its path.")
        elif not isinstance(location, str) or not location:
            yield _Found(path, f"The `location` of {_told(path)} is no text.", "Write a path.")
        else:
            yield from self.located(path, location, kind, files, value)
        inner = value.get("listing" if kind == "Directory" else "secondaryFiles")
        for index, each in enumerate(inner if isinstance(inner, list) else []):
            own = each.get("class") if isinstance(each, Mapping) else None
            key = "listing" if kind == "Directory" else "secondaryFiles"
            yield from self.place((*path, key, index), each, own if own in {"File", "Directory"} else "File", ())

    def located(
        self, path: Path, location: str, kind: str, files: tuple[SecondaryFile, ...], value: Mapping[str, Any]
    ) -> Iterator[_Found]:
        scheme = _SCHEME.match(location)
        if scheme and scheme["scheme"].lower() != "file":
            advice = "Bring the file into a volume first."
            yield _Found(path, f"{_told(path)} is at `{location}`; nothing is fetched.", advice)
            return
        place = unquote(re.sub(r"^file:(//[^/]*)?", "", location, flags=re.IGNORECASE)) if scheme else location
        place = posixpath.normpath(place)
        if self.roots and not any(place == root or place.startswith(root.rstrip("/") + "/") for root in self.roots):
            told = f"{_told(path)} is at `{location}`, outside of what a run may see."
            yield _Found(path, told, f"Choose a file below {', '.join(self.roots)}.")
            return
        if self.exists is None:
            return
        there = self.exists(place)
        if there != kind:
            told = f"is a {there}, not a {kind}" if there else "is not there"
            yield _Found(path, f"{_told(path)}: `{place}` {told}.", "Choose it again.")
            return
        if kind == "File" and not value.get("secondaryFiles"):
            for each in files:
                beside = secondary_path(place, each.pattern)
                if each.required is not False and beside and not self.exists(beside):
                    yield _Found(
                        path, f"{_told(path)} needs `{beside}` beside it, which is not there.", "Put it there."
                    )


def secondary_path(path: str, pattern: str) -> str:
    """Return the path of a file's companion; an empty text where an expression decides."""
    if "$(" in pattern or "${" in pattern:
        return ""
    folder, _, name = path.rpartition("/")
    while pattern.startswith("^"):
        pattern = pattern[1:]
        name = name.rpartition(".")[0] or name
    return f"{folder}/{name}{pattern}"


def _is_simple(value: Any, kind: Type) -> bool:  # noqa: PLR0911  one answer a kind of type
    if kind.kind == "null":
        return value is None
    if kind.kind == "boolean":
        return isinstance(value, bool)
    if kind.kind == "string":
        return isinstance(value, str)
    if kind.kind == "enum":
        return isinstance(value, str) and value in kind.symbols
    if isinstance(value, bool) or kind.kind not in NUMBERS:
        return False
    if kind.kind in _RANGES:
        limit = _RANGES[kind.kind]
        return isinstance(value, int) and -limit <= value < limit
    return isinstance(value, int | float)


def _same_shape(value: Any, kind: Type) -> bool:
    """Say whether a value was surely meant as this member of a union."""
    if isinstance(value, Mapping):
        own = value.get("class")
        return kind.kind in {"File", "Directory"} or (kind.kind == "record" and own not in {"File", "Directory"})
    if isinstance(value, list):
        return kind.array
    if isinstance(value, int) and not isinstance(value, bool):
        return kind.kind in _RANGES
    return isinstance(value, str) and kind.kind in {"enum", "File", "Directory"}


def _hint(kind: Type) -> str:
    """Return how a value of a type is written."""
    own = kind.required
    if own.kind in {"File", "Directory"}:
        return f"Write `{{class: {own.kind}, location: /path}}`."
    if own.kind == "boolean":
        return "Write `true` or `false`."
    if own.kind == "enum":
        return f"Choose one of {', '.join(own.symbols)}."
    if own.kind == "record":
        return f"Write a map with {', '.join(field.name for field in own.fields)}."
    if own.array:
        return "Write a list: `[a, b]`."
    return "Put it in quotes." if own.kind == "string" else ""
