"""Changes a document's text at single places: every other byte stays, and the result is read again to prove it.

Each operation has one or more ways to be written. A way is taken only if the text that results reads as exactly the
content wanted, and every comment outside of what was changed is still there; otherwise the edit is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

from cwl_graph.changes import Change, Drop, Extend, Insert, Path, Put, RenameKey, changes, same
from cwl_graph.placing import Place, Splice, place_of
from cwl_graph.problems import Refused
from cwl_graph.tree import Tree, Value
from cwl_graph.ways import Writer

MOST_WAYS = 12
"""Ways of writing an operation that are tried."""

_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\r\n]*", re.MULTILINE)


def change_text(text: str, new: Any, *, renames: tuple[RenameKey, ...] = (), file: str = "") -> str:
    """Return the text with its content changed to `new`; keys in `renames` get their new names at their places.

    Raises `Refused` where that can't be done without touching anything else.
    """
    tree = _read(text, file)
    if renames:
        content = tree.root.plain() if tree.root else None
        for rename in renames:
            content = _renamed(content, rename.path, rename.name)
        tree = _written(tree, list(renames), content)
    old = tree.root.plain() if tree.root else None
    steps = changes(old, new)
    return _written(tree, steps, new).text if steps else tree.text


def _read(text: str, file: str) -> Tree:
    tree = Tree(text, file)
    if tree.root is None:
        found = tree.problems[0] if tree.problems else None
        message = f"Line {found.line}: {found.message}" if found else "The document is empty."
        raise Refused(message, "Correct the text first.", file=file, line=found.line if found else 0)
    return tree


def _renamed(content: Any, path: Path, name: str) -> Any:
    """Return the content with one key renamed, order kept."""
    first, *rest = path
    if isinstance(content, list) and isinstance(first, int):
        return [_renamed(each, tuple(rest), name) if at == first else each for at, each in enumerate(content)]
    if not rest:
        return {name if key == first else key: value for key, value in content.items()}
    return {key: _renamed(value, tuple(rest), name) if key == first else value for key, value in content.items()}


def _written(tree: Tree, steps: list[Change], new: Any) -> Tree:
    """Return the tree after all steps: all at once if that works, else one after the other."""
    writer = Writer(tree)
    ways = [list(_ways(writer, step)) for step in steps]
    lost = _may_go(tree, steps)
    for choice in _choices(ways):
        done = _tried(tree, [splice for way in choice for splice in way], new, lost)
        if done is not None:
            return done
    if len(steps) > 1:
        return _one_by_one(tree, steps, new)
    raise _refusal(tree, steps)


def _choices(ways: list[list[list[Splice]]]) -> Iterator[tuple[list[Splice], ...]]:
    if all(ways):
        yield from (choice for _, choice in zip(range(MOST_WAYS), product(*ways), strict=False))


def _one_by_one(tree: Tree, steps: list[Change], new: Any) -> Tree:
    """Carry the steps out from the end of the text to its beginning, so that paths before them stay true."""
    assert tree.root is not None  # noqa: S101  a tree that was read
    content = tree.root.plain()
    places = {index: _start(tree, step) for index, step in enumerate(steps)}
    for index in sorted(places, key=lambda each: (-places[each], -each)):
        content = applied(content, steps[index])
        tree = _written(tree, [steps[index]], content)
    if tree.root is None or not same(tree.root.plain(), new):
        raise _refusal(tree, steps)
    return tree


def _start(tree: Tree, step: Change) -> int:
    place = place_of(tree, step.path)
    if isinstance(step, Insert) and step.index < len(place.value.items):
        return place.value.items[step.index].start
    return place.value.end if isinstance(step, Insert | Extend) else place.start


def _ways(writer: Writer, step: Change) -> Iterator[list[Splice]]:
    if isinstance(step, Put):
        yield from writer.put(step.path, step.value)
    elif isinstance(step, Extend):
        yield from writer.extend(step.path, step.after, step.entries)
    elif isinstance(step, Insert):
        yield from writer.insert(step.path, step.index, step.values)
    elif isinstance(step, Drop):
        yield from writer.drop(step.path)
    else:
        yield from writer.rename(step.path, step.name)


def _tried(tree: Tree, splices: list[Splice], new: Any, lost: list[tuple[int, int]]) -> Tree | None:
    """Return the tree of the text with the splices, if it is what was wanted."""
    text = spliced(tree.text, splices)
    if text is None:
        return None
    done = Tree(text, tree.file)
    if done.root is None or not same(done.root.plain(), new):
        return None
    kept = Counter(words for at, words in comments(tree) if not any(start <= at < end for start, end in lost))
    return done if not kept - Counter(words for _, words in comments(done)) else None


def spliced(text: str, splices: list[Splice]) -> str | None:
    """Return the text with each (start, end) replaced; None where two of them overlap."""
    parts: list[str] = []
    at = 0
    for start, end, words in sorted(splices, key=lambda each: (each[0], each[1])):
        if start < at:
            return None
        parts += [text[at:start], words]
        at = end
    return "".join([*parts, text[at:]])


def comments(tree: Tree) -> list[tuple[int, str]]:
    """Return a document's comments with their offsets."""
    if "#" not in tree.text or tree.root is None:
        return []
    found: list[tuple[int, str]] = []
    at = 0
    for start, end in [*_solid(tree.root), (len(tree.text), len(tree.text))]:
        gap_start = max(at - 1, 0)
        found += [
            (each.start(), each[0].rstrip())
            for each in _COMMENT.finditer(tree.text, gap_start, start)
            if each.start() >= at
        ]
        at = max(at, end)
    return found


