"""The files that a job order names: found wherever they stand in it, and written the one way that runs understand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

DEEPEST = 40
MOST_FILES = 20_000
SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")
FILES = ("File", "Directory")


@dataclass(frozen=True)
class Named:
    """A file or folder of a job order: its path inside the workload, the input that names it, and where in that."""

    path: str
    input: str
    where: str
    is_folder: bool


class UnfitJobError(ValueError):
    """A job order that can't be run; `where` is the input, and the place in it, that is at fault."""

    def __init__(self, message: str, advice: str, where: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.where = where


def normalised(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the job order with each `location` an absolute path; raise `UnfitJobError` for any other address."""
    return {str(name): _normalised(value, str(name), 0) for name, value in job.items()}


def _normalised(value: Any, where: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise UnfitJobError(f"“{where[:100]}…” is nested too deeply.", "Use fewer levels.", where)
    if isinstance(value, list):
        return [_normalised(one, f"{where}[{place}]", depth + 1) for place, one in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    kept = {str(key): _normalised(one, f"{where}.{key}", depth + 1) for key, one in value.items()}
    if kept.get("class") not in FILES:
        return kept
    address = kept.pop("path", None) if kept.get("location") is None else kept["location"]
    kept.pop("path", None)
    if address is None:
        if "contents" in kept or "listing" in kept:
            return kept
        raise UnfitJobError(f"“{where}” names no file.", "Give its path.", where)
    return {**kept, "location": _path(address, where)}


def _path(address: Any, where: str) -> str:
    if not isinstance(address, str):
        raise UnfitJobError(f"The path of “{where}” is no text.", "Write it in quotes.", where)
    path = unquote(address[7:]) if address.startswith("file://") else address
    if SCHEME.match(path):
        advice = "Copy the file to your workspace first, and name it there."
        raise UnfitJobError(f"“{path[:200]}” is an address, and runs read files of volumes only.", advice, where)
    if not path.startswith("/"):
        advice = "Write it as it is in a session, such as /media/user/data.fits or /data/<volume>/…"
        raise UnfitJobError(f"“{path[:200]}” is not a whole path.", advice, where)
    return path


def named_files(job: Mapping[str, Any]) -> list[Named]:
    """List the files and folders that a normalised job order names; raise `UnfitJobError` for too many."""
    found: list[Named] = []
    for name, value in job.items():
        for one in _files(value, name, name):
            if len(found) >= MOST_FILES:
                advice = "Name a folder instead."
                raise UnfitJobError(f"The job order names more than {MOST_FILES} files.", advice, name)
            found.append(one)
    return found


def _files(value: Any, name: str, where: str) -> Iterator[Named]:
    if isinstance(value, list):
        for place, one in enumerate(value):
            yield from _files(one, name, f"{where}[{place}]")
    elif isinstance(value, Mapping):
        if value.get("class") in FILES and "location" in value:
            yield Named(value["location"], name, where, is_folder=value["class"] == "Directory")
        for key, one in value.items():
            if isinstance(one, list | Mapping):
                yield from _files(one, name, f"{where}.{key}")
