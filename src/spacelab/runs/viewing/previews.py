"""Previews of files that runs left: what kind of file it is by its content, and what a page shows of it.

A file is a stranger's: nothing here trusts its name, its size or what it says of itself. Texts, simple tables and
pictures' first bytes are read in this process, a bounded part of them; all else is left to a program in a sandbox.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from spacelab.runs.viewing import bounded, tables, texts
from spacelab.runs.viewing.bounded import Wanted
from spacelab.runs.viewing.tables import Column, TableView
from spacelab.runs.viewing.texts import TextView

STRETCHES = ("asinh", "linear", "zscale")
LARGEST_PICTURE = 24 * 2**20
MOST_PIXELS = 10**8
LARGEST_VOTABLE = 64 * 2**20
HEAD_BYTES = texts.PROBE_BYTES
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
GZIP = b"\x1f\x8b"


class Kind(StrEnum):
    """What a file is shown as."""

    TEXT = "text"
    TABLE = "table"
    PICTURE = "picture"
    FITS = "FITS"
    VOTABLE = "VOTable"
    OTHER = "file"


TABLE_ENDINGS = frozenset({".csv", ".tsv", ".ecsv"})
FITS_ENDINGS = (".fits.gz", ".fit.gz", ".fits.fz", ".fts.gz")


@dataclass(frozen=True)
class Part:
    """An HDU of a FITS file, or a table of a VOTable."""

    number: int
    name: str
    kind: str
    shape: str


@dataclass(frozen=True)
class Preview:
    """What a page shows of a file; of `text`, `table`, `picture` and `image` those are set that its kind has."""

    name: str
    kind: Kind
    size: int
    media_type: str = "application/octet-stream"
    text: TextView | None = None
    table: TableView | None = None
    data_address: str = ""
    """The picture of a FITS image as a `data:` address."""
    image: Mapping[str, Any] = field(default_factory=dict)
    """Facts of a FITS image: width, height, planes, plane, unit, low, high, least, most, median, blank, step."""
    parts: Sequence[Part] = ()
    part: int = 0
    cards: Sequence[Sequence[str]] = ()
    trouble: str = ""


def kind_of(name: str, head: bytes) -> tuple[Kind, str]:  # noqa: PLR0911  one line for each kind
    """Tell a file's kind and media type from its first bytes; its name only chooses among texts."""
    lowered = name.lower()
    if head.startswith(PNG) and _pixels(head) <= MOST_PIXELS:
        return Kind.PICTURE, "image/png"
    if head.startswith(JPEG):
        return Kind.PICTURE, "image/jpeg"
    if head.startswith(b"SIMPLE  =") or (head.startswith(GZIP) and lowered.endswith(FITS_ENDINGS)):
        return Kind.FITS, "application/fits"
    if not texts.looks_like_text(head):
        return Kind.OTHER, "application/octet-stream"
    if b"<VOTABLE" in head:
        return Kind.VOTABLE, "application/x-votable+xml"
    ending = PurePosixPath(lowered).suffix
    if ending == ".svg" and b"<svg" in head:
        return Kind.PICTURE, "image/svg+xml"
    if ending in TABLE_ENDINGS:
        return Kind.TABLE, "text/tab-separated-values" if ending == ".tsv" else "text/csv"
    return Kind.TEXT, "text/plain"


def _pixels(head: bytes) -> int:
    """Return how many pixels a PNG says that it has."""
    return int.from_bytes(head[16:20], "big") * int.from_bytes(head[20:24], "big")


def preview_of(name: str, file: BinaryIO, wanted: Wanted, *, uid: int) -> Preview:
    """Look into an open file; whatever is wrong with it, the preview says so."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    head = file.read(HEAD_BYTES)
    kind, media_type = kind_of(name, head)
    plain = Preview(name, kind, size, media_type)
    if kind is Kind.PICTURE and size > LARGEST_PICTURE:
        return Preview(name, Kind.OTHER, size, media_type, trouble="The picture is too large to be shown: download it.")
    if kind is Kind.TEXT:
        return Preview(name, kind, size, media_type, text=texts.view_of(file))
    if kind is Kind.TABLE:
        return _table(plain, file)
    if kind is Kind.VOTABLE and size > LARGEST_VOTABLE:
        return Preview(name, kind, size, media_type, text=texts.view_of(file))
    if kind in {Kind.FITS, Kind.VOTABLE}:
        return _science(plain, file, wanted, uid)
    return plain


def _table(plain: Preview, file: BinaryIO) -> Preview:
    file.seek(0)
    data = file.read(tables.READ_BYTES)
    delimiter = "\t" if plain.media_type == "text/tab-separated-values" else ""
    table = tables.read_delimited(data, whole=plain.size <= len(data), delimiter=delimiter)
    if table is None:
        return Preview(plain.name, Kind.TEXT, plain.size, "text/plain", text=texts.view_of(file))
    return Preview(plain.name, plain.kind, plain.size, plain.media_type, table=table)


def _science(plain: Preview, file: BinaryIO, wanted: Wanted, uid: int) -> Preview:
    asked = Wanted("fits" if plain.kind is Kind.FITS else "votable", *list(wanted.__dict__.values())[1:])
    found = bounded.look(file, asked, uid=uid)
    if found.trouble:
        text = texts.view_of(file) if plain.kind is Kind.VOTABLE else None
        return Preview(plain.name, plain.kind, plain.size, plain.media_type, text=text, trouble=found.trouble)
    facts, picture = found.facts, ""
    if found.picture.startswith(PNG):
        picture = "data:image/png;base64," + base64.b64encode(found.picture).decode()
    return Preview(
        plain.name,
        plain.kind,
        plain.size,
        plain.media_type,
        table=_rows(facts["table"]) if "table" in facts else None,
        data_address=picture,
        image=facts.get("image", {}),
        parts=[Part(**one) for one in facts["parts"]],
        part=facts["part"],
        cards=facts["cards"],
    )


def _rows(table: Mapping[str, Any]) -> TableView:
    columns = [Column(name, unit, kind, number) for name, unit, kind, number in table["columns"]]
    return TableView(columns, table["rows"], table["count"], table["first"], table["left_out"])