def _solid(value: Value) -> Iterator[tuple[int, int]]:
    """Yield the ranges of scalars and aliases in the order of the text: no comment is in them."""
    if value.kind == "list":
        for item in value.items:
            yield from _solid(item)
    elif value.kind == "map":
        for key, each in value.entries:
            yield from _solid(key)
            yield from _solid(each)
    else:
        yield value.start, value.end


def _may_go(tree: Tree, steps: list[Change]) -> list[tuple[int, int]]:
    """Return the ranges whose comments belong to what is taken away or replaced."""
    ranges = []
    for step in steps:
        if isinstance(step, Drop | Put):
            place = place_of(tree, step.path)
            ranges.append(
                (place.start if isinstance(step, Drop) else place.value.start, _end_with_comment(tree, place, step))
            )
    return ranges


def _end_with_comment(tree: Tree, place: Place, step: Change) -> int:
    return tree.line_end(place.value.end) + 1 if isinstance(step, Drop) and not place.flow else place.value.end


def applied(content: Any, step: Change) -> Any:
    """Return the content after one step."""
    if isinstance(step, RenameKey):
        return _renamed(content, step.path, step.name)
    if isinstance(step, Put) and not step.path:
        return step.value
    inner = step.path if isinstance(step, Extend | Insert) else step.path[:-1]
    return _replaced(content, inner, step)


def _replaced(content: Any, path: Path, step: Change) -> Any:  # noqa: PLR0911  one answer a kind of step
    if path:
        first, rest = path[0], path[1:]
        if isinstance(content, list):
            return [_replaced(each, rest, step) if at == first else each for at, each in enumerate(content)]
        return {key: _replaced(value, rest, step) if key == first else value for key, value in content.items()}
    if isinstance(step, Extend):
        return {**content, **dict(step.entries)}
    if isinstance(step, Insert):
        return [*content[: step.index], *step.values, *content[step.index :]]
    last = step.path[-1]
    if isinstance(step, Put):
        if isinstance(content, list):
            return [step.value if at == last else each for at, each in enumerate(content)]
        return {**content, last: step.value}
    if isinstance(content, list):
        return [each for at, each in enumerate(content) if at != last]
    return {key: value for key, value in content.items() if key != last}


def _refusal(tree: Tree, steps: list[Change]) -> Refused:
    place = place_of(tree, steps[0].path)
    line = tree.line(place.start)
    if re.search(r"(?:^|[\s\[{,])[*&][^\s,\]}]", tree.text):
        told = f"Line {line} is written once and repeated elsewhere by an alias (`*name`)."
        return Refused(told, "Write the repeated parts out, or edit the text itself.", file=tree.file, line=line)
    told = f"Line {line} is written in a way that can't be changed without touching its neighbours."
    return Refused(told, "Edit the text itself.", file=tree.file, line=line)
