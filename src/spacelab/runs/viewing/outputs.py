"""Outputs of a run as its page lists them: each by its name with its files, and what else lies in its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacelab.runs.viewing import values

MOST_SHOWN = 12
"""Files of one output that the run's page shows; all of them are on the page of files."""


@dataclass(frozen=True)
class OutputFile:
    """A file of a run's results: its path in there, with what is known of it."""

    path: str
    name: str
    size: int | None
    checksum: str = ""
    there: bool = True


@dataclass(frozen=True)
class Output:
    """One output: its files, or its value in words."""

    name: str
    files: Sequence[OutputFile]
    words: str = ""
    left_out: int = 0


def list_outputs(
    outputs: Mapping[str, Any], results: str, there: Mapping[str, int]
) -> tuple[list[Output], list[OutputFile]]:
    """Return the outputs by name, and the files of the folder that belong to none of them.

    `there` holds the files of the run's folder: path in it → size.
    """
    listed, taken = [], set[str]()
    for name, value in outputs.items():
        found = [one for one in values.files_in(value) if one.get("class") == "File"]
        folders = [one for one in values.files_in(value) if one.get("class") == "Directory"]
        files = [_file(one, results, there) for one in found]
        known = {one.path for one in files}
        for folder in folders:
            below = values.inside(folder, results).rstrip("/") + "/"
            paths = [path for path in there if below != "/" and path.startswith(below) and path not in known]
            files += [OutputFile(path, path.removeprefix(below), there[path]) for path in paths]
        taken |= {one.path for one in files}
        shown = files[:MOST_SHOWN]
        listed.append(Output(name, shown, "" if files or found else values.words(value), len(files) - len(shown)))
    return listed, _others(there, taken)


def _file(value: Mapping[str, Any], results: str, there: Mapping[str, int]) -> OutputFile:
    path = values.inside(value, results)
    size = there.get(path, value.get("size"))
    checksum = str(value.get("checksum") or "")[:100]
    return OutputFile(
        path,
        path.rpartition("/")[2] or values.name_of(value),
        size if isinstance(size, int) else None,
        checksum,
        path in there,
    )


def _others(there: Mapping[str, int], taken: Iterable[str]) -> list[OutputFile]:
    known = set(taken)
    return [OutputFile(path, path, size) for path, size in there.items() if path not in known]
