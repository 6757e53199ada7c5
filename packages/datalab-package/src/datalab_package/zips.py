"""Unpacks a zip of a package: whatever it holds, nothing is written outside the target or left behind."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from datalab_package.intake import MIB, Entry, Intake, Limits, check_count, take_entries
from datalab_package.paths import is_junk, safe_path, shown, without_top_folder
from datalab_package.problems import PackageProblem

_UTF_8_NAMES = 0x800
_ENCRYPTED = 0x1
_UNIX = 3
_END = struct.Struct("<4s4H2LH")
_LOCATOR_SIZE = 20
_END_64 = struct.Struct("<4sQ2H2L4Q")
_BYTES_OF_AN_ENTRY = 2000
"""More than an entry of the list of files takes with a long name and its extra fields."""


def unpack_zip(file: Path | BinaryIO, target: Path, limits: Limits | None = None) -> Intake:
    """Unpack a zip into the new folder `target`, without the one folder that may hold everything.

    Raises `PackageProblem` for a file that is no zip, is encrypted, holds links or special files, names that lead
    out or collide, or more than `limits` allow. Then nothing is left behind.
    """
    limits = limits or Limits()
    with _opened(file) as stream:
        _check_list_of_files(stream, limits)
        try:
            with zipfile.ZipFile(stream) as archive:
                return _unpack(archive, stream, target, limits)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError, struct.error) as error:
            raise PackageProblem(f"The zip can't be read: {error}.", "Pack the folder again.") from error


@contextmanager
def _opened(file: Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(file, Path):
        with file.open("rb") as stream:
            yield stream
    else:
        yield file


def _check_list_of_files(stream: BinaryIO, limits: Limits) -> None:
    """Refuse a zip whose list of files is too long to be read into memory, by what its end says about it."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - 65535 - _END.size))
    tail = stream.read()
    found = tail.rfind(b"PK\5\6")
    if found < 0 or len(tail) - found < _END.size:
        raise PackageProblem("This is not a zip, or not all of it arrived.", "Pack the folder again.")
    _, _, _, _, count, length, _, _ = _END.unpack_from(tail, found)
    larger = found - _LOCATOR_SIZE - _END_64.size
    if larger >= 0 and tail[larger:].startswith(b"PK\6\6"):
        count, length = (max(old, new) for old, new in zip((count, length), _end_64(tail, larger), strict=True))
    if length > (limits.files + 1000) * _BYTES_OF_AN_ENTRY:
        count = max(count, length // _BYTES_OF_AN_ENTRY)
    # A zip may list folders too, and what is left out; they are not counted as files later.
    if count > 2 * limits.files + 1000:
        check_count(count, limits)


def _end_64(tail: bytes, position: int) -> tuple[int, int]:
    record = _END_64.unpack_from(tail, position)
    return record[7], record[8]


def _unpack(archive: zipfile.ZipFile, stream: BinaryIO, target: Path, limits: Limits) -> Intake:
    members = [(info, safe_path(_name(info))) for info in archive.infolist() if not _only_a_folder(info)]
    members = [(info, path) for info, path in members if not is_junk(path)]
    check_count(len(members), limits)
    for info, path in members:
        _check_member(info, shown(str(path)))
    total = sum(info.file_size for info, _ in members)
    packed = stream.seek(0, 2)
    if total > limits.ratio_from_bytes and total > packed * limits.ratio:
        raise PackageProblem(
            f"The zip of {packed / MIB:,.1f} MiB would unpack to {total / MIB:,.0f} MiB.",
            "Such files belong into an archive volume or the workspace, or are made when the datalab runs.",
        )
    paths = without_top_folder([path for _, path in members])
    entries = [
        Entry(path, info.file_size, _executable(info), _opener(archive, info))
        for path, (info, _) in zip(paths, members, strict=True)
    ]
    return take_entries(entries, target, limits)


def _only_a_folder(info: zipfile.ZipInfo) -> bool:
    """Say whether an entry is a folder; its name is checked all the same, so that a bad zip is refused whole."""
    folder = info.filename.endswith(("/", "\\"))
    if folder and info.filename.strip("/\\."):
        safe_path(_name(info))
    return folder


def _name(info: zipfile.ZipInfo) -> str:
    """Return an entry's name; one that isn't marked as UTF-8 mostly is, and the old code page otherwise."""
    name = info.orig_filename
    if info.flag_bits & _UTF_8_NAMES:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _check_member(info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise PackageProblem(f"{name} is encrypted.", "Pack the folder again without a password.", name)
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode) if info.create_system == _UNIX else 0
    if kind == stat.S_IFLNK:
        raise PackageProblem(f"{name} is a link.", "Pack the file itself: zip without the option -y does so.", name)
    if kind not in {0, stat.S_IFREG}:
        raise PackageProblem(f"{name} is neither a file nor a folder.", "Leave it out.", name)


def _executable(info: zipfile.ZipInfo) -> bool:
    return info.create_system == _UNIX and bool(info.external_attr >> 16 & stat.S_IXUSR)


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], AbstractContextManager[BinaryIO]]:
    return lambda: cast("AbstractContextManager[BinaryIO]", archive.open(info))
