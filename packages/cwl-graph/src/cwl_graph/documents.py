"""What reading a document gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cwl_graph.graphs import Field, Graph
from cwl_graph.problems import Problem

Files = Mapping[str, str]
"""A bundle: path inside it → text."""


@dataclass(frozen=True)
class Use:
    """A step of the catalogue that a document runs: `catalogue/<slug>/<version>.cwl`."""

    slug: str
    version: str
    path: str
    present: bool
    nodes: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Image:
    """What `DockerRequirement` asks for, and where. `required` is False for a hint."""

    name: str
    required: bool
    file: str
    line: int
    node: str = ""


@dataclass(frozen=True)
class Document:
    """A document, all derived from its text. `main` is the document's path, `process` the id inside a `$graph`."""

    text: str
    main: str
    process: str = ""
    cwl_version: str = ""
    cwl_class: str = ""
    label: str = ""
    doc: str = ""
    graph: Graph = field(default_factory=Graph)
    problems: tuple[Problem, ...] = ()
    inputs: tuple[Field, ...] = ()
    outputs: tuple[Field, ...] = ()
    uses: tuple[Use, ...] = ()
    images: tuple[Image, ...] = ()
    files_used: tuple[str, ...] = ()
    """Paths of the bundle that this document needs, itself first."""
    processes: tuple[str, ...] = ()
    """Ids of a `$graph`'s processes."""
    content: Any = None
    """The main process as plain data; None where it could not be read."""

    @property
    def ok(self) -> bool:
        """Whether no problem keeps it from running."""
        return not any(problem.severity == "error" for problem in self.problems)
