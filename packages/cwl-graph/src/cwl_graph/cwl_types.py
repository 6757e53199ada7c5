"""CWL's types: read from what a document says, and shown as short texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "string", "File", "Directory", "Any"})
STREAMS = frozenset({"stdin", "stdout", "stderr"})
NUMBERS = frozenset({"int", "long", "float", "double"})
DEEPEST_TYPE = 20
"""Levels of arrays and records in one type."""
LARGEST_TYPE = 2000
"""Types inside one type, named ones counted as often as they stand."""

_SHORT = re.compile(r"(?P<base>.+?)(?P<marks>(?:\[\]|\?)+)\Z", re.DOTALL)
_MARK = re.compile(r"\[\]|\?")


@dataclass(frozen=True)
class SecondaryFile:
    """A file that travels with another one: `.bai` is appended, each `^` first takes one extension away."""

    pattern: str
    required: bool | None = None
    """None where the document doesn't say: inputs need theirs, outputs may lack them."""


@dataclass(frozen=True)
class RecordField:
    """One field of a record."""

    name: str
    type: Type
    label: str = ""
    doc: str = ""
    secondary_files: tuple[SecondaryFile, ...] = ()


@dataclass(frozen=True)
class Type:
    """A type. `kind` is one of CWL's primitive types, or `array`, `enum`, `record`, `union`, or `unknown`."""

    kind: str
    items: Type | None = None
    fields: tuple[RecordField, ...] = ()
    symbols: tuple[str, ...] = ()
    members: tuple[Type, ...] = ()
    name: str = ""

    @property
    def array(self) -> bool:
        return self.kind == "array"

    @property
    def optional(self) -> bool:
        """Whether null is a value of this type."""
        return self.kind == "null" or any(member.kind == "null" for member in self.members)

    @property
    def required(self) -> Type:
        """The type without null."""
        if self.kind != "union":
            return self
        members = tuple(member for member in self.members if member.kind != "null")
        return members[0] if len(members) == 1 else replace(self, members=members)

    @property
    def text(self) -> str:
        """The type in one line, as CWL's short form writes it where it has one: `File[]?`, `enum(a, b)`."""
        if self.kind == "array" and self.items:
            inner = self.items.text
            return f"({inner})[]" if " | " in inner else f"{inner}[]"
        if self.kind == "enum":
            return self.name or f"enum({', '.join(self.symbols)})"
        if self.kind == "record":
            return self.name or f"record({', '.join(field.name for field in self.fields)})"
        if self.kind == "union":
            rest = self.required
            if self.optional and rest.kind != "union":
                return f"{rest.text}?"
            return " | ".join(member.text for member in self.members)
        return self.name if self.kind == "unknown" and self.name else self.kind

    def __str__(self) -> str:
        return self.text


ANY = Type("Any")
NULL = Type("null")
UNKNOWN = Type("unknown")


def array_of(item: Type) -> Type:
    """Return the array of a type."""
    return Type("array", items=item)


def union_of(members: list[Type]) -> Type:
    """Return the union of types, flat and each once; a single type stays what it is."""
    flat: list[Type] = []
    for member in members:
        for each in member.members if member.kind == "union" else (member,):
            if each not in flat:
                flat.append(each)
    return flat[0] if len(flat) == 1 else Type("union", members=tuple(flat))


def optional(kind: Type) -> Type:
    """Return the type with null added."""
    return kind if kind.optional else union_of([NULL, kind])


def parse_type(data: Any, names: Mapping[str, Any] | None = None) -> Type:
    """Return the type that plain data of a document describes.

    `names` holds the types of SchemaDefRequirement by name, as plain data. What can't be read has the kind `unknown`.
    """
    return _TypeReader().read(data, names or {}, 0)


