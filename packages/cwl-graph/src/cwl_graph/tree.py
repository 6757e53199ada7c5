"""A document's text as a tree of values, each with its exact place in the text.

Offsets count characters of the text as given. Ends are true ends: a block ends where its last value does, not where
the next token begins. Aliases stay aliases, so that an edit never changes what is written elsewhere.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import yaml

from cwl_graph.problems import Problem
from cwl_graph.yaml_words import in_words

LARGEST_DOCUMENT = 1_000_000
"""Characters of one document."""
DEEPEST = 100
"""Levels of maps and lists."""
MOST_VALUES = 100_000
"""Values of one document as written."""
MOST_EXPANDED = 200_000
"""Values of one document once each alias stands for what it repeats."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_END = re.compile(r"\r\n|\n|\r")
_BOM = "\ufeff"

_PAIR = re.compile(r"(?<!\\)\\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})")
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_NUMBER_START = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?[0-9][0-9_]*\Z")
_BASED = re.compile(r"[-+]?0(?:x[0-9a-fA-F]+|o[0-7]+|b[01]+)\Z")
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+|\._*[0-9][0-9_]*)\Z"
)
_SPECIAL = re.compile(r"(?P<sign>[-+]?)\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_LONGEST_NUMBER = 400

Kind = Literal["map", "list", "scalar", "alias"]


class Value:
    """One value of a document: a map (`entries`), a list (`items`), a scalar (`text`) or an alias (`target`)."""

    __slots__ = ("anchor", "end", "entries", "flow", "items", "kind", "start", "style", "tag", "target", "text", "tree")

    def __init__(self, tree: Tree, kind: Kind, start: int, end: int) -> None:
        self.tree = tree
        self.kind: Kind = kind
        self.start = start
        self.end = end
        self.text = ""
        self.style = ""
        self.flow = False
        self.tag = ""
        self.anchor = ""
        self.entries: list[tuple[Value, Value]] = []
        self.items: list[Value] = []
        self.target: Value | None = None

    @property
    def real(self) -> Value:
        """What an alias stands for; any other value itself."""
        return self.target if self.target is not None else self

    @property
    def line(self) -> int:
        return self.tree.line(self.start)

    @property
    def last_line(self) -> int:
        return self.tree.line(max(self.start, self.end - 1))

    @property
    def column(self) -> int:
        return self.tree.column(self.start)

    @property
    def file(self) -> str:
        return self.tree.file

    def pairs(self) -> Iterator[tuple[str, Value, Value]]:
        """Yield key, key's value and value of a map, merged ones (`<<`) after its own."""
        own = self.real
        seen = set()
        merged: list[Value] = []
        for key, value in own.entries:
            if key.text == "<<" and key.style == "" and key.kind == "scalar":
                target = value.real
                merged += [each.real for each in target.items] if target.kind == "list" else [target]
                continue
            seen.add(key.text)
            yield key.text, key, value
        for each in merged:
            if each.kind == "map" and each is not own:
                for name, key, value in each.pairs():
                    if name not in seen:
                        seen.add(name)
                        yield name, key, value

    def get(self, name: str) -> Value | None:
        """Return the value of a map's key, aliases resolved; None where there is none, or this is no map."""
        merges = False
        for key, value in self.real.entries:
            if key.text == name:
                return value.real
            merges = merges or key.text == "<<"
        return next((value.real for key, _, value in self.pairs() if key == name), None) if merges else None

    def word(self, name: str) -> str:
        """Return the text of a scalar in a map; an empty text where there is none."""
        value = self.get(name)
        return value.text if value is not None and value.kind == "scalar" else ""

    def plain(self) -> Any:
        """Return the value as Python data: dict, list, text, number, boolean or None."""
        own = self.real
        if own.kind == "scalar":
            return scalar(own)
        if own.kind == "list":
            return [item.plain() for item in own.items]
        if any(key.text == "<<" for key, _ in own.entries):
            return {name: value.plain() for name, _, value in own.pairs()}
        return {key.text: value.plain() for key, value in own.entries}


def scalar(value: Value) -> Any:
    """Return a scalar's value as CWL reads it: YAML 1.2 (yes, no, on and off are texts; dates too)."""
    text = value.text
    if value.style and value.tag not in _FORCED:
        return text
    if value.tag:
        return resolved(text) if value.tag in _FORCED else text
    return resolved(text)


_FORCED = frozenset({f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null")})


def resolved(text: str) -> Any:  # noqa: PLR0911  one answer a kind of scalar
    """Return what a plain scalar means."""
    if not text or text[0] not in _NUMBER_START:
        if text in _NULL:
            return None
        if text in _TRUE:
            return True
        return False if text in _FALSE else text
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.match(text):
        return int(text.replace("_", ""))
    if _FLOAT.match(text):
        return float(text.replace("_", ""))
    if _BASED.match(text):
        return int(text, 0)
    special = _SPECIAL.match(text)
    if special:
        return float(f"{special['sign'] or ''}inf") if "n" not in text.lower()[-1:] else float("nan")
    return text


class Tree:
    """A document's text and its values. `root` is None where the text can't be read; `problems` says why."""

    def __init__(self, text: str, file: str = "") -> None:
        self.text = text
        self.file = file
        self.root: Value | None = None
        self.problems: list[Problem] = []
        self._starts = [len(_BOM) if text.startswith(_BOM) else 0, *(found.end() for found in _LINE_END.finditer(text))]
        self._read()

    def line(self, offset: int) -> int:
        """Return the line of an offset, from 1."""
        return max(1, bisect_right(self._starts, offset))

    def column(self, offset: int) -> int:
        """Return the column of an offset, from 1."""
        return max(1, offset - self._starts[self.line(offset) - 1] + 1)

    def line_start(self, offset: int) -> int:
        """Return where the line of an offset begins."""
        return self._starts[self.line(offset) - 1]

    def line_end(self, offset: int) -> int:
        """Return where the line of an offset ends, before its line break."""
        line = self.line(offset)
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        while end > offset and self.text[end - 1] in "\r\n":
            end -= 1
        return end

    def problem(self, offset: int, message: str, advice: str = "") -> None:
        """Note an error at an offset."""
        line, column = self.line(offset), self.column(offset)
        self.problems.append(Problem("error", message, advice, self.file, line, column))

    def _read(self) -> None:
        if len(self.text) > LARGEST_DOCUMENT:
            size = f"{len(self.text) / 1_000_000:.1f} MB"
            self.problem(0, f"The document has {size}; {LARGEST_DOCUMENT // 1_000_000} MB is the most.", _TOO_LARGE)
            return
        builder = _Builder(self)
        try:
            try:
                self.root = builder.build()
            except yaml.MarkedYAMLError as error:
                if not _PAIR.search(self.text) or "escape" not in str(error.problem):
                    raise
                builder = _Builder(self, pairs=True)
                self.root = builder.build()
        except yaml.MarkedYAMLError as error:
            mark: Any = error.problem_mark or error.context_mark  # the C parser's marks are a class of their own
            index: int = builder.at(mark.index) if mark else builder.base
            message, advice = in_words(str(error.problem or error.context or error))
            self.problem(min(index, len(self.text)), message, advice)
        except yaml.reader.ReaderError as error:
            message, advice = in_words(f"{error.reason}")
            self.problem(self._first_unprintable(), message, advice)
        except (yaml.YAMLError, UnicodeError):
            self.problem(self._first_unprintable(), *in_words(""))
        except _TooMuch as error:
            self.problem(error.offset, error.message, error.advice)
        if self.problems:
            self.root = None

    def _first_unprintable(self) -> int:
        found = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", self.text)
        return found.start() if found else 0


_TOO_LARGE = "Put data into files and name them as inputs; a document holds only the description."


class _TooMuch(Exception):  # noqa: N818  says that reading stops here
    def __init__(self, offset: int, message: str, advice: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.advice = advice


class _Builder:
    """Makes the tree from the parser's events."""

    def __init__(self, tree: Tree, *, pairs: bool = False) -> None:
        self.tree = tree
        self.base = 1 if tree.text.startswith(_BOM) else 0
        self.source = tree.text[self.base :]
        self.shorter: list[int] = []
        if pairs:
            self._join_pairs()
        self.anchors: dict[str, Value] = {}
        self.weights: dict[Value, int] = {}
        self.open: list[tuple[Value, list[Value]]] = []
        self.count = 0

    def _join_pairs(self) -> None:
        """Write JSON's pairs of escapes as YAML's single ones, which are two letters shorter; note where."""
        parts, done, length = [], 0, 0
        for found in _PAIR.finditer(self.source):
            high, low = int(found["high"], 16), int(found["low"], 16)
            whole = f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"
            parts += [self.source[done : found.start()], whole]
            length += found.start() - done + len(whole)
            self.shorter.append(length)
            done = found.end()
        self.source = "".join([*parts, self.source[done:]])

    def at(self, index: int) -> int:
        """Return the offset in the document's text of an index in what the parser reads."""
        return self.base + index + 2 * bisect_right(self.shorter, index) if self.shorter else self.base + index

    def build(self) -> Value | None:
        root: Value | None = None
        documents = 0
        events: Iterable[Any] = yaml.parse(self.source, Loader=_LOADER)
        for event in events:
            kind = type(event)
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    at = self.at(event.start_mark.index)
                    raise _TooMuch(
                        at, "The file holds more than one document.", "Keep one; `$graph` holds several processes."
                    )
                continue
            done = self._take(event, kind)
            if done is not None and not self.open:
                root = done
        return root

    def _take(self, event: Any, kind: type) -> Value | None:
        start, end = self.at(event.start_mark.index), self.at(event.end_mark.index)
        if kind is yaml.ScalarEvent:
            value = Value(self.tree, "scalar", start, end)
            value.text = event.value
            value.style = event.style or ""
            if value.style in {"|", ">"}:
                value.end = self._end_of_block(start, end)
            elif not value.style and not event.value and not event.anchor and not event.tag:
                value.start = value.end = min(start, end)
            return self._finish(self._described(value, event))
        if kind is yaml.AliasEvent:
            return self._finish(self._alias(event.anchor, start, end))
        if kind in {yaml.MappingStartEvent, yaml.SequenceStartEvent}:
            value = Value(self.tree, "map" if kind is yaml.MappingStartEvent else "list", start, end)
            value.flow = bool(event.flow_style)
            self._described(value, event)
            if len(self.open) >= DEEPEST:
                raise _TooMuch(start, f"Lists and maps are nested deeper than {DEEPEST} levels.", "Make it flatter.")
            self.open.append((value, []))
            return None
        if kind in {yaml.MappingEndEvent, yaml.SequenceEndEvent}:
            return self._close(end)
        return None

    def _described(self, value: Value, event: Any) -> Value:
        value.tag = event.tag or ""
        if event.anchor:
            value.anchor = event.anchor
            self.anchors[event.anchor] = value
        return value

    def _alias(self, name: str, start: int, end: int) -> Value:
        target = self.anchors.get(name)
        if target is None:
            raise _TooMuch(start, *in_words("undefined alias"))
        if any(each is target for each, _ in self.open):
            raise _TooMuch(start, f"The alias *{name} stands inside what it repeats.", "Write the value out.")
        value = Value(self.tree, "alias", start, end)
        value.target = target
        return value

    def _close(self, end: int) -> Value:
        value, children = self.open.pop()
        if value.kind == "list":
            value.items = children
        else:
            value.entries = list(zip(children[::2], children[1::2], strict=True))
            self._check_keys(value)
        if value.flow:
            value.end = end
        elif children:
            value.end = max(children[-1].end, children[-2].end if len(children) > 1 else 0)
        else:
            value.end = value.start
        return self._finish(value)

    def _check_keys(self, value: Value) -> None:
        seen = set()
        for key, _ in value.entries:
            if key.kind == "alias" and key.real.kind == "scalar":
                key.text = key.real.text
            elif key.kind != "scalar":
                raise _TooMuch(key.start, "A list or a map stands where a name is wanted.", "Give the entry a name.")
            if key.text in seen and key.text != "<<":
                raise _TooMuch(
                    key.start, f"The name `{key.text}` stands twice in the same map.", "Keep one of the two."
                )
            seen.add(key.text)

    def _finish(self, value: Value) -> Value:
        self.count += 1
        if self.count > MOST_VALUES:
            raise _TooMuch(value.start, f"The document holds more than {MOST_VALUES:,} values.", _TOO_LARGE)
        weight = 1
        if value.kind == "alias":
            weight = self.weights.get(value.real, 1)
        elif value.kind != "scalar":
            weight += sum(self.weights.get(child, 1) for child in value.items)
            weight += sum(1 + self.weights.get(child, 1) for _, child in value.entries)
        if weight > 1:
            self.weights[value] = weight
        if weight > MOST_EXPANDED:
            message = f"Aliases (`*name`) blow the document up to more than {MOST_EXPANDED:,} values."
            raise _TooMuch(value.start, message, "Write the values out, or use a file.")
        if self.open:
            self.open[-1][1].append(value)
        return value

    def _end_of_block(self, start: int, end: int) -> int:
        text = self.tree.text
        header = text[start : self.tree.line_end(start)].split("#")[0]
        if "+" in header:
            return end - (2 if text.endswith("\r\n", start, end) else 1 if text[end - 1 : end] in {"\n", "\r"} else 0)
        return max(start + len(text[start:end].rstrip()), start)
