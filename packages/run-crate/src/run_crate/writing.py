"""A crate written as a folder or as a zip: piece by piece, whatever its size."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from run_crate.crate import Crate
from run_crate.entities import METADATA
from run_crate.values import Part

PIECE = 2**20


class ChangedError(Exception):
    """A file of the run changed, or was removed, while its crate was written; its text is for people."""


def write_folder(crate: Crate, folder: Path) -> None:
    """Write a crate into a folder, which is made; raises ChangedError, and FileExistsError for a file that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in crate.parts:
        path = folder / part.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            for piece in _pieces(crate, part):
                file.write(piece)
    with (folder / METADATA).open("xb") as file:
        file.write(metadata_text(crate))


def write_zip(crate: Crate, target: BinaryIO | IO[bytes]) -> None:
    """Write a crate as a zip, its metadata first; raises ChangedError."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        archive.writestr(METADATA, metadata_text(crate))
        for part in crate.parts:
            info = zipfile.ZipInfo(part.path)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            with archive.open(info, "w", force_zip64=part.size > 2**31) as file:
                for piece in _pieces(crate, part):
                    file.write(piece)


def metadata_text(crate: Crate) -> bytes:
    """Return the crate's metadata document."""
    return json.dumps(crate.metadata, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"


def _pieces(crate: Crate, part: Part) -> Iterator[bytes]:
    """Yield a file of the crate; never more than was found when the crate was described."""
    if part.content is not None:
        yield part.content
        return
    file = crate.place.open(part.source)
    if file is None:
        raise ChangedError(f"{part.source} is gone.")
    left = part.size
    with file:
        while left and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
    if left:
        raise ChangedError(f"{part.source} has become smaller.")
