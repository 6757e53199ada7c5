"""Values of job orders and outputs as pages show and compare them: files by name and checksum, not by place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

FILE_CLASSES = frozenset({"File", "Directory"})
LONGEST_VALUE = 400
MOST_ITEMS = 5
DEEPEST = 12
WORKSPACE = "/media/user/"


def is_file(value: Any) -> bool:
    """Say whether a value is a file or folder as CWL writes one."""
    return isinstance(value, Mapping) and value.get("class") in FILE_CLASSES


def place_of(value: Mapping[str, Any]) -> str:
    """Return where a file is, as its workload saw it; empty where nothing says so."""
    found = value.get("location") or value.get("path") or ""
    if not isinstance(found, str):
        return ""
    return unquote(found.removeprefix("file://")) if found.startswith("file://") else found


def folder_of(value: Mapping[str, Any]) -> str:
    """Return the folder that a file is in, as its workload saw it; empty where nothing says so."""
    return place_of(value).rstrip("/").rpartition("/")[0]


def name_of(value: Mapping[str, Any]) -> str:
    """Return a file's own name."""
    name = value.get("basename") or place_of(value).rstrip("/").rpartition("/")[2] or value.get("class")
    return str(name)


def files_in(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the files and folders of a value, with secondary files and what folders list."""
    if depth > DEEPEST:
        return
    if is_file(value):
        yield value
        for inner in ("secondaryFiles", "listing"):
            yield from files_in(value.get(inner), depth + 1)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from files_in(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from files_in(one, depth + 1)


def inside(value: Mapping[str, Any], results: str) -> str:
    """Return a file's path within a run's results (relative to the workspace); empty where it lies elsewhere."""
    root = f"{WORKSPACE}{results}/"
    place = place_of(value)
    return place[len(root) :] if results and place.startswith(root) and ".." not in place.split("/") else ""


def words(value: Any, depth: int = 0) -> str:
    """Write a value in a line: files by name, long lists by their beginning."""
    text = _words(value, depth)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _words(value: Any, depth: int) -> str:
    if is_file(value):
        return name_of(value)
    if isinstance(value, list) and depth < DEEPEST:
        shown = ", ".join(_words(one, depth + 1) for one in value[:MOST_ITEMS])
        return f"{shown}, … ({len(value)} in all)" if len(value) > MOST_ITEMS else shown or "an empty list"
    if isinstance(value, str):
        return value or "an empty text"
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def content_of(value: Any, depth: int = 0) -> Any:
    """Return what makes two values the same: of a file its checksum, or name and size where it has none."""
    if depth > DEEPEST:
        return "…"
    if is_file(value):
        said = value.get("checksum") or (place_of(value), value.get("size"), value.get("contents"))
        return (
            value["class"],
            name_of(value),
            said,
            content_of(value.get("secondaryFiles"), depth + 1),
            _listing(value, depth),
        )
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), content_of(one, depth + 1)) for key, one in value.items()))
    if isinstance(value, list):
        return tuple(content_of(one, depth + 1) for one in value)
    return json.dumps(value, ensure_ascii=False)


def _listing(value: Mapping[str, Any], depth: int) -> Any:
    listed = value.get("listing")
    return sorted(map(str, (content_of(one, depth + 1) for one in listed))) if isinstance(listed, list) else None
