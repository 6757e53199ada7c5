"""The pictures of published versions: their author's, and the one that a launch test took of the interface."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.queries import tested_in
from spacelab.datalabs.rules import KEPT
from spacelab.kit.refusals import Refusal
from spacelab.testing import queries
from spacelab.volumes.rules import resolve_inside

OWN, SEEN = "author.png", "interface.png"
PNG = b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 4 * 2**20
MOST_PIXELS = 16_000_000
"""Of a picture that is sent: a small file may unfold to one that no browser can hold."""


@dataclass(frozen=True)
class Picture:
    """A picture of a version: its name in the address, its size in pixels, and what stands below it."""

    name: str
    width: int
    height: int
    caption: str


def pictures_of(version: DatalabVersion) -> list[Picture]:
    """List the pictures that stand on a version's page: of what was published alone."""
    captions = {OWN: "A picture by its author.", SEEN: "Its interface, as a launch test saw it."}
    found = []
    for name, caption in captions.items():
        file = file_of(version, name)
        size = _size(file) if file else None
        if size:
            found.append(Picture(name, *size, caption))
    return found


def file_of(version: DatalabVersion, name: str) -> Path | None:
    """Return the file of a picture, if there is one that may be shown; it may be no picture at all."""
    if version.state not in KEPT:
        return None
    if name == OWN:
        return _own(version)
    folder = tested_in(version) if name == SEEN else ""
    file = queries.evidence_folder(folder) / queries.SCREENSHOT if folder else None
    return file if file and file.is_file() else None


def read_picture(file: Path) -> bytes:
    """Return the picture; nothing for a file that is no PNG, or too large."""
    return file.read_bytes() if _size(file) else b""


def _own(version: DatalabVersion) -> Path | None:
    """Find what the metadata name as the picture, in the package: addresses elsewhere are never loaded."""
    told, package = version.metadata.get("thumbnailUrl"), queries.package_of(version)
    if not isinstance(told, str) or not told or ":" in told or package is None:
        return None
    try:
        file = resolve_inside(package, told)
        return file if file.is_file() else None
    except (Refusal, OSError, ValueError):
        return None


def _size(file: Path) -> tuple[int, int] | None:
    """Read width and height from a PNG's first chunk (PNG specification, 11.2.2); None for what is not to be shown."""
    try:
        if file.stat().st_size > MOST_BYTES:
            return None
        with file.open("rb") as opened:
            head = opened.read(24)
    except OSError:
        return None
    if len(head) < 24 or not head.startswith(PNG) or head[12:16] != b"IHDR":  # noqa: PLR2004  up to the height
        return None
    width, height = struct.unpack(">II", head[16:24])
    return (width, height) if 0 < width * height <= MOST_PIXELS else None
