"""Takes files of a package in from outside: whole and checked, or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from datalab_package.paths import check_together, is_junk, safe_path, shown, without_top_folder
from datalab_package.problems import PackageProblem

MIB = 1024 * 1024
BLOCK = 256 * 1024
LFS_MARK = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class Limits:
    """How much a package may hold. `ratio` is how many times larger than its archive the content may be."""

    files: int = 10_000
    total_bytes: int = 500 * MIB
    file_bytes: int = 100 * MIB
    ratio: int = 100
    ratio_from_bytes: int = 10 * MIB
    """Content below this size is taken whatever its ratio: an empty FITS image packs very well."""


@dataclass(frozen=True)
class Intake:
    """What was taken in, and what its author should know about it."""

    files: int
    total_bytes: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One file on its way in. `size` is what its source says; more than that is never read."""

    path: PurePosixPath
    size: int
    executable: bool
    open: Callable[[], AbstractContextManager[BinaryIO]]


def take_entries(entries: list[Entry], target: Path, limits: Limits) -> Intake:
    """Write the entries to the new folder `target`, which appears whole or not at all; see `check_entries`."""
    check_entries(entries, limits)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name[:100]}.", dir=target.parent))
    try:
        partial.chmod(0o755)
        notes, total = [], 0
        for entry in entries:
            written, start = _write(entry, partial / entry.path)
            total += written
            notes += _pointer(entry, start)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Intake(len(entries), total, tuple(notes))


def _pointer(entry: Entry, start: bytes) -> list[str]:
    """Say it if a file is only a pointer to a large one."""
    if not start.startswith(LFS_MARK):
        return []
    advice = "put the file in, or fetch it from an archive when the datalab runs."
    return [f"{entry.path} is a pointer to a file in Git LFS, not the file itself: {advice}"]


def check_entries(entries: list[Entry], limits: Limits) -> None:
    """Raise `PackageProblem` if there are no files, too many or too large ones, or if names collide."""
    if not entries:
        raise PackageProblem("There are no files in it.", "Add at least a notebook, a script or a Dockerfile.")
    check_count(len(entries), limits)
    for entry in entries:
        check_size(entry.path, entry.size, limits)
    check_total(sum(entry.size for entry in entries), limits)
    check_together(entry.path for entry in entries)


def _write(entry: Entry, file: Path) -> tuple[int, bytes]:
    """Write one file; return its size and its first bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    written, start = 0, b""
    with entry.open() as source, os.fdopen(os.open(file, flags, 0o600), "wb") as copy:
        while block := source.read(BLOCK):
            written += len(block)
            if written > entry.size:
                raise PackageProblem(f"{shown(str(entry.path))} is larger than announced.", file=str(entry.path))
            start = start or block[:200]
            copy.write(block)
        os.fchmod(copy.fileno(), 0o755 if entry.executable else 0o644)
    return written, start


def check_count(count: int, limits: Limits) -> None:
    """Raise `PackageProblem` if there are more files than a package may hold."""
    if count > limits.files:
        raise PackageProblem(
            f"There are {count:,} files in it; a package may hold {limits.files:,}.",
            "Leave out data and installed packages; data belongs into an archive volume or the workspace.",
        )


def check_size(path: PurePosixPath, size: int, limits: Limits) -> None:
    """Raise `PackageProblem` if one file is larger than a package's files may be."""
    if size > limits.file_bytes:
        raise PackageProblem(
            f"{shown(str(path))} has {size / MIB:,.0f} MiB; a file of a package may have {limits.file_bytes // MIB}.",
            "Large data belongs into an archive volume or the workspace.",
            str(path),
        )


def check_total(size: int, limits: Limits) -> None:
    """Raise `PackageProblem` if all files together are larger than a package may be."""
    if size > limits.total_bytes:
        raise PackageProblem(
            f"Its files have {size / MIB:,.0f} MiB together; a package may have {limits.total_bytes // MIB}.",
            "Large data belongs into an archive volume or the workspace.",
        )


