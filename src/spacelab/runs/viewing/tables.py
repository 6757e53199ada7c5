"""Tables as pages show them: columns with units, some rows as texts; the simple formats are read here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

PAGE_ROWS = 50
"""Rows on one page of a table."""
MOST_COLUMNS = 60
LONGEST_CELL = 160
READ_BYTES = 256 * 1024
"""Bytes of a table of text that are read; a page shows its first rows."""
DELIMITERS = ",;\t| "
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eEdD][-+]?\d+)?|nan|inf|-inf|\u2013", re.IGNORECASE)
COMMENT = "#"


@dataclass(frozen=True)
class Column:
    """A column; `unit` and `type` are empty where the format has none."""

    name: str
    unit: str = ""
    type: str = ""
    number: bool = False


@dataclass(frozen=True)
class TableView:
    """Some rows of a table. `count` is None where counting would mean reading all; `first` counts from 0."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    count: int | None = None
    first: int = 0
    columns_left_out: int = 0
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def last(self) -> int:
        """The number of the last row shown, counted from 1."""
        return self.first + len(self.rows)

    def aligned(self) -> list[list[tuple[str, Column]]]:
        """Return each row's cells with their columns."""
        return [list(zip(row, self.columns, strict=False)) for row in self.rows]


def read_delimited(data: bytes, *, whole: bool, delimiter: str = "") -> TableView | None:
    """Read the first rows of comma- or tab-separated values; None for what is no table.

    Lines that begin with `#` are left out; the first line names the columns unless all of its cells are numbers.
    `whole` says that `data` is all of the file, so that rows can be counted.
    """
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    if not whole:
        text = text[: text.rfind("\n") + 1]
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(COMMENT)]
    if not lines:
        return None
    found = delimiter or _delimiter(lines)
    rows = _rows("\n".join(lines), found)
    if not rows or max(map(len, rows[:PAGE_ROWS])) < (1 if delimiter else 2):
        return None
    named = not all(NUMBER.fullmatch(cell.strip()) for cell in rows[0] if cell.strip())
    head, body = (rows[0], rows[1:]) if named else ([f"column {n}" for n in range(1, len(rows[0]) + 1)], rows)
    width = min(max(map(len, [head, *body[:PAGE_ROWS]])), MOST_COLUMNS)
    wide = max(map(len, [head, *body[:PAGE_ROWS]])) - width
    names = [_cut(head[place]) if place < len(head) else "" for place in range(width)]
    shown = [[_cut(row[place]) if place < len(row) else "" for place in range(width)] for row in body[:PAGE_ROWS]]
    columns = [
        Column(name or f"column {place + 1}", number=_is_number([row[place] for row in shown]))
        for place, name in enumerate(names)
    ]
    return TableView(columns, shown, len(body) if whole else None, columns_left_out=wide)


def _delimiter(lines: Sequence[str]) -> str:
    """Return what stands most often between values, the same number of times in most lines."""
    sample = lines[:20]

    def worth(one: str) -> tuple[int, int]:
        counts = [line.count(one) for line in sample]
        return (sum(count == counts[0] for count in counts) if counts[0] else 0, counts[0])

    return max(DELIMITERS, key=worth)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=delimiter == " ")
    try:
        rows.extend(row for row in reader if row)
    except csv.Error:
        return rows
    return rows


def _is_number(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and all(NUMBER.fullmatch(cell.strip()) for cell in filled)


def _cut(cell: str) -> str:
    cell = "".join(one if one.isprintable() else " " for one in cell).strip()
    return cell if len(cell) <= LONGEST_CELL else f"{cell[: LONGEST_CELL - 1]}…"
