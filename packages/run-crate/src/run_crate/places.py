"""Files that others can change while they are read: opened step by step, so that no link leads anywhere else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

MOST_ENTRIES = 20_000
"""Files of one folder that are taken along."""
DEEPEST = 40
"""Levels of folders below one."""


@dataclass(frozen=True)
class Entry:
    """A file below a folder: its path from there, with `/`, and its size in bytes."""

    path: str
    size: int


class Place(Protocol):
    """Where a run's files lie. Paths are those that the run knew; what may not be read is as if it weren't there."""

    def open(self, path: str) -> BinaryIO | None:
        """Open a regular file; None if there is none."""

    def entries(self, path: str) -> list[Entry] | None:
        """List the regular files below a folder; None if there is no such folder."""


class Nowhere:
    """Has no file: everything stays a reference."""

    def open(self, path: str) -> BinaryIO | None:
        """Find nothing."""
        del path
        return None

    def entries(self, path: str) -> list[Entry] | None:
        """Find nothing."""
        del path
        return None


@dataclass(frozen=True)
class Below:
    """Files below some folders of this machine: `roots` maps a path that the run knew to the folder here.

    The longest path that fits decides. Links are not followed, wherever in the path they are.
    """

    roots: dict[str, Path]

    def _find(self, path: str) -> tuple[Path, tuple[str, ...]] | None:
        for root in sorted(self.roots, key=len, reverse=True):
            inside = root.rstrip("/")
            if path == inside or path.startswith(f"{inside}/"):
                return self.roots[root], tuple(part for part in path[len(inside) :].split("/") if part)
        return None

    def open(self, path: str) -> BinaryIO | None:
        """Open a regular file below a root."""
        found = self._find(path)
        return open_inside(*found) if found and found[1] else None

    def entries(self, path: str) -> list[Entry] | None:
        """List the regular files below a folder, in order of their names."""
        found = self._find(path)
        descriptor = open_folder(*found) if found else None
        if descriptor is None:
            return None
        listed: list[Entry] = []
        for entry in _walk(descriptor, "", 0):
            listed.append(entry)
            if len(listed) >= MOST_ENTRIES:
                break
        return sorted(listed, key=lambda one: one.path)


def open_folder(folder: Path, parts: Sequence[str]) -> int | None:
    """Open a folder below another one, following no link; return its descriptor, or None if there is none."""
    if any(part in {"", ".", ".."} or "/" in part or "\0" in part for part in parts):
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    for part in parts:
        try:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def open_inside(folder: Path, parts: Sequence[str]) -> BinaryIO | None:
    """Open a regular file below a folder, following no link; None if there is none."""
    if not parts or parts[-1] in {"", ".", ".."} or "/" in parts[-1] or "\0" in parts[-1]:
        return None
    descriptor = open_folder(folder, parts[:-1])
    if descriptor is None:
        return None
    try:
        found = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        return None
    return os.fdopen(found, "rb")


def _walk(descriptor: int, prefix: str, depth: int) -> Iterator[Entry]:
    """Yield the files below an open folder, and close it."""
    try:
        with os.scandir(descriptor) as listed:
            found = sorted(listed, key=lambda one: one.name)
        for one in found:
            with suppress(OSError):
                facts = os.stat(one.name, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISREG(facts.st_mode):
                    yield Entry(f"{prefix}{one.name}", facts.st_size)
                elif stat.S_ISDIR(facts.st_mode) and depth < DEEPEST:
                    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                    inner = os.open(one.name, flags, dir_fd=descriptor)
                    yield from _walk(inner, f"{prefix}{one.name}/", depth + 1)
    finally:
        os.close(descriptor)
