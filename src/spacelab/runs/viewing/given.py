"""Inputs and outputs of runs and jobs as their pages list them: files by name, place and size, all else in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacelab.runs.models import Run
from spacelab.runs.viewing import values

MOST_FILES = 20


@dataclass(frozen=True)
class ValueFile:
    """A file of an input or output, and its folder; `path` is that within the run's results, or empty elsewhere."""

    name: str
    place: str
    size: int | None
    path: str


@dataclass(frozen=True)
class Value:
    """An input or output of a job: its files, or its value in words."""

    name: str
    files: Sequence[ValueFile]
    words: str
    left_out: int = 0


def values_of(run: Run, given: Mapping[str, Any]) -> list[Value]:
    """List inputs or outputs, each with a bounded number of its files."""
    listed = []
    for name, value in given.items():
        found = list(values.files_in(value))
        shown = [
            ValueFile(
                values.name_of(one),
                values.folder_of(one),
                one.get("size") if isinstance(one.get("size"), int) else None,
                values.inside(one, run.results) if one.get("class") == "File" else "",
            )
            for one in found[:MOST_FILES]
        ]
        listed.append(Value(name, shown, values.words(value), len(found) - len(shown)))
    return listed
