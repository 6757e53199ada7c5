"""How the values of inputs are entered: each input as one field or several, and from fields to a job order and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cwl_graph
from cwl_graph import Field, Type
from cwl_graph.cwl_types import NUMBERS

PREFIX = "inputs."
AS_YAML = ":yaml"
"""Behind a field's key: its value is written in YAML, as it would not fit a simpler field."""
SIMPLE = frozenset({"string", "boolean", "enum", "File", "Directory", *NUMBERS})
LONGEST_DEFAULT = 120
ABSENT = object()


@dataclass(frozen=True)
class Shape:
    """One field of the form. `way`: line, number, choice, path, lines, paths or yaml; `parts`: where it belongs."""

    parts: tuple[str, ...]
    type: Type
    way: str
    label: str
    help: str
    needed: bool

    @property
    def key(self) -> str:
        """The field's name in the form."""
        return PREFIX + ".".join(self.parts) + (AS_YAML if self.way == "yaml" else "")

    @property
    def kind(self) -> str:
        """`File` or `Directory` for a path."""
        own = self.type.required
        return (own.items.required if own.array and own.items else own).kind

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What may be chosen."""
        own = self.type.required
        given = [("true", "yes"), ("false", "no")] if own.kind == "boolean" else [(one, one) for one in own.symbols]
        return [("", "" if self.needed else "not given"), *given]


def shapes_of(inputs: Sequence[Field], job: Mapping[str, Any]) -> list[Shape]:
    """List the fields for these inputs; one whose present value would lose something is written in YAML."""
    found: list[Shape] = []
    for field in inputs:
        usual = list(_shapes(field))
        if job.get(field.name) is not None:
            entered, _ = job_of([field], texts_of(usual, job))
            if entered.get(field.name) != job[field.name]:
                usual = [_whole(field)]
        found += usual
    return found


def _whole(field: Field) -> Shape:
    """Return the field that takes any value of an input."""
    help_text = f"{_help(field)} Written in YAML."
    return Shape((field.name,), field.type, "yaml", field.label or field.name, help_text, not field.optional)


def _shapes(field: Field) -> Iterator[Shape]:
    own = field.type.required
    label, hint = field.label or field.name, _help(field)
    if own.kind == "record" and not any(_way(one.type) == "yaml" for one in own.fields):
        for one in own.fields:
            told = one.doc or (hint if one is own.fields[0] else "")
            needed = not one.type.optional and not field.optional
            title = f"{label}: {one.label or one.name}"
            yield Shape((field.name, one.name), one.type, _way(one.type), title, f"{one.type.text}. {told}", needed)
        return
    yield Shape((field.name,), field.type, _way(field.type), label, hint, not field.optional)


def _way(kind: Type) -> str:
    own = kind.required
    if own.kind in {"boolean", "enum"}:
        return "choice"
    if own.kind in {"File", "Directory"}:
        return "path"
    if own.kind in NUMBERS:
        return "number"
    if own.kind == "string":
        return "line"
    item = own.items.required.kind if own.array and own.items and not own.items.optional else ""
    if item in {"File", "Directory"}:
        return "paths"
    return "lines" if item in SIMPLE - {"boolean"} else "yaml"


def _told(default: Any) -> str:
    """Write a default in few words: a file with its text in the document by that text, any other value as JSON."""
    if isinstance(default, Mapping) and isinstance(default.get("contents"), str):
        shown = f"a file with the text “{default['contents'].strip()}”"
    else:
        shown = json.dumps(default, ensure_ascii=False, default=str)
    return shown if len(shown) <= LONGEST_DEFAULT else f"{shown[: LONGEST_DEFAULT - 1]}…"


def _help(field: Field) -> str:
    parts = [f"{field.type.text}."]
    if field.doc:
        parts.append(field.doc.strip())
    if field.format:
        parts.append(f"Format: {', '.join(field.format.split())}.")
    if field.secondary_files:
        names = ", ".join(one.pattern for one in field.secondary_files)
        parts.append(f"Files that have to stand beside it: {names}.")
    if field.has_default:
        parts.append(f"Left empty: {_told(field.default)}.")
    way = _way(field.type)
    if way in {"lines", "paths"}:
        parts.append("One a line.")
    elif way == "yaml" and field.type.required.kind != "record":
        parts.append("Written in YAML.")
    return " ".join(parts)


def _at(job: Mapping[str, Any], parts: tuple[str, ...]) -> Any:
    value: Any = job
    for part in parts:
        if not isinstance(value, Mapping):
            return ABSENT if value is None else value
        value = value.get(part, ABSENT)
        if value is ABSENT:
            return ABSENT
    return value


def texts_of(shapes: Sequence[Shape], job: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands in each field for a job order."""
    values = ((one, _at(job, one.parts)) for one in shapes)
    return {one.key: "" if value is ABSENT or value is None else _text(one, value) for one, value in values}


def rest_of(inputs: Sequence[Field], job: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a job order holds beside the values of these inputs."""
    names = {one.name for one in inputs}
    return {name: value for name, value in job.items() if name not in names}


def job_of(inputs: Sequence[Field], data: Mapping[str, str]) -> tuple[dict[str, Any], list[Shape]]:
    """Return the job order that was entered, and the fields as they were: some may have been in YAML.

    A value that does not read as its type stays a text: checking the job order says what is wrong with it.
    """
    job: dict[str, Any] = {}
    found: list[Shape] = []
    for field in inputs:
        for shape in _entered(field, data):
            found.append(shape)
            text = data.get(shape.key, "").replace("\r\n", "\n")
            value = _value(shape, text)
            if value is ABSENT:
                continue
            target = job
            for part in shape.parts[:-1]:
                target = target.setdefault(part, {})
            target[shape.parts[-1]] = value
    return job, found


def _entered(field: Field, data: Mapping[str, str]) -> list[Shape]:
    """List the fields of an input as they were sent."""
    whole = _whole(field)
    return [whole] if whole.key in data else list(_shapes(field))


def _value(shape: Shape, text: str) -> Any:
    if not text.strip():
        return ABSENT
    own = shape.type.required
    if shape.way == "yaml":
        indented = "\n".join(f"  {line}" for line in text.split("\n"))
        read, problems = cwl_graph.read_job(f"value:\n{indented}")
        return text if problems or "value" not in read else read["value"]
    if shape.way == "path":
        return _file(shape, text)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if shape.way == "paths":
        return [_file(shape, line) for line in lines]
    if shape.way == "lines":
        kind = own.items.required.kind if own.items else "string"
        return [_simple(kind, line) for line in lines]
    return _simple(own.kind, text if own.kind == "string" else text.strip())


def _file(shape: Shape, text: str) -> dict[str, str]:
    return {"class": shape.kind, "location": text.strip()}


def _simple(kind: str, text: str) -> Any:
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    try:
        if kind in {"int", "long"}:
            return int(text)
        if kind in NUMBERS:
            return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        return text
    return text


def _text(shape: Shape, value: Any) -> str:
    if shape.way == "yaml":
        text = cwl_graph.job_text({"value": value})
        body = text.partition(":")[2]
        if body.startswith("\n"):
            lines = body[1:].rstrip("\n").split("\n")
            depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
            return "\n".join(line[depth:] for line in lines)
        return body.strip()
    if shape.way in {"lines", "paths"} and isinstance(value, list):
        return "\n".join(_line(one) for one in value)
    return _line(value)


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("location", ""))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
