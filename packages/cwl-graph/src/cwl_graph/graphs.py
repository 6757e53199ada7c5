"""A workflow as boxes and arrows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from cwl_graph.cwl_types import ANY, SecondaryFile, Type
from cwl_graph.fitting import Fit
from cwl_graph.problems import Problem

NodeKind = Literal["input", "output", "step"]


@dataclass(frozen=True)
class Field:
    """One input or output of a process: what a form is made of.

    `optional` says that a value may be left out: null is allowed, or there is a default. `format` holds what the
    document says, one address or short name a line. `line` and `last_line` count from 1 in `file`.
    """

    name: str
    type: Type
    label: str = ""
    doc: str = ""
    optional: bool = False
    has_default: bool = False
    default: Any = None
    format: str = ""
    secondary_files: tuple[SecondaryFile, ...] = ()
    load_contents: bool = False
    load_listing: str = ""
    streamable: bool = False
    file: str = ""
    line: int = 0
    last_line: int = 0


@dataclass(frozen=True)
class Port:
    """Where links begin or end. The last fields are those of a step's input, as the workflow sets them."""

    id: str
    label: str = ""
    doc: str = ""
    type: Type = ANY
    optional: bool = False
    has_default: bool = False
    format: str = ""
    connected: bool = False
    scattered: bool = False
    default: Any = None
    value_from: str = ""
    link_merge: str = ""
    pick_value: str = ""
    known: bool = True
    """Whether the process that the step runs has this port."""


@dataclass(frozen=True)
class Node:
    """An input, an output or a step. Lines count from 1 in the workflow's own file.

    `run` is what the document says: a path, or empty where the process stands in the step itself. `run_file` is
    where it was found. `missing` says that it could not be read.
    """

    id: str
    kind: NodeKind
    label: str = ""
    doc: str = ""
    run: str = ""
    run_file: str = ""
    run_class: str = ""
    ports_in: tuple[Port, ...] = ()
    ports_out: tuple[Port, ...] = ()
    scatter: tuple[str, ...] = ()
    scatter_method: str = ""
    when: str = ""
    first_line: int = 0
    last_line: int = 0
    missing: bool = False
    problems: tuple[Problem, ...] = ()
    sub: Graph | None = None

    @property
    def title(self) -> str:
        """What is written on the box."""
        return self.label or self.name

    @property
    def name(self) -> str:
        """The id as the document writes it: an output called like a step has the id `output:<name>` here."""
        return self.id.removeprefix("output:") if self.kind == "output" else self.id


@dataclass(frozen=True)
class Link:
    """An arrow. An input node's only port out, and an output node's only port in, have the node's own id."""

    id: str
    source_node: str
    source_port: str
    target_node: str
    target_port: str
    fit: Fit = "fits"
    why: str = ""
    line: int = 0


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of the document (inputs, steps, outputs) and the links between them."""

    nodes: tuple[Node, ...] = ()
    links: tuple[Link, ...] = ()
    _by_id: dict[str, Node] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._by_id.update({node.id: node for node in self.nodes})

    def node(self, name: str) -> Node | None:
        """Return a node by its id; inside subworkflows by its path (`align/crop`)."""
        found = self._by_id.get(name)
        if found is None and "/" in name:
            first, _, rest = name.partition("/")
            outer = self._by_id.get(first)
            return outer.sub.node(rest) if outer is not None and outer.sub is not None else None
        return found
