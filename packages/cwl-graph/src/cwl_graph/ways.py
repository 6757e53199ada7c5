"""The ways in which a change can be written into a text, the most natural one first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cwl_graph.changes import Path
from cwl_graph.placing import Place, Splice, has_comment, next_sign, place_of
from cwl_graph.tree import Tree, Value
from cwl_graph.writing import block_lines, flow_text, literal_lines, quoted, scalar_text, value_lines

Way = list[Splice]


class Writer:
    """Writes changes into one text, in its own manner: line ends, indentation, quotes."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.text = tree.text
        self.line_break = "\r\n" if "\r\n" in tree.text else "\n"
        self.step = self._indentation()

    def _indentation(self) -> int:
        root = self.tree.root
        for _, each in root.entries if root is not None else []:
            if each.kind == "map" and not each.flow and each.entries:
                step = each.entries[0][0].column - 1
                return step if 1 <= step <= 8 else 2  # noqa: PLR2004  what people indent by
        return 2

    def joined(self, lines: list[str]) -> str:
        return self.line_break.join(lines)

    def column(self, offset: int) -> int:
        """Return the column of an offset, from 0."""
        return offset - self.tree.line_start(offset)

    # an entry or item gets another value

    def put(self, path: Path, value: Any) -> Iterator[Way]:
        """Yield ways to give the value at a path another one."""
        place = place_of(self.tree, path)
        if place.merged:
            yield from self.extend(path[:-1], None, ((str(path[-1]), value),))
            return
        if place.flow or place.holder is None:
            yield from self._put_inside(place, value)
            return
        lines = self._lines(place, value)
        yield from self._put_lines(place, lines)
        yield from self._put_lines(place, [f" {flow_text(value)}"])

    def _put_inside(self, place: Place, value: Any) -> Iterator[Way]:
        old = place.value
        for words in dict.fromkeys([self._pretty(place, value), self._flow(place.holder or old, value)]):
            if old.start == old.end:
                yield [(place.head_end, place.head_end, f" {words}")]
                yield [(place.head_end, place.head_end, f": {words}")]
            else:
                kept = self._requoted(old, value) if old.kind == "scalar" else None
                yield [(old.start, old.end, kept or words)]
        if place.holder is None and not old.flow and isinstance(value, dict | list) and value:
            yield [(old.start, old.end, self.joined(block_lines(value, 0, self.step)))]

    def _flow(self, holder: Value, value: Any) -> str:
        return flow_text(value, json_style=is_json(holder))

    def _pretty(self, place: Place, value: Any) -> str:
        """Return a value as the lines of a JSON document that has one entry a line."""
        holder = place.holder
        if not isinstance(value, dict | list) or not value or holder is None or not is_json(holder):
            return self._flow(holder or place.value, value)
        return self._pretty_at(holder, value)

    def _pretty_at(self, holder: Value, value: Any) -> str:
        first = holder.entries[0][0] if holder.entries else holder.items[0] if holder.items else None
        if first is None or not isinstance(value, dict | list) or not value or first.line == holder.line:
            return self._flow(holder, value)
        pad = self.text[self.tree.line_start(first.start) : first.start]
        if pad.strip():
            return self._flow(holder, value)
        own = len(pad) - len(self._pad_of_line(holder.start))
        lines = json.dumps(value, ensure_ascii=False, indent=own if own > 0 else self.step).split("\n")
        return self.joined([lines[0], *(pad + line for line in lines[1:])])

    def _pad_of_line(self, offset: int) -> str:
        line = self.text[self.tree.line_start(offset) : offset]
        return line[: len(line) - len(line.lstrip())]

    def _lines(self, place: Place, value: Any) -> list[str]:
        """Return what follows colon or dash, in the old value's manner where it can be kept."""
        old = place.value
        indent = self.column(place.start)
        if isinstance(value, str) and old.kind == "scalar":
            kept = self._requoted(old, value)
            if kept is not None:
                return [f" {kept}"]
            if old.style in {"|", ">"} and value.strip():
                header, *rest = literal_lines(value, indent + self.step)
                return [f" {header}", *rest]
        if isinstance(value, list) and old.kind == "list" and not old.flow and value:
            own = self.column(old.start) - indent
            return ["", *block_lines(value, indent + max(own, 0), self.step)]
        if isinstance(value, list | dict) and old.flow and old.line == old.last_line and old.end > old.start + 2:
            return [f" {self._flow(old, value)}"]
        return value_lines(value, indent, self.step)

    def _requoted(self, old: Value, value: Any) -> str | None:
        if not isinstance(value, str) or "\n" in value:
            return None
        if old.style == '"':
            return quoted(value)
        if old.style == "'" and quoted(value) == f'"{value}"':
            return "'" + value.replace("'", "''") + "'"
        return None

    def _put_lines(self, place: Place, lines: list[str]) -> Iterator[Way]:
        old, head = place.value, place.head_end
        first, rest = lines[0], lines[1:]
        tail = self.line_break + self.joined(rest) if rest else ""
        gap = self.text[head : old.start]
        if old.start == old.end:
            end = self.tree.line_end(head)
            yield [(head, head, first), (end, end, tail)] if tail else [(head, head, first)]
        elif old.kind in {"map", "list"} and not old.flow:
            if not has_comment(gap):
                yield [(head, old.end, first + tail)]
            start = self.tree.line_start(old.start)
            cut = (start, old.end, self.joined(rest)) if rest else self._whole_lines(old.start, old.end)
            yield [(head, head, first), cut]
        elif not tail:
            anchor = old.start if gap.startswith((" ", "\t", "\r", "\n")) else head
            words = first[1:] if anchor == old.start else first
            yield [(anchor, old.end, words)]
        else:
            end = self.tree.line_end(old.end)
            yield [(head, old.end, first), (end, end, tail)]
            yield [(head, old.end, first + tail)]

    def _whole_lines(self, start: int, end: int) -> Splice:
        """Return the cut of the whole lines from one offset to another."""
        start, end = self.tree.line_start(start), self.tree.line_end(end)
        if self.text.startswith("\r\n", end):
            return start, end + 2, ""
        if end < len(self.text):
            return start, end + 1, ""
        return len(self.text[:start].rstrip(" \t\r\n")), end, ""  # the text ended without a line break, and still does

    # entries are added to a map

    def extend(self, path: Path, after: str | None, entries: tuple[tuple[str, Any], ...]) -> Iterator[Way]:
        """Yield ways to add entries to a map."""
        place = place_of(self.tree, path)
        holder = place.value
        if holder.kind == "alias":
            return
        if not holder.entries:
            yield from self.put(path, dict(entries))
            return
        behind = next((index for index, (key, _) in enumerate(holder.entries) if key.text == after), None)
        if behind is None and after is not None:
            behind = len(holder.entries) - 1
        if holder.flow:
            words = [f"{self._key(holder, key)}: {self._pretty_at(holder, each)}" for key, each in entries]
            ends = [value.end if value.end > value.start else key.end for key, value in holder.entries]
            yield from self._into_flow(holder, behind, [key for key, _ in holder.entries], ends, words)
            return
        indent = self.column(holder.entries[0][0].start)
        lines = block_lines(dict(entries), indent, self.step)
        if behind is None:
            yield self._before(holder.entries[0][0].start, lines, indent)
        else:
            yield self._behind(holder.entries[behind], lines)
        for key, value in reversed(holder.entries):
            yield self._behind((key, value), lines)
        yield self._before(holder.entries[0][0].start, lines, indent)

    def _key(self, holder: Value, name: str) -> str:
        return scalar_text(name, flow=True, json_style=is_json(holder))

    def _behind(self, entry: tuple[Value, Value] | Value, lines: list[str]) -> Way:
        end = max(entry[0].end, entry[1].end) if isinstance(entry, tuple) else entry.end
        at = self.tree.line_end(end)
        return [(at, at, self.line_break + self.joined(lines))]

    def _before(self, start: int, lines: list[str], indent: int) -> Way:
        words = self.joined(lines)[indent:] + self.line_break + self._blank(start, indent)
        return [(start, start, words)]

    def _blank(self, start: int, indent: int) -> str:
        line = self.text[self.tree.line_start(start) : start]
        return line if not line.strip() else " " * indent

    def _into_flow(
        self, holder: Value, behind: int | None, starts: list[Value], ends: list[int], words: list[str]
    ) -> Iterator[Way]:
        first = starts[0]
        pad = self.text[self.tree.line_start(first.start) : first.start]
        apart = first.line != holder.line and not pad.strip()
        comma = "," + self.line_break + pad if apart else ", "
        if behind is None:
            yield [(first.start, first.start, comma.join(words) + comma)]
        else:
            yield [(ends[behind], ends[behind], comma + comma.join(words))]
        yield [(first.start, first.start, ", ".join(words) + ", ")]

    # items are added to a list

    def insert(self, path: Path, index: int, values: tuple[Any, ...]) -> Iterator[Way]:
        """Yield ways to add items to a list."""
        place = place_of(self.tree, path)
        holder = place.value
        if holder.kind == "alias":
            return
        if not holder.items:
            yield from self.put(path, list(values))
            return
        if holder.flow:
            words = [self._pretty_at(holder, each) for each in values]
            behind = index - 1 if index else None
            yield from self._into_flow(holder, behind, holder.items, [each.end for each in holder.items], words)
            return
        indent = self.column(holder.start)
        lines = block_lines(list(values), indent, self.step)
        if index:
            own = place_of(self.tree, (*path, index - 1))
            at = self.tree.line_end(max(own.value.end, own.head_end))
            yield [(at, at, self.line_break + self.joined(lines))]
        if index < len(holder.items):
            start = place_of(self.tree, (*path, index)).start
            yield self._before(start, lines, indent)

    # something is taken away

    def drop(self, path: Path) -> Iterator[Way]:
        """Yield ways to take an entry or an item away."""
        place = place_of(self.tree, path)
        holder = place.holder
        if place.merged or holder is None:
            return
        count = len(holder.entries or holder.items)
        if holder.flow:
            yield from self._drop_from_flow(place, holder, count)
            return
        if count == 1:
            yield from self.put(path[:-1], {} if holder.kind == "map" else [])
            return
        end = max(place.value.end, place.head_end)
        before = self.text[self.tree.line_start(place.start) : place.start]
        if not before.strip():
            yield [self._whole_lines(place.start, end)]
            yield [(self.tree.line_start(place.start), self.tree.line_end(end), "")]
        following = place.index + 1
        if following < count:
            name = holder.entries[following][0].text if holder.entries else following
            yield [(place.start, place_of(self.tree, (*path[:-1], name)).start, "")]

    def _drop_from_flow(self, place: Place, holder: Value, count: int) -> Iterator[Way]:
        start, end = place.start, max(place.value.end, place.head_end)
        if place.index + 1 < count:
            after = holder.entries[place.index + 1][0] if holder.entries else holder.items[place.index + 1]
            if not has_comment(self.text[end : after.start]):
                yield [(start, after.start, "")]
            comma = next_sign(self.tree, end, ",")
            yield [(start, end, ""), (comma, comma + 1, "")]
        elif place.index:
            before = holder.entries[place.index - 1] if holder.entries else (holder.items[place.index - 1],)
            last = max(each.end for each in before)
            if not has_comment(self.text[last:start]):
                yield [(last, end, "")]
            comma = next_sign(self.tree, last, ",")
            yield [(comma, comma + 1, ""), (start, end, "")]
        else:
            inner = self.text[holder.start + 1 : holder.end - 1]
            if not has_comment(inner):
                yield [(holder.start + 1, holder.end - 1, "")]
            yield [(start, end, "")]

    # a key gets another name

    def rename(self, path: Path, name: str) -> Iterator[Way]:
        """Yield ways to rename an entry."""
        place = place_of(self.tree, path)
        if place.merged or place.holder is None or not place.holder.entries:
            return
        key = place.holder.entries[place.index][0]
        if key.kind != "scalar":
            return
        words = self._requoted(key, name) or scalar_text(name, flow=place.flow, json_style=is_json(place.holder))
        yield [(key.start, key.end, words)]


def is_json(value: Value) -> bool:
    """Say whether a flow collection is written as JSON: its names in double quotes, or all around it so."""
    if not value.flow:
        return False
    if value.entries:
        return value.entries[0][0].style == '"'
    root = value.tree.root
    return root is not None and root.flow and bool(root.entries) and root.entries[0][0].style == '"'
