"""Packs the folder that an image is built from as a stream, so that the same content is always the same bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from spacelab.workloads.ports import RuntimeFault

MOMENT = 946_684_800
"""The time that every packed file has, 2000-01-01: an engine's cache must not miss because a file was written anew."""

CHUNK = 256 * 1024
MOST_FILES = 100_000
IGNORE_FILES = (".dockerignore", ".containerignore")
"""The engine reads these itself, on the host: they must be ordinary files."""

ARCHIVES = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
ZSTANDARD = b"\x28\xb5\x2f\xfd"


def pack(folder: Path, dockerfile: str, limit_bytes: int) -> Iterator[bytes]:
    """Yield a tar archive of a folder: owned by root, links as links, nothing from outside of it.

    Raise `RuntimeFault` on what is neither file nor folder nor link, and beyond the limits.
    """
    check_dockerfile_place(folder, dockerfile)
    room = limit_bytes
    for number, path in enumerate(_entries(folder)):
        member = _member(folder, path)
        room -= member.size
        if room < 0:
            raise RuntimeFault(f"The package's files are larger than the {limit_bytes // 2**20} MiB of a build.")
        if number >= MOST_FILES:
            raise RuntimeFault(f"The package has more than {MOST_FILES} files.")
        yield member.tobuf(tarfile.PAX_FORMAT)
        if member.size:
            yield from _content(path, member.size)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def check_dockerfile_place(folder: Path, dockerfile: str) -> Path:
    """Return the Dockerfile's path; raise `RuntimeFault` unless it is an ordinary file that really is in the folder."""
    parts = PurePosixPath(dockerfile).parts
    path = folder.joinpath(*parts)
    inside = parts and not PurePosixPath(dockerfile).is_absolute() and ".." not in parts
    links = [one for one in (path, *path.parents) if one.is_relative_to(folder) and one != folder and one.is_symlink()]
    if not inside or links or not path.is_file():
        raise RuntimeFault(f"There is no file “{dockerfile}” to build from.")
    return path


def largest_archive(folder: Path, limit_bytes: int) -> tuple[str, int]:
    """Return the archive of the folder that is largest when unpacked, and its size; counting ends at the limit.

    What nobody can measure here, e.g. Zstandard, counts as beyond the limit.
    """
    found = ("", 0)
    for path in _entries(folder):
        if not stat.S_ISREG(os.lstat(path).st_mode):
            continue
        size = _unpacked(path, limit_bytes)
        if size > found[1]:
            found = (str(path.relative_to(folder)), size)
    return found


def _entries(folder: Path) -> Iterator[Path]:
    """Walk the folder in one order everywhere, following no link."""
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        path = Path(entry.path)
        if entry.name in IGNORE_FILES and path.parent == folder and not entry.is_file(follow_symlinks=False):
            raise RuntimeFault(f"“{entry.name}” is no ordinary file.")
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(path)


def _member(folder: Path, path: Path) -> tarfile.TarInfo:
    found = os.lstat(path)
    member = tarfile.TarInfo(str(path.relative_to(folder)))
    member.mtime = MOMENT
    if stat.S_ISLNK(found.st_mode):
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
        return member
    if stat.S_ISDIR(found.st_mode):
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        return member
    if not stat.S_ISREG(found.st_mode):
        raise RuntimeFault(f"“{member.name}” is neither a file nor a folder nor a link.")
    member.mode = 0o755 if found.st_mode & 0o100 else 0o644
    member.size = found.st_size
    return member


def _content(path: Path, size: int) -> Iterator[bytes]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        left = size
        while left:
            chunk = file.read(min(CHUNK, left))
            if not chunk:
                raise RuntimeFault(f"“{path.name}” changed while it was read.", retry=True)
            left -= len(chunk)
            yield chunk
    if padding := -size % tarfile.BLOCKSIZE:  # an empty chunk would end the request
        yield b"\0" * padding


def _unpacked(path: Path, limit_bytes: int) -> int:
    """Return the size of a compressed file's content, counted up to a little beyond the limit; 0 for other files."""
    with path.open("rb", buffering=0) as file:
        head = file.read(6)
        if head.startswith(ZSTANDARD):
            return limit_bytes + 1
        kind = next((kind for mark, kind in ARCHIVES.items() if head.startswith(mark)), "")
        if not kind:
            return 0
        file.seek(0)
        opened: io.BufferedIOBase
        if kind == "gzip":
            opened = gzip.GzipFile(fileobj=file)
        elif kind == "bzip2":
            opened = bz2.BZ2File(file)
        else:
            opened = lzma.LZMAFile(file)  # noqa: SIM115  closed below, with the others
        size = 0
        try:
            with opened as reader:
                while size <= limit_bytes and (chunk := reader.read(CHUNK)):
                    size += len(chunk)
        except (OSError, EOFError, lzma.LZMAError, zlib.error):
            return size  # no archive after all, or a broken one, which the engine refuses
        return size
