"""Finds the places in a text that belong to a value: its entry, its key, the dash or comma beside it."""

from __future__ import annotations

from dataclasses import dataclass

from cwl_graph.changes import Path
from cwl_graph.problems import Refused
from cwl_graph.tree import Tree, Value

Splice = tuple[int, int, str]
"""From where to where the text is replaced, and by what."""


@dataclass(frozen=True)
class Place:
    """Where a value stands. `start` is that of its entry (the key, or the dash); `head_end` is behind colon or dash.

    `holder` is the map or list around it (None for the document itself), `index` its number there; `merged` says
    that the value comes from a merge (`<<`), so it has no entry of its own.
    """

    value: Value
    holder: Value | None
    index: int
    start: int
    head_end: int
    merged: bool = False

    @property
    def flow(self) -> bool:
        return self.holder is not None and self.holder.flow


def place_of(tree: Tree, path: Path) -> Place:
    """Return where the value at a path stands; raises `Refused` where the way leads through an alias."""
    assert tree.root is not None  # noqa: S101  a tree that was read
    place = Place(tree.root, None, 0, tree.root.start, tree.root.start)
    for depth, part in enumerate(path):
        value = place.value
        if value.kind == "alias" or place.merged:
            raise _through_alias(tree, value)
        inner = _item(tree, value, part) if isinstance(part, int) else _entry(tree, value, part)
        if inner is None:
            raise Refused(f"Nothing stands at {'/'.join(map(str, path[: depth + 1]))}.", "Read the document again.")
        place = inner
    return place


def _through_alias(tree: Tree, value: Value) -> Refused:
    line = tree.line(value.start)
    told = f"Line {line} repeats by an alias (`*name`) what is written elsewhere."
    return Refused(told, "Write it out there before you change it.", file=tree.file, line=line)


def _entry(tree: Tree, value: Value, name: str) -> Place | None:
    for index, (key, each) in enumerate(value.entries):
        if key.text == name:
            colon = tree.text.find(":", key.end)
            head_end = colon + 1 if 0 <= colon <= max(each.start, key.end + 1) else key.end
            return Place(each, value, index, key.start, head_end)
    for merged, _, each in value.pairs():
        if merged == name:
            return Place(each, value, 0, value.start, value.start, merged=True)
    return None


def _item(tree: Tree, value: Value, index: int) -> Place | None:
    if index >= len(value.items):
        return None
    each = value.items[index]
    if value.flow:
        return Place(each, value, index, each.start, each.start)
    at = value.items[index - 1].end if index else value.start
    dash = next_sign(tree, at, "-")
    return Place(each, value, index, dash, dash + 1)


def next_sign(tree: Tree, at: int, sign: str) -> int:
    """Return where a sign stands next, behind blanks, line breaks and comments; -1 if something else comes first."""
    text = tree.text
    while at < len(text):
        letter = text[at]
        if letter == sign:
            return at
        if letter == "#":
            at = tree.line_end(at)
        elif letter not in " \t\r\n":
            return -1
        else:
            at += 1
    return -1


def has_comment(text: str) -> bool:
    """Say whether a stretch between values holds a comment."""
    return "#" in text
