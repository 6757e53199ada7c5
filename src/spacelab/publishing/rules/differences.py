"""What differs between the files of two versions, bounded so that a page of it stays small."""

from __future__ import annotations

import difflib
import filecmp
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 60
"""Files whose lines are shown; of the others only their names."""
MOST_NAMES = 500
"""Files that are named."""
LARGEST = 200_000
"""Bytes of a file whose lines are compared."""
MOST_COMPARED = 3000
"""Lines of a file that are compared: the time grows faster than their number."""
MOST_LINES = 400
"""Lines shown of one file, and in all ten times as many."""
LONGEST_LINE = 300
CONTEXT = 3
TOO_LARGE = "Too large to show."
BINARY = "Not text."

DEPENDENCIES = re.compile(
    r"(requirements[^/]*\.txt|environment[^/]*\.ya?ml|packages\.txt|apt\.txt|pyproject\.toml|package\.json|renv\.lock)$"
)
METADATA = (
    "datalab-meta.yml",
    "datalab-meta.yaml",
    "pipeline-meta.yml",
    "pipeline-meta.yaml",
    "CITATION.cff",
    "codemeta.json",
)
PARTS = ("Dockerfile", "dependencies", "metadata", "files")
"""What a file belongs to, in the order in which a moderator reads them."""
HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)")


@dataclass(frozen=True)
class Line:
    """One line of a difference; `sign` is `+`, `-`, a space or `@`, `number` its line in the new file."""

    sign: str
    text: str
    number: int | None = None


@dataclass(frozen=True)
class Difference:
    """What became of one file: added, removed or changed. `note` says why there are no lines, or not all."""

    path: str
    change: str
    part: str
    lines: tuple[Line, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Differences:
    """All that differs: files in reading order, and how many more there are."""

    files: tuple[Difference, ...]
    more: int = 0
    trouble: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many of the named files were added, removed and changed."""
        return {word: sum(one.change == word for one in self.files) for word in ("added", "changed", "removed")}


def part_of(path: str) -> str:
    """Say what a file of a package belongs to."""
    name = path.rpartition("/")[2]
    if name == "Dockerfile" or name.endswith((".dockerfile", ".Dockerfile")):
        return PARTS[0]
    if DEPENDENCIES.search(name):
        return PARTS[1]
    return PARTS[2] if name in METADATA else PARTS[3]


def files_of(folder: Path) -> dict[str, Path]:
    """List the files of a package by their paths in it, without links, which could lead out of it."""
    found = {}
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            file = Path(root) / name
            if file.is_file() and not file.is_symlink():
                found[file.relative_to(folder).as_posix()] = file
    return found


def text_of(file: Path | None) -> list[str] | None:
    """Read the lines of a text file; none for a file that is not there, None for one that can't be shown."""
    if file is None:
        return []
    if file.stat().st_size > LARGEST:
        return None
    data = file.read_bytes()
    if b"\0" in data[:8000]:
        return None
    return data.decode("utf-8", "replace").splitlines()


def compare(old: Path | None, new: Path | None) -> Differences:
    """Compare two packages' folders; without an old one every file is added."""
    if new is None or not new.is_dir():
        return Differences((), trouble="The files of this version are not on this machine any more.")
    trouble = ""
    if old is not None and not old.is_dir():
        trouble = "The files of the published version are not on this machine any more: all are shown as added."
    before = files_of(old) if old is not None and old.is_dir() else {}
    after = files_of(new)
    changed = [path for path in before.keys() | after.keys() if _differs(before.get(path), after.get(path))]
    changed.sort(key=lambda path: (PARTS.index(part_of(path)), path))
    left, found = MOST_LINES * 10, []
    for position, path in enumerate(changed[:MOST_NAMES]):
        one = _difference(path, before.get(path), after.get(path), left if position < MOST_FILES else 0)
        left -= len(one.lines)
        found.append(one)
    return Differences(tuple(found), max(len(changed) - MOST_NAMES, 0), trouble)


def _differs(old: Path | None, new: Path | None) -> bool:
    return old is None or new is None or not filecmp.cmp(old, new, shallow=False)


def _difference(path: str, old: Path | None, new: Path | None, room: int) -> Difference:
    change = "added" if old is None else "removed" if new is None else "changed"
    if room <= 0:
        return Difference(path, change, part_of(path), note=TOO_LARGE)
    before, after = text_of(old), text_of(new)
    if before is None or after is None:
        large = any(file is not None and file.stat().st_size > LARGEST for file in (old, new))
        return Difference(path, change, part_of(path), note=TOO_LARGE if large else BINARY)
    if max(len(before), len(after)) > MOST_COMPARED:
        return Difference(path, change, part_of(path), note=TOO_LARGE)
    lines = list(_lines(before, after))
    most = min(MOST_LINES, room)
    note = f"{len(lines) - most} more lines are not shown." if len(lines) > most else ""
    return Difference(path, change, part_of(path), tuple(lines[:most]), note)


def _lines(before: list[str], after: list[str]) -> Iterator[Line]:
    number = 0
    for position, line in enumerate(difflib.unified_diff(before, after, lineterm="", n=CONTEXT)):
        if position < len(("---", "+++")):
            continue
        text = line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "…"
        if found := HUNK.match(line):
            number = int(found[1])
            yield Line("@", text)
        elif line.startswith("-"):
            yield Line("-", text[1:])
        else:
            yield Line(line[0], text[1:], number)
            number += 1
