"""Looking into a volume: the entries of a folder, and a README as safe HTML."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from django.conf import settings
from markdown_it import MarkdownIt

from spacelab.kit.refusals import Invalid, NotFound
from spacelab.volumes.rules import Entry, resolve_inside

MOST_SHOWN = 500
"""Entries of one folder on a page."""
LARGEST_README = 200_000


def readable_in_sessions(root: Path, found: Path) -> bool:
    """Say whether a session that mounts the volume could read this file or folder; `found` is below `root`, resolved.

    A platform that runs as root could read more, such as keys in a folder that was declared without thought.
    """
    if os.geteuid() != 0:
        return True
    top = root.resolve()
    for one in (found, *found.parents):
        status = one.stat()
        needed = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(status.st_mode) else stat.S_IROTH
        if status.st_uid != settings.SPACELAB.workload_uid and status.st_mode & needed != needed:
            return False
        if one == top:
            return True
    return False


def entries(root: Path, inside: str) -> list[Entry]:
    """List a folder of the volume, folders first; leave out hidden entries and links that lead out of the volume.

    Raises `Invalid` for a path that leaves the volume, `NotFound` if there is no such folder.
    """
    folder = resolve_inside(root, inside)
    if not folder.is_dir() or not readable_in_sessions(root, folder):
        raise NotFound("There is no such folder in this volume.", advice="Go back to the volume.")
    found: list[Entry] = []
    for entry in folder.iterdir():
        if entry.name.startswith(".") or (entry.is_symlink() and root.resolve() not in entry.resolve().parents):
            continue
        try:
            status = entry.stat()
        except OSError:
            continue
        where = f"{inside}/{entry.name}".lstrip("/")
        changed = datetime.fromtimestamp(status.st_mtime, UTC)
        found.append(Entry(entry.name, where, entry.is_dir(), status.st_size, changed))
        if len(found) >= MOST_SHOWN:
            break
    return sorted(found, key=lambda one: (not one.is_folder, one.name.lower()))


def readme(root: Path) -> str:
    """Return README.md of the volume as HTML in which raw HTML stays text; empty if there is none."""
    file = resolve_inside(root, "README.md")
    if not file.is_file() or file.stat().st_size > LARGEST_README or not readable_in_sessions(root, file):
        return ""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return str(markdown.render(file.read_text(encoding="utf-8", errors="replace")))


def walk_own(root: Path, inside: str, most: int = MOST_SHOWN) -> list[Entry]:
    """List the files in a folder of a person's own area and below it, by name, following no link; empty if none.

    At most `most` are listed. She may change all of it meanwhile, so nothing is looked up by name twice.
    """
    found: list[Entry] = []
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in PurePosixPath(inside).parts:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        for parent, folders, files, folder in os.fwalk(".", dir_fd=descriptor):
            folders.sort()
            for name in sorted(files):
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if len(found) < most and stat.S_ISREG(status.st_mode):
                    below = str(PurePosixPath(parent) / name)
                    changed = datetime.fromtimestamp(status.st_mtime, UTC)
                    entry = Entry(below, f"{inside}/{below}", is_folder=False, size=status.st_size, changed_at=changed)
                    found.append(entry)
            if len(found) >= most:
                break
    except OSError:
        return found
    finally:
        os.close(descriptor)
    return found


def folder_own(root: Path, inside: str, most: int) -> list[Entry]:
    """List one folder of a person's own area with all that is hidden, following no link; empty if there is none."""
    found: list[Entry] = []
    try:
        descriptor = _open_folder(root, PurePosixPath(inside).parts)
    except OSError:
        return found
    try:
        with os.scandir(descriptor) as listed:
            for one in listed:
                status = one.stat(follow_symlinks=False)
                if len(found) < most and (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                    changed = datetime.fromtimestamp(status.st_mtime, UTC)
                    is_folder = stat.S_ISDIR(status.st_mode)
                    found.append(Entry(one.name, f"{inside}/{one.name}", is_folder, status.st_size, changed))
    except OSError:
        return found
    finally:
        os.close(descriptor)
    return sorted(found, key=lambda one: one.name)


def _open_folder(root: Path, parts: Sequence[str]) -> int:
    """Open a folder step by step, so that no link is followed; raise `OSError` where that can't be done."""
    if ".." in parts:
        raise FileNotFoundError
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for part in parts:
        try:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def files_like(root: Path, formats: Sequence[str], *, most: int, entries: int) -> list[str]:
    """List files below a volume's root whose names end like one of the formats (any if none are named).

    Nothing hidden, nothing behind a link; looking ends after so many `entries`, so that large volumes cost no more.
    """
    endings = tuple(f".{one.lower().lstrip('.')}" for one in formats)
    found: list[str] = []
    for parent, folders, files, _descriptor in os.fwalk(root, follow_symlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            stem = name.lower().removesuffix(".gz")
            if not name.startswith(".") and (not endings or stem.endswith(endings)):
                found.append(str(Path(parent).relative_to(root) / name))
        entries -= len(files) + len(folders)
        if entries <= 0 or len(found) >= most:
            break
    return found[:most]


def open_own(root: Path, inside: str) -> BinaryIO:
    """Open a regular file of a person's own area, whose content she may change at any moment.

    Each step opens relative to the one before and follows no link, so nothing outside can be swapped in meanwhile.
    Raises `Invalid` for `..`, `NotFound` for anything that is no regular file there.
    """
    parts = [part for part in inside.split("/") if part not in {"", "."}]
    if not parts or ".." in parts or "\0" in inside:
        raise Invalid("This path leads out of your workspace.", advice="Name a file inside it.", field="path")
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        found = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
    except OSError:
        raise NotFound("There is no such file in your workspace.", advice="Check its name.", field="path") from None
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise NotFound("This is not a file.", advice="Name a file.", field="path")
    return os.fdopen(found, "rb")