class _TypeReader:
    """Reads one type, up to a size: named types may stand for more than anybody can hold."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, data: Any, names: Mapping[str, Any], depth: int) -> Type:
        self.count += 1
        if depth > DEEPEST_TYPE or self.count > LARGEST_TYPE:
            return Type("unknown", name="(too large a type)")
        if isinstance(data, str):
            return self.of_text(data, names, depth)
        if isinstance(data, list):
            return union_of([self.read(each, names, depth + 1) for each in data]) if data else UNKNOWN
        return self.of_map(data, names, depth) if isinstance(data, Mapping) else UNKNOWN

    def of_text(self, text: str, names: Mapping[str, Any], depth: int) -> Type:
        marked = _SHORT.match(text)
        if marked and text not in names:
            kind = self.read(marked["base"], names, depth + 1)
            for mark in _MARK.findall(marked["marks"]):
                kind = array_of(kind) if mark == "[]" else optional(kind)
            return kind
        if text in PRIMITIVES:
            return Type(text)
        if text in STREAMS:
            return Type("File", name=text)
        for name in (text, text.removeprefix("#"), text.rpartition("#")[2], text.rpartition("/")[2]):
            if name in names:
                found = self.read(names[name], {k: v for k, v in names.items() if k != name}, depth + 1)
                return replace(found, name=name.rpartition("#")[2].rpartition("/")[2])
        return Type("unknown", name=text)

    def of_map(self, data: Mapping[str, Any], names: Mapping[str, Any], depth: int) -> Type:
        kind = data.get("type")
        name = last_part(str(data.get("name") or ""))
        if kind == "array":
            return Type("array", items=self.read(data.get("items"), names, depth + 1), name=name)
        if kind == "enum":
            symbols = data.get("symbols")
            texts = [str(each) for each in symbols] if isinstance(symbols, list) else []
            return Type("enum", symbols=tuple(last_part(each) for each in texts), name=name)
        if kind == "record":
            return Type("record", fields=self.fields(data.get("fields"), names, depth), name=name)
        return self.read(kind, names, depth + 1) if kind is not None else UNKNOWN

    def fields(self, data: Any, names: Mapping[str, Any], depth: int) -> tuple[RecordField, ...]:
        if isinstance(data, Mapping):
            listed = [(name, each) for name, each in data.items()]
        elif isinstance(data, list):
            listed = [(str(each.get("name", "")), each) for each in data if isinstance(each, Mapping)]
        else:
            listed = []
        found = []
        for name, each in listed:
            whole = each if isinstance(each, Mapping) and "type" in each and not is_bare_type(each) else {"type": each}
            kind = self.read(whole.get("type"), names, depth + 1)
            files = secondary_files(whole.get("secondaryFiles"))
            found.append(
                RecordField(last_part(name), kind, str(whole.get("label") or ""), doc_text(whole.get("doc")), files)
            )
        return tuple(found)


def is_bare_type(data: Mapping[str, Any]) -> bool:
    """Tell `{type: array, items: …}`, a type, from `{type: File, label: …}`, a field with its type."""
    needed = {"array": "items", "record": "fields", "enum": "symbols"}.get(str(data.get("type")), "")
    return bool(needed) and needed in data


def last_part(name: str) -> str:
    """Return the last part of an id: `#main/step/x` is `x`."""
    return name.rpartition("#")[2].rpartition("/")[2]


def doc_text(data: Any) -> str:
    """Return a `doc`, which may be a text or a list of texts."""
    if isinstance(data, list):
        return "\n".join(str(each) for each in data)
    return "" if data is None else str(data)


def secondary_files(data: Any) -> tuple[SecondaryFile, ...]:
    """Return the patterns of a `secondaryFiles` in any of its forms."""
    found = []
    for each in data if isinstance(data, list) else [data]:
        if isinstance(each, str):
            pattern, required = (each[:-1], False) if each.endswith("?") else (each, None)
            found.append(SecondaryFile(pattern, required))
        elif isinstance(each, Mapping) and isinstance(each.get("pattern"), str):
            required = each.get("required")
            pattern = each["pattern"]
            if pattern.endswith("?"):
                pattern, required = pattern[:-1], False
            found.append(SecondaryFile(pattern, required if isinstance(required, bool) else None))
    return tuple(found)


def type_data(kind: Type) -> Any:
    """Return a type as plain data, in CWL's short form where it has one. Inverse of `parse_type`."""
    if kind.kind == "union":
        rest = kind.required
        short_form = type_data(rest) if rest.kind != "union" else None
        if kind.optional and isinstance(short_form, str):
            return f"{short_form}?"
        return [type_data(member) for member in kind.members]
    if kind.kind == "array" and kind.items:
        inner = type_data(kind.items)
        return (
            f"{inner}[]"
            if isinstance(inner, str) and "?" not in inner and "[" not in inner
            else {"type": "array", "items": inner}
        )
    if kind.kind == "enum":
        return {"type": "enum", **({"name": kind.name} if kind.name else {}), "symbols": list(kind.symbols)}
    if kind.kind == "record":
        fields = {field.name: type_data(field.type) for field in kind.fields}
        fields = {name: {"type": data} if isinstance(data, dict) else data for name, data in fields.items()}
        return {"type": "record", **({"name": kind.name} if kind.name else {}), "fields": fields}
    return kind.name if kind.kind == "unknown" and kind.name else kind.kind
