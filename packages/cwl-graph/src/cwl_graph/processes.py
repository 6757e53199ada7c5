"""A process of a document (workflow, tool, expression, operation): its fields, requirements and types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cwl_graph.bundles import MOST_IMPORTS, Bundle, short
from cwl_graph.cwl_types import DEEPEST_TYPE, NULL, UNKNOWN, Type, doc_text, last_part, parse_type, secondary_files
from cwl_graph.graphs import Field, Graph
from cwl_graph.tree import Value

CLASSES = ("Workflow", "CommandLineTool", "ExpressionTool", "Operation")

MOST_OF_TYPES = 50_000
"""Values in the types of one document, imported ones counted as often as they are."""
_TYPES = "File, Directory, string, int, long, float, double, boolean, Any"


@dataclass
class Process:
    """A process as read. `version` is that of the document around it."""

    value: Value
    cls: str
    version: str
    id: str = ""
    label: str = ""
    doc: str = ""
    inputs: tuple[Field, ...] = ()
    outputs: tuple[Field, ...] = ()
    requirements: dict[str, Value] = field(default_factory=dict)
    hints: dict[str, Value] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    graph: Graph = field(default_factory=Graph)


def entries(bundle: Bundle, value: Value | None, key: str = "id", depth: int = 0) -> Iterator[tuple[str, Value, Value]]:
    """Yield name, place and value of what CWL writes as a map or as a list with ids. Nameless ones have no name."""
    whole = bundle.follow(value) if value is not None else None
    if whole is None:
        return
    if whole.kind == "map":
        for name, at, each in whole.pairs():
            found = bundle.follow(each)
            if found is not None and name != "$import":
                yield short(name) if key == "id" else name, at, found
        return
    for item in whole.items:
        found = bundle.follow(item)
        if found is None:
            continue
        if found.kind == "list":
            if depth > MOST_IMPORTS:
                bundle.error(item, "Files import one another in a circle.", "Write the imported part out.")
                return
            yield from entries(bundle, found, key, depth + 1)
        elif found.kind == "scalar":
            yield (short(found.text) if key == "id" else found.text), item, found
        else:
            name = found.word(key)
            yield (short(name) if key == "id" else name), item, found


def schema_names(bundle: Bundle, requirement: Value | None) -> dict[str, Any]:
    """Return the types that a SchemaDefRequirement defines, as plain data by every name they are called by."""
    found: dict[str, Any] = {}
    types = bundle.get(requirement, "types") if requirement is not None else None
    for each in types.items if types is not None else []:
        part = bundle.follow(each)
        if part is None:
            continue
        for one in part.items if part.kind == "list" else [part]:
            data = one.plain()
            if isinstance(data, dict) and isinstance(data.get("name"), str):
                name = data["name"].rpartition("#")[2]
                for called in (name, last_part(name), f"{one.file}#{name}", f"{one.file.rpartition('/')[2]}#{name}"):
                    found.setdefault(called, data)
    return found


def read_fields(bundle: Bundle, value: Value | None, names: dict[str, Any], node_of: bool) -> tuple[Field, ...]:  # noqa: FBT001  one of two callers each
    """Return the inputs or outputs of a process. `node_of`: each is a node of the graph, so problems name it."""
    found: dict[str, Field] = {}
    for name, at, each in entries(bundle, value):
        node = name if node_of else ""
        if not name:
            bundle.error(at, "An input or output has no id.", "Give it one: `id: name`.")
        elif name in found:
            bundle.error(at, f"The id `{name}` stands twice.", "Rename one of the two.", node)
        else:
            found[name] = read_field(bundle, name, at, each, names=names, node=node)
    return tuple(found.values())


def _type_of(bundle: Bundle, at: Value, value: Value | None, names: dict[str, Any], node: str) -> Type:
    if value is None:
        bundle.error(at, "The type is missing.", "Add `type:`, such as `File`, `string` or `int`.", node)
        return UNKNOWN
    kind = parse_type(_imported(bundle, value, node), names)
    for one in _unknown(kind):
        told = f"`{one.name}` is no type." if one.name else "This is no type."
        advice = f"Types are {_TYPES}, and what a SchemaDefRequirement names."
        bundle.error(value, told, advice, node)
    return kind


def _imported(bundle: Bundle, value: Value, node: str, depth: int = 0) -> Any:
    """Return plain data of a type with each `$import` followed."""
    bundle.types_read += 1
    if depth > DEEPEST_TYPE * 2 or bundle.types_read > MOST_OF_TYPES:
        advice = "Write the types out, or give those that stand often a name in a SchemaDefRequirement."
        bundle.error(value, "The types of the document are too large, or import themselves.", advice, node)
        return "Any"
    found = bundle.follow(value, node)
    if found is None:
        return "Any"
    if found.kind == "list":
        return [_imported(bundle, each, node, depth + 1) for each in found.items]
    if found.kind == "map":
        return {name: _imported(bundle, each, node, depth + 1) for name, _, each in found.pairs()}
    return found.plain()


def _unknown(kind: Type) -> Iterator[Type]:
    if kind.kind == "unknown":
        yield kind
    if kind.items:
        yield from _unknown(kind.items)
    for member in kind.members:
        yield from _unknown(member)
    for each in kind.fields:
        yield from _unknown(each.type)


def read_field(bundle: Bundle, name: str, at: Value, value: Value, *, names: dict[str, Any], node: str) -> Field:
    """Return one input or output from its full form or its short one (`name: type`)."""
    first, last = min(at.line, value.line), max(at.last_line, value.last_line)
    whole = value.kind == "map" and value.get("type") is not None
    if value.kind != "map" or (whole and _is_bare_type(value)):
        kind = _type_of(bundle, at, value if value.text or value.kind != "scalar" else None, names, node)
        if whole:
            short = "" if "(" in kind.text else f", or its short form `{kind.text}`"
            advice = f"Write `type: {{…}}` around it{short}."
            bundle.error(at, f"The type of `{name}` stands where its fields are expected.", advice, node)
        return Field(name, kind, optional=kind.optional, file=at.file, line=first, last_line=last)
    if value.file != at.file:
        first, last = at.line, at.last_line
    kind = _type_of(bundle, at, value.get("type"), names, node)
    default = value.get("default")
    default = bundle.follow(default, node) if default is not None else None
    given = default is not None and default.plain() is not None
    return Field(
        name=name,
        type=kind,
        label=value.word("label"),
        doc=doc_text(_plain(bundle, value, "doc")),
        optional=kind.optional or given,
        has_default=default is not None,
        default=default.plain() if default is not None else None,
        format=doc_text(_plain(bundle, value, "format")),
        secondary_files=_secondary(bundle, value),
        load_contents=value.word("loadContents") == "true",
        load_listing=value.word("loadListing"),
        streamable=value.word("streamable") == "true",
        file=at.file,
        line=first,
        last_line=last,
    )


def _is_bare_type(value: Value) -> bool:
    """Tell `{type: array, items: …}`, a type in the short form, from `{type: File, label: …}`."""
    kind = value.word("type")
    needed = {"array": "items", "record": "fields", "enum": "symbols"}.get(kind, "")
    return bool(needed) and value.get(needed) is not None


def _secondary(bundle: Bundle, value: Value) -> tuple[Any, ...]:
    own = bundle.get(value, "secondaryFiles")
    if own is None:
        kind = value.get("type")
        own = bundle.get(kind, "secondaryFiles") if kind is not None and kind.kind == "map" else None
    return secondary_files(own.plain()) if own is not None else ()


def _plain(bundle: Bundle, value: Value, name: str) -> Any:
    found = value.get(name)
    if found is None:
        return None
    if found.kind == "map" and found.get("$include") is not None:
        return ""
    followed = bundle.follow(found)
    return followed.plain() if followed is not None else None


def read_process(bundle: Bundle, value: Value, version: str, inherited: dict[str, Any], *, nodes: bool) -> Process:
    """Return a process without its graph. `inherited` holds names of types that the workflow around it defines."""
    cls = value.word("class")
    own_version = value.word("cwlVersion") or version
    process = Process(value, cls, own_version, short(value.word("id")), value.word("label"))
    process.doc = doc_text(_plain(bundle, value, "doc"))
    process.requirements = {name: each for name, _, each in entries(bundle, value.get("requirements"), "class") if name}
    process.hints = {name: each for name, _, each in entries(bundle, value.get("hints"), "class") if name}
    definitions = process.requirements.get("SchemaDefRequirement") or process.hints.get("SchemaDefRequirement")
    process.names = {**inherited, **schema_names(bundle, definitions)}
    process.inputs = read_fields(bundle, value.get("inputs"), process.names, nodes)
    process.outputs = read_fields(bundle, value.get("outputs"), process.names, nodes)
    return process


__all__ = ["CLASSES", "NULL", "Process", "entries", "read_field", "read_fields", "read_process", "schema_names"]
