"""Reads bundles with `cwl_graph`: what the catalogue keeps of a document, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import cwl_graph
from spacelab.pipelines.rules import Bundle, Kind, content_hash

MOST_TOLD = 20
"""Problems whose words are kept with a version; the page reads all of them from the text."""


class _Keyed:
    """A bundle that is known by its hash, for the memory of what was read."""

    def __init__(self, bundle: Bundle) -> None:
        self.key, self.bundle = content_hash(bundle.files, bundle.main), bundle

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other.key == self.key


@lru_cache(maxsize=8)
def _read(keyed: _Keyed) -> cwl_graph.Document:
    return cwl_graph.read(keyed.bundle.files, keyed.bundle.main)


def read(bundle: Bundle) -> cwl_graph.Document:
    """Read a bundle; the same bytes are read once as long as they are among the last ones."""
    return _read(_Keyed(bundle))


def reading_of(bundle: Bundle, own_files: int) -> dict[str, Any]:
    """Return what a version keeps of its documents: class, version, numbers of errors and warnings, formats."""
    document = read(bundle)
    errors = [one for one in document.problems if one.severity == "error"]
    return {
        "cwl_class": document.cwl_class,
        "cwl_version": document.cwl_version,
        "label": document.label[:200],
        "errors": len(errors),
        "warnings": len(document.problems) - len(errors),
        "told": [_told(one) for one in [*errors, *document.problems][:MOST_TOLD]],
        "steps": sum(node.kind == "step" for node in document.graph.nodes),
        "formats": _formats(document.inputs),
        "files": own_files,
    }


def _told(problem: cwl_graph.Problem) -> str:
    place = f"{problem.file}:{problem.line}: " if problem.line else ""
    return f"{place}{problem.message} {problem.advice}".strip()[:500]


def _formats(fields: Iterable[cwl_graph.Field]) -> list[str]:
    found = {one.strip() for field in fields for one in field.format.splitlines() if one.strip()}
    return sorted(found)[:20]


def kind_of(reading: Mapping[str, Any]) -> Kind:
    """Say whether a document is a pipeline, or a step for others: every tool is one."""
    return Kind.STEP if reading.get("cwl_class") not in {"", "Workflow"} else Kind.PIPELINE