def take_files(
    files: Iterable[tuple[str, BinaryIO]], target: Path, limits: Limits | None = None, *, keep_top: bool = False
) -> Intake:
    """Write uploaded files, given as (name, open file), to the new folder `target`; see `take_entries`.

    A folder that everything lies in is left out, unless `keep_top`.
    """
    named = [(safe_path(name), file) for name, file in files]
    named = [(path, file) for path, file in named if not is_junk(path)]
    paths = [path for path, _ in named]
    if not keep_top:
        paths = without_top_folder(paths)
    entries = [_uploaded(path, file) for path, (_, file) in zip(paths, named, strict=True)]
    return take_entries(entries, target, limits or Limits())


def _uploaded(path: PurePosixPath, file: BinaryIO) -> Entry:
    size = file.seek(0, os.SEEK_END)

    def rewound() -> AbstractContextManager[BinaryIO]:
        file.seek(0)
        return file

    return Entry(path, size, executable=False, open=rewound)


def copy_folder(source: Path, target: Path, limits: Limits | None = None) -> Intake:
    """Copy a folder, e.g. a Git checkout without its `.git`, to the new folder `target`; see `take_entries`.

    A link to a file inside the folder is copied as that file. Raises `PackageProblem` for links that lead elsewhere
    and for anything that is neither file nor folder.
    """
    limits = limits or Limits()
    return take_entries(_entries_of(source, limits), target, limits)


def check_folder(source: Path, limits: Limits | None = None) -> Intake:
    """Raise `PackageProblem` where `copy_folder` would, and write nothing."""
    limits = limits or Limits()
    entries = _entries_of(source, limits)
    check_entries(entries, limits)
    notes: list[str] = []
    for entry in entries:
        with entry.open() as stream:
            notes += _pointer(entry, stream.read(len(LFS_MARK)))
    return Intake(len(entries), sum(entry.size for entry in entries), tuple(notes))


def _entries_of(source: Path, limits: Limits) -> list[Entry]:
    """List the files of a folder that belong to the package."""
    root = source.resolve()
    entries: list[Entry] = []
    for folder, folders, names in os.walk(root, onerror=_raise):
        folders[:] = sorted(name for name in folders if not _skipped(root, Path(folder, name)))
        links = [name for name in folders if Path(folder, name).is_symlink()]
        if links:
            raise _link(Path(folder, links[0]).relative_to(root))
        for name in sorted(names):
            file = Path(folder, name)
            if not _skipped(root, file):
                entries.append(_found(root, file))
                check_count(len(entries), limits)
    return entries


def _raise(error: OSError) -> None:
    raise error


def _skipped(root: Path, path: Path) -> bool:
    return is_junk(PurePosixPath(path.relative_to(root)))


def _found(root: Path, file: Path) -> Entry:
    """Look at one file of a folder; what is opened later is what was looked at, not what a name then leads to."""
    path = safe_path(str(file.relative_to(root)))
    real = file
    if file.is_symlink():
        real = file.resolve()
        if not real.is_relative_to(root) or ".git" in real.relative_to(root).parts or not real.is_file():
            raise _link(file.relative_to(root))
    facts = real.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise PackageProblem(f"{shown(str(path))} is neither a file nor a folder.", "Leave it out.", str(path))

    def opened() -> AbstractContextManager[BinaryIO]:
        stream = os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
        now = os.fstat(stream.fileno())
        if (now.st_dev, now.st_ino) != (facts.st_dev, facts.st_ino):
            stream.close()
            raise PackageProblem(f"{shown(str(path))} changed while it was copied.", "Try again.", str(path))
        return stream

    return Entry(path, facts.st_size, bool(facts.st_mode & stat.S_IXUSR), opened)


def _link(path: Path) -> PackageProblem:
    return PackageProblem(
        f"{shown(str(path))} is a link that can't be followed here.",
        "Put the file itself in its place; only links to files of the package are copied.",
        str(path),
    )
