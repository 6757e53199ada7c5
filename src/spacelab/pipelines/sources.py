"""A version's documents as pages show them: lines with syntax and problems, and the steps in a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.safestring import SafeString

from cwl_graph import Document, Node, Problem
from spacelab.kit.highlighting import highlighted
from spacelab.pipelines.rules import Bundle, Files, Reference, references

MOST_LINES = 2000
"""Lines of one file that a page shows; all of them are in the download."""
MOST_FILES = 30
"""Files whose lines a page shows."""


@dataclass(frozen=True)
class Line:
    """One line of a file with what is wrong there; `severity` is that of the worst."""

    number: int
    text: SafeString
    problems: tuple[Problem, ...] = ()

    @property
    def severity(self) -> str:
        """error, warning, or nothing."""
        found = {one.severity for one in self.problems}
        return "error" if "error" in found else "warning" if found else ""


@dataclass(frozen=True)
class Source:
    """One file: its first lines, how many more it has, and what is wrong with it as a whole."""

    path: str
    size: int
    lines: tuple[Line, ...]
    more: int
    problems: tuple[Problem, ...] = ()
    count: int = 0
    """Problems in it altogether."""


def of(files: Files, problems: Iterable[Problem], main: str = "") -> list[Source]:
    """List the files with their lines; those with problems first, then `main`, documents before others."""
    told: dict[str, list[Problem]] = {}
    for one in problems:
        told.setdefault(one.file, []).append(one)
    first = main.partition("#")[0]
    order = sorted(files, key=lambda path: (path not in told, path != first, not path.endswith(".cwl"), path))
    return [
        _source(path, files[path], told.get(path, []), shown=place < MOST_FILES) for place, path in enumerate(order)
    ]


def _source(path: str, text: str, problems: list[Problem], *, shown: bool) -> Source:
    rows = text.split("\n")
    if rows and not rows[-1]:
        rows.pop()
    size = len(text.encode())
    if not shown:
        return Source(path, size, (), len(rows), (), len(problems))
    # Lines end where the document's own reader ends them; the first ones alone are marked up.
    kept = rows[:MOST_LINES]
    marked = str(highlighted(path, "\n".join(kept))).split("\n")
    at: dict[int, list[Problem]] = {}
    for one in problems:
        at.setdefault(one.line, []).append(one)
    lines = tuple(
        Line(number, SafeString(marked[number - 1] if number <= len(marked) else ""), tuple(at.get(number, ())))
        for number in range(1, len(kept) + 1)
    )
    placeless = tuple(one for one in problems if not 1 <= one.line <= len(kept))
    return Source(path, size, lines, max(len(rows) - len(kept), 0), placeless, len(problems))


@dataclass(frozen=True)
class UsedStep:
    """One step of a workflow: what it runs, from the catalogue or not, and whether that is there."""

    node: Node
    reference: Reference | None
    missing: bool


def steps_of(document: Document, bundle: Bundle) -> list[UsedStep]:
    """List the steps of a workflow in the order of the document."""
    found = []
    for node in document.graph.nodes:
        if node.kind == "step":
            named = references(node.run, bundle.main.partition("#")[0])
            found.append(UsedStep(node, named[0] if named else None, node.missing))
    return found
