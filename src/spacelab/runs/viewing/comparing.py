"""Two runs side by side: what differs in documents, inputs, outputs and steps, the differences first."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spacelab.runs.viewing import values
from spacelab.runs.viewing.states import StepView, duration

MOST_LINES = 400
"""Lines of one document's differences that are shown."""
LARGEST_DOCUMENT = 200_000
NOTHING = "–"  # noqa: RUF001  a dash, as pages show nothing
SIGNS = {"+": "added", "-": "removed", " ": "same", "@": "place"}


@dataclass(frozen=True)
class Row:
    """One thing of both runs; `ratio` tells how times differ, in words."""

    label: str
    left: str
    right: str
    same: bool
    note: str = ""


@dataclass(frozen=True)
class Section:
    """Rows of one kind, those that differ first."""

    title: str
    rows: Sequence[Row]
    timed: bool = False
    """Whether its rows hold times, which are worth seeing though nothing differs."""

    @property
    def different(self) -> list[Row]:
        """The rows that differ."""
        return [row for row in self.rows if not row.same]

    @property
    def same(self) -> list[Row]:
        """The rows that don't."""
        return [row for row in self.rows if row.same]


@dataclass(frozen=True)
class Side:
    """What is compared of a run."""

    version: str
    files: Mapping[str, str]
    main: str
    job: Mapping[str, Any]
    outputs: Mapping[str, Any]
    state: str
    reason: str
    profile: str
    seconds: float | None
    environments: Mapping[str, str]
    steps: Sequence[StepView]


@dataclass(frozen=True)
class Changed:
    """A document that differs, line by line as (sign, number on the left, number on the right, text)."""

    name: str
    lines: Sequence[tuple[str, str, str]]
    cut: bool = False


@dataclass(frozen=True)
class Comparison:
    """All of it."""

    sections: Sequence[Section]
    documents: Sequence[Changed] = field(default_factory=tuple)

    @property
    def different(self) -> int:
        """How many things differ."""
        return sum(len(section.different) for section in self.sections)


def compare(left: Side, right: Side) -> Comparison:
    """Compare two runs."""
    sections = (
        _run(left, right),
        Section("Inputs", _keyed(left.job, right.job)),
        Section("Documents", _documents(left, right)),
        Section("Software", _keyed(left.environments, right.environments)),
        Section("Outputs", _keyed(left.outputs, right.outputs)),
        Section("Steps", _steps(left.steps, right.steps), timed=True),
    )
    return Comparison([one for one in sections if one.rows], _changes(left.files, right.files))


def _run(left: Side, right: Side) -> Section:
    def row(label: str, get: Callable[[Side], str]) -> Row:
        return Row(label, get(left) or NOTHING, get(right) or NOTHING, get(left) == get(right))

    rows = [
        row("Pipeline", lambda one: one.version),
        row("State", lambda one: one.state),
        row("Reason", lambda one: one.reason),
        row("Profile", lambda one: one.profile),
    ]
    rows = [one for one in rows if (one.left, one.right) != (NOTHING, NOTHING)]
    return Section("The run", _first([*rows, _times("Took", left.seconds, right.seconds)]), timed=True)


def _times(label: str, left: float | None, right: float | None) -> Row:
    """Put two times beside each other; they always differ, and count as the same."""
    shown = [duration(one) if one is not None else NOTHING for one in (left, right)]
    return Row(label, shown[0], shown[1], same=True, note=ratio(left, right))


def ratio(left: float | None, right: float | None) -> str:
    """Say how much longer the right one took."""
    if not left or not right or max(left, right) < 1:
        return ""
    if 0.9 <= right / left <= 1.1:  # noqa: PLR2004  a tenth more or less is no news
        return "about as long"
    return f"{right / left:.1f} times as long" if right > left else f"{left / right:.1f} times as fast"


def _first(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.same)


def _keyed(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[Row]:
    rows = []
    for key in dict.fromkeys([*left, *right]):
        shown = [_shown(side[key]) if key in side else NOTHING for side in (left, right)]
        same = key in left and key in right and values.content_of(left[key]) == values.content_of(right[key])
        rows.append(Row(key, shown[0], shown[1], same))
    return _first(rows)


def _shown(value: Any) -> str:
    """Write a value with what tells two files of one name apart."""
    text = values.words(value)
    if values.is_file(value):
        checksum = str(value.get("checksum") or "").rpartition("$")[2][:12]
        size = value.get("size")
        parts = [f"{size} bytes" if isinstance(size, int) else "", checksum]
        told = ", ".join(part for part in parts if part) or values.place_of(value)
        return f"{text} ({told})" if told and told != text else text
    return text


def _documents(left: Side, right: Side) -> list[Row]:
    rows = []
    for name in sorted({*left.files, *right.files}):
        here, there = left.files.get(name), right.files.get(name)
        shown = [f"{text.count(chr(10)) + 1} lines" if text is not None else NOTHING for text in (here, there)]
        rows.append(Row(name, shown[0], shown[1], here == there))
    return _first(rows)


def _changes(left: Mapping[str, str], right: Mapping[str, str]) -> list[Changed]:
    found = []
    for name in sorted({*left} & {*right}):
        texts = left[name], right[name]
        if texts[0] == texts[1] or max(map(len, texts)) > LARGEST_DOCUMENT:
            continue
        lines = list(difflib.unified_diff(texts[0].splitlines(), texts[1].splitlines(), lineterm="", n=2))[2:]
        shown = [
            (SIGNS[line[0]], line[0].replace("@", " "), line[1:] if line[0] != "@" else line) for line in lines if line
        ]
        found.append(Changed(name, shown[:MOST_LINES], cut=len(shown) > MOST_LINES))
    return found


def _steps(left: Sequence[StepView], right: Sequence[StepView]) -> list[Row]:
    by_id = [{step.id: step for step in side} for side in (left, right)]
    rows = []
    for name in dict.fromkeys([*by_id[0], *by_id[1]]):
        here, there = by_id[0].get(name), by_id[1].get(name)
        shown = [f"{one.words}{f', {one.took}' if one.took else ''}" if one else NOTHING for one in (here, there)]
        same = here is not None and there is not None and _outcome(here) == _outcome(there)
        note = ratio(here.seconds, there.seconds) if here and there else ""
        rows.append(Row(name, shown[0], shown[1], same, note))
    return _first(rows)


def _outcome(step: StepView) -> tuple[object, ...]:
    state = "succeeded" if step.state == "reused" else step.state
    return (state, step.count, step.done, step.failed)
