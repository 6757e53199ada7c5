"""Finds what changed between two versions of a document's plain content, as small operations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Put:
    """Give an existing entry of a map, or item of a list, another value."""

    path: Path
    value: Any


@dataclass(frozen=True)
class Extend:
    """Add entries to the map at `path`, behind the entry `after` (None: before all)."""

    path: Path
    after: str | None
    entries: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Insert:
    """Add items to the list at `path`, before the item that has `index` now."""

    path: Path
    index: int
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Drop:
    """Take an entry or an item away."""

    path: Path


@dataclass(frozen=True)
class RenameKey:
    """Give an entry of a map another name, at the same place."""

    path: Path
    name: str


Change = Put | Extend | Insert | Drop | RenameKey


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same, with their types: 1, 1.0 and true differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and (one == other or repr(one) == repr(other))


def changes(old: Any, new: Any, path: Path = ()) -> list[Change]:
    """Return the operations that make one content of the other. Paths and indices are those of the old one."""
    if same(old, new):
        return []
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        return _of_maps(old, new, path)
    if isinstance(old, list) and isinstance(new, list) and old and new:
        return _of_lists(old, new, path)
    return [Put(path, new)]


def _of_maps(old: dict[str, Any], new: dict[str, Any], path: Path) -> list[Change]:
    if not old.keys() & new.keys():
        return [Put(path, new)]
    found: list[Change] = []
    after: str | None = None
    added: dict[str | None, list[tuple[str, Any]]] = {}
    for key, value in new.items():
        if key in old:
            found += changes(old[key], value, (*path, key))
            after = key
        else:
            added.setdefault(after, []).append((key, value))
    found += [Drop((*path, key)) for key in old if key not in new]
    return found + [Extend(path, behind, tuple(entries)) for behind, entries in added.items()]


def _mark(item: Any) -> str:
    """Return what tells an item of a list from its neighbours."""
    if isinstance(item, dict):
        for key in ("id", "name", "class"):
            if isinstance(item.get(key), str):
                return f"{key}: {item[key]}"
    return json.dumps(item, sort_keys=True, default=str)


def _of_lists(old: list[Any], new: list[Any], path: Path) -> list[Change]:
    found: list[Change] = []
    before, after = [_mark(item) for item in old], [_mark(item) for item in new]
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        pairs = min(j - i, m - k) if kind in {"equal", "replace"} else 0
        for step in range(pairs):
            found += changes(old[i + step], new[k + step], (*path, i + step))
        found += [Drop((*path, index)) for index in range(i + pairs, j)]
        if m > k + pairs:
            found.append(Insert(path, j, tuple(new[k + pairs : m])))
    kept = len(old) - sum(isinstance(each, Drop) and len(each.path) == len(path) + 1 for each in found)
    return found if kept else [Put(path, new)]
