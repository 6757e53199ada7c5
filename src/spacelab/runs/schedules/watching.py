"""Looks at a folder of a volume for files: bounded in time, depth and number, following no link."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spacelab.accounts.models import Person
from spacelab.kit.refusals import Invalid
from spacelab.runs.schedules.rules import MOST_FILES, Seen, wants
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import OLD_ARCHIVE_ROOT, WORKSPACE, volume_and_team

MOST_ENTRIES = 50_000
"""Names that one look goes over."""
MOST_SECONDS = 5.0
DEEPEST = 12
RESULTS = str(WORKSPACE / "results")
"""Where runs leave their outputs, unless told otherwise: never watched, so that no run starts the next one."""
READABLE = 0o005


@dataclass(frozen=True)
class Look:
    """What a look found, and whether it came to its end."""

    files: Sequence[Seen]
    whole: bool = True
    why: str = ""


@dataclass(frozen=True)
class Watched:
    """A folder on the host, and what it is called inside workloads."""

    root: Path
    parts: tuple[str, ...]
    shown: str
    is_archive: bool


def find_folder(person: Person, folder: str) -> Watched:
    """Find a folder by its path inside workloads; raise `Invalid` or `NotFound` for what the person may not use."""
    wanted = PurePosixPath(folder)
    volume, team = volume_and_team(str(wanted / "x"))
    mounts = volume_queries.mounts_for(person, volumes=[volume] if volume else [], teams=[team] if team else [])
    for mount in sorted(mounts, key=lambda one: len(one.target), reverse=True):
        target = PurePosixPath(mount.target)
        if target == wanted or target in wanted.parents:
            if OLD_ARCHIVE_ROOT in wanted.parents:
                break
            parts = wanted.relative_to(target).parts
            return Watched(Path(mount.source), parts, str(wanted), mount.read_only)
    raise Invalid(
        f"“{folder[:200]}” can't be watched.",
        advice="Name a folder below /data/<volume>, /media/user or /media/team_workspaces/<team>.",
        field="folder",
    )


def look(watched: Watched, patterns: Sequence[str], *, with_subfolders: bool) -> Look:
    """List the wanted files of a folder as they are now; one that isn't there has none."""
    descriptor = _open(watched)
    if descriptor is None:
        return Look((), whole=False, why="The folder is not there.")
    walk = _Walk(watched, patterns, with_subfolders=with_subfolders)
    found = list(walk.files(descriptor, "", 0))
    return Look(found, not walk.why, walk.why)


def _open(watched: Watched) -> int | None:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        descriptor = os.open(watched.root, flags)
    except OSError:
        return None
    for part in watched.parts:
        try:
            inner = os.open(part, flags | os.O_NOFOLLOW, dir_fd=descriptor)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        descriptor = inner
        if watched.is_archive and not _readable(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
    return descriptor


def _readable(mode: int) -> bool:
    """Say whether workloads may read a file or folder of an archive, which belongs to somebody else there."""
    wanted = READABLE if stat.S_ISDIR(mode) else READABLE & ~1
    return mode & wanted == wanted


class _Walk:
    """One look at a folder, with what it may take."""

    def __init__(self, watched: Watched, patterns: Sequence[str], *, with_subfolders: bool) -> None:
        self.watched = watched
        self.patterns = patterns
        self.with_subfolders = with_subfolders
        self.entries = 0
        self.found = 0
        self.until = time.monotonic() + MOST_SECONDS
        self.why = ""

    def files(self, descriptor: int, prefix: str, depth: int) -> Iterator[Seen]:
        """Yield the wanted files below an open folder, and close it."""
        try:
            with os.scandir(descriptor) as listed:
                for entry in listed:
                    if not self._goes_on():
                        return
                    yield from self._entry(descriptor, entry.name, prefix, depth)
        except OSError:
            self.why = "A part of the folder can't be read."
        finally:
            os.close(descriptor)

    def _goes_on(self) -> bool:
        self.entries += 1
        if self.entries > MOST_ENTRIES:
            self.why = f"The folder has more than {MOST_ENTRIES} files and folders: watch a smaller one."
        elif self.found >= MOST_FILES:
            self.why = f"More than {MOST_FILES} files fit: narrow the pattern, or watch a smaller folder."
        elif time.monotonic() > self.until:
            self.why = f"Looking through the folder takes longer than {MOST_SECONDS:.0f} s: watch a smaller one."
        return not self.why

    def _entry(self, descriptor: int, name: str, prefix: str, depth: int) -> Iterator[Seen]:
        inside = f"{prefix}{name}"
        path = f"{self.watched.shown}/{inside}"
        with suppress(OSError, UnicodeEncodeError):
            path.encode()
            facts = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if self.watched.is_archive and not _readable(facts.st_mode):
                return
            if stat.S_ISREG(facts.st_mode):
                if wants(self.patterns, inside):
                    self.found += 1
                    yield Seen(path, facts.st_size, facts.st_mtime_ns)
            elif stat.S_ISDIR(facts.st_mode) and self._enters(name, path, depth):
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                yield from self.files(os.open(name, flags, dir_fd=descriptor), f"{inside}/", depth + 1)

    def _enters(self, name: str, path: str, depth: int) -> bool:
        return self.with_subfolders and depth < DEEPEST and not name.startswith(".") and path != RESULTS
