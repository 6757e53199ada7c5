"""What can be changed in a document: one small class for each thing a person does in an editor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal

from cwl_graph.problems import Refused


@dataclass(frozen=True)
class AddStep:
    """Add a step that runs `run`: a path of the bundle, or a process as plain data. `sources`: input → source."""

    id: str
    run: str | dict[str, Any]
    label: str = ""
    sources: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AddInput:
    """Add an input of the workflow or tool. `more` holds further fields (doc, default, format, inputBinding…)."""

    id: str
    type: Any
    label: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AddOutput:
    """Add an output; of a workflow with its source, as node and port. Without a type, that of the source is taken."""

    id: str
    type: Any = None
    source_node: str = ""
    source_port: str = ""
    label: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Remove:
    """Take a node away, with the links from it."""

    node: str


@dataclass(frozen=True)
class Connect:
    """Make a link. `add` keeps the sources that are there; `fit` makes it fit by scatter or by a converter."""

    source_node: str
    source_port: str
    target_node: str
    target_port: str
    add: bool = False
    fit: Literal["fits", "scatter", "convert"] = "fits"


@dataclass(frozen=True)
class Disconnect:
    """Take a link away."""

    source_node: str
    source_port: str
    target_node: str
    target_port: str


@dataclass(frozen=True)
class Rename:
    """Give a node another id; whatever names it follows."""

    node: str
    to: str


@dataclass(frozen=True)
class SetField:
    """Set a field to a value, or take it away (None).

    `path` begins in the process: ("label",), ("inputs", "x", "doc"), ("steps", "count", "in", "file", "default").
    Ids are found whether the document writes maps or lists, and short forms are written out where needed.
    """

    path: tuple[str, ...]
    value: Any = None


@dataclass(frozen=True)
class SetScatter:
    """Let a step run once for each value of these inputs; none: once."""

    step: str
    ports: tuple[str, ...]
    method: str = ""


@dataclass(frozen=True)
class SetWhen:
    """Let a step run only when an expression is true; an empty text: always."""

    step: str
    expression: str


@dataclass(frozen=True)
class SetType:
    """Give an input or output of the process another type."""

    node: str
    type: Any


@dataclass(frozen=True)
class AddRequirement:
    """Add a requirement, or a hint, to the process or to one of its steps; fields of one that is there are set.

    A field that is None is taken away.
    """

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    step: str = ""
    hint: bool = False


@dataclass(frozen=True)
class RemoveRequirement:
    """Take a requirement or hint away from the process or one of its steps."""

    name: str
    step: str = ""


@dataclass(frozen=True)
class Paste:
    """Add the nodes of a text made by `copy_nodes`; ids that are taken get a number."""

    text: str


@dataclass(frozen=True)
class Several:
    """Several edits as one."""

    edits: tuple[Edit, ...]


Edit = (
    AddStep
    | AddInput
    | AddOutput
    | Remove
    | Connect
    | Disconnect
    | Rename
    | SetField
    | SetScatter
    | SetWhen
    | SetType
    | AddRequirement
    | RemoveRequirement
    | Paste
    | Several
)

_KINDS: dict[str, type[Any]] = {
    each.__name__: each
    for each in (
        AddStep,
        AddInput,
        AddOutput,
        Remove,
        Connect,
        Disconnect,
        Rename,
        SetField,
        SetScatter,
        SetWhen,
        SetType,
        AddRequirement,
        RemoveRequirement,
        Paste,
        Several,
    )
}
_TEXTS = frozenset(
    {"id", "label", "node", "to", "step", "name", "text", "method", "expression", "fit"}
    | {"source_node", "source_port", "target_node", "target_port"}
)


def edit_of(data: Any) -> Edit:
    """Return an edit from plain data, as an editor sends it: `{"edit": "Rename", "node": "a", "to": "b"}`.

    Raises `Refused` for data that describe none.
    """
    kind = _KINDS.get(str(data.get("edit"))) if isinstance(data, Mapping) else None
    if kind is None:
        raise Refused("This is no edit.", f"Send one of {', '.join(_KINDS)}.")
    known = {each.name: each for each in fields(kind)}
    given = {name: value for name, value in data.items() if name != "edit"}
    for name, value in given.items():
        if name not in known:
            raise Refused(f"{kind.__name__} has no field `{name}`.", f"It has {', '.join(known)}.")
        given[name] = _checked(name, value)
    missing = [
        each.name
        for each in known.values()
        if each.default is MISSING and each.default_factory is MISSING and each.name not in given
    ]
    if missing:
        raise Refused(f"{kind.__name__} lacks {', '.join(missing)}.", "Send every field.")
    made: Edit = kind(**given)
    return made


def _checked(name: str, value: Any) -> Any:
    if name == "edits":
        if not isinstance(value, list):
            raise Refused("`edits` is no list.", "Send a list of edits.")
        if any(isinstance(each, Mapping) and each.get("edit") == "Several" for each in value):
            raise Refused("Several edits stand inside several.", "Send one flat list.")
        return tuple(edit_of(each) for each in value)
    if name in {"path", "ports"}:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise Refused(f"`{name}` is no list of texts.", "Send a list of texts.")
        return tuple(value)
    if name in {"add", "hint"} and not isinstance(value, bool):
        raise Refused(f"`{name}` is neither true nor false.", "Send true or false.")
    if name == "run" and not (
        isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("class"), str))
    ):
        raise Refused("`run` is neither a path nor a process.", "Send the path of a tool.")
    if name in {"more", "fields", "sources"} and not isinstance(value, dict):
        raise Refused(f"`{name}` is no map.", "Send a map.")
    if name in _TEXTS and not isinstance(value, str):
        raise Refused(f"`{name}` is no text.", "Send a text.")
    return value
