"""Previews of outputs: each kind as what it is, whatever its name says, and hostile files as words."""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from spacelab.runs.viewing import texts
from spacelab.runs.viewing.bounded import Wanted
from spacelab.runs.viewing.previews import Kind, Preview, preview_of
from spacelab.runs.viewing.tables import PAGE_ROWS

FITS = Wanted("fits")
UID = 64200
CARD, BLOCK = 80, 2880
Look = Callable[..., Preview]

needs_sandbox = pytest.mark.skipif(shutil.which("bwrap") is None, reason="this machine has no bubblewrap")


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Give what writes a file and looks into it."""

    def looked(name: str, content: bytes, wanted: Wanted = FITS) -> Preview:
        file = tmp_path / Path(name).name
        file.write_bytes(content)
        with file.open("rb") as opened:
            return preview_of(name, opened, wanted, uid=UID)

    return looked


def header(*cards: str) -> bytes:
    """Write cards of a FITS header."""
    text = "".join(card.ljust(CARD) for card in (*cards, "END"))
    return text.ljust(-(-len(text) // BLOCK) * BLOCK).encode()


def image(width: int, height: int, values: bytes, *more: str) -> bytes:
    """Write a FITS image of signed 16-bit whole numbers."""
    sides = (f"NAXIS1  = {width:20}", f"NAXIS2  = {height:20}")
    cards = (
        "SIMPLE  =                    T",
        "BITPIX  =                   16",
        "NAXIS   =                    2",
        *sides,
    )
    return header(*cards, *more) + values.ljust(-(-len(values) // BLOCK) * BLOCK, b"\0")


def ramp(width: int, height: int) -> bytes:
    """Return values that rise from row to row."""
    return b"".join(struct.pack(">h", row) * width for row in range(height))


def grey(preview: Preview) -> Image.Image:
    """Open the picture of a preview."""
    import base64  # noqa: PLC0415  here alone

    return Image.open(io.BytesIO(base64.b64decode(preview.data_address.partition(",")[2])))


def test_a_text_is_shown_without_colours_overwritten_progress_and_tricks(look: Look) -> None:
    found = look("run.log", "\x1b[1;31mred\x1b[0m\n 10 %\r 50 %\r100 %\nadmin\u202egnp.exe\x1b]0;title\x07\n".encode())
    assert found.kind is Kind.TEXT
    assert found.text is not None
    assert found.text.first == "red\n100 %\nadmingnp.exe\n"


def test_of_a_long_text_the_first_and_last_lines_are_shown(look: Look) -> None:
    lines = b"".join(b"line %06d\n" % number for number in range(100_000))
    found = look("long.txt", lines)
    assert found.text is not None
    assert found.text.first.startswith("line 000000\n")
    assert found.text.last.endswith("line 099999\n")
    assert found.text.last.startswith("line ")
    shown = len(found.text.first) + len(found.text.last)
    assert found.text.left_out + shown == len(lines)
    assert shown < texts.WHOLE_BYTES


def test_one_endless_line_is_cut(look: Look) -> None:
    found = look("line.txt", b"x" * 10_000_000)
    assert found.text is not None
    assert len(found.text.first) < texts.LONGEST_LINE + 50


def test_what_is_no_text_is_facts_alone(look: Look) -> None:
    assert look("a.txt", b"\x00\x01\x02binary").kind is Kind.OTHER
    assert look("a.txt", bytes(range(1, 32)) * 20).kind is Kind.OTHER


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"name,flux\nVega,0.03\nSirius,-1.46\n"),
        ("a.csv", b"# made by a step\nname;flux\nVega;0.03\nSirius;-1.46\n"),
        ("a.tsv", b"name\tflux\nVega\t0.03\nSirius\t-1.46\n"),
        ("a.ecsv", b"# %ECSV 1.0\n# ---\nname flux\nVega 0.03\nSirius -1.46\n"),
    ],
    ids=["commas", "semicolons", "tabs", "ecsv"],
)
def test_a_simple_table_is_shown_as_one(look: Look, name: str, content: bytes) -> None:
    table = look(name, content).table
    assert table is not None
    assert [column.name for column in table.columns] == ["name", "flux"]
    assert [column.number for column in table.columns] == [False, True]
    assert [list(row) for row in table.rows] == [["Vega", "0.03"], ["Sirius", "-1.46"]]
    assert table.count == 2


def test_of_a_long_table_the_first_rows_are_shown(look: Look) -> None:
    table = look("long.csv", b"a,b\n" + b"1,2\n" * 500_000).table
    assert table is not None
    assert len(table.rows) == PAGE_ROWS
    assert table.count is None


def test_a_table_without_names_gets_numbers(look: Look) -> None:
    table = look("a.csv", b"1,2\n3,4\n").table
    assert table is not None
    assert [column.name for column in table.columns] == ["column 1", "column 2"]
    assert table.count == 2


def test_the_content_says_what_a_picture_is(look: Look) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (3, 2)).save(drawn, "PNG")
    assert look("plot.fits", drawn.getvalue()).media_type == "image/png"
    assert look("plot.png", b"<html><script>alert(1)</script>").kind is Kind.TEXT
    assert look("page.html", b"<!doctype html><script>alert(1)</script>").media_type == "text/plain"


def test_a_picture_that_would_fill_the_browser_is_a_file(look: Look) -> None:
    size = struct.pack(">II", 60_000, 60_000)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + size + b"\x08\0\0\0\0" + zlib.compress(b"\0" * 99)
    assert look("bomb.png", bomb).kind is Kind.OTHER


@needs_sandbox
@pytest.mark.parametrize("stretch", ["linear", "asinh", "zscale"])
def test_a_fits_image_is_drawn_with_its_first_row_below(look: Look, stretch: str) -> None:
    found = look("a.fits", image(40, 60, ramp(40, 60), "BUNIT   = 'adu     '"), Wanted("fits", stretch=stretch))
    assert found.trouble == ""
    picture = grey(found)
    assert picture.size == (40, 60)
    assert picture.getpixel((5, 0)) == 255
    assert picture.getpixel((5, 59)) == 0
    assert (found.image["unit"], found.image["least"], found.image["most"]) == ("adu", 0, 59)


@needs_sandbox
def test_a_large_image_is_averaged(look: Look) -> None:
    found = look("a.fits", image(3000, 1500, ramp(3000, 1500)))
    assert grey(found).size == (600, 300)
    assert found.image["step"] == 5
    assert (found.image["width"], found.image["height"]) == (3000, 1500)


@needs_sandbox
def test_a_table_in_fits_is_shown_page_by_page(look: Look) -> None:
    rows = b"".join(struct.pack(">if", number, number / 2) for number in range(120))
    table = header(
        "XTENSION= 'BINTABLE'",
        *("BITPIX  =                    8", "NAXIS   =                    2", "NAXIS1  =                    8"),
        *("NAXIS2  =                  120", "PCOUNT  =                    0", "GCOUNT  =                    1"),
        *("TFIELDS =                    2", "TTYPE1  = 'id      '", "TFORM1  = 'J       '", "TTYPE2  = 'flux    '"),
        *("TFORM2  = 'E       '", "TUNIT2  = 'Jy      '"),
    )
    empty = header("SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    0")
    content = empty + table + rows.ljust(BLOCK, b"\0")
    found = look("a.fits", content, Wanted("fits", first=100))
    assert found.part == 1
    assert found.table is not None
    assert (found.table.count, found.table.first, found.table.last) == (120, 100, 120)
    assert list(found.table.rows[0]) == ["100", "50"]
    assert [column.unit for column in found.table.columns] == ["", "Jy"]


VOTABLE = b"""<?xml version="1.0"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE name="stars">
<FIELD name="id" datatype="int"/><FIELD name="ra" datatype="double" unit="deg"/>
<DATA>%s</DATA></TABLE></RESOURCE></VOTABLE>"""


@needs_sandbox
def test_a_votable_is_shown(look: Look) -> None:
    rows = b"<TABLEDATA><TR><TD>7</TD><TD>10.5</TD></TR><TR><TD>8</TD><TD></TD></TR></TABLEDATA>"
    found = look("a.xml", VOTABLE % rows)
    assert found.kind is Kind.VOTABLE
    assert found.table is not None
    assert [list(row) for row in found.table.rows] == [["7", "10.5"], ["8", "\u2013"]]
    assert found.parts[0].name == "stars"


@needs_sandbox
def test_a_votable_reaches_no_file_of_the_host(look: Look) -> None:
    found = look("a.vot", VOTABLE % b'<BINARY><STREAM href="file:///etc/passwd"/></BINARY>')
    assert found.trouble
    assert found.table is None


@needs_sandbox
@pytest.mark.parametrize(
    "content",
    [
        b"SIMPLE  =",
        header("SIMPLE  =                    T", "BITPIX  =                   16", "NAXIS   =                  999"),
        image(2_000_000_000, 2_000_000_000, b""),
        gzip.compress(b"SIMPLE  =                    T".ljust(CARD) + b"\0" * 400_000_000),
    ],
    ids=["cut", "senseless", "huge", "bomb"],
)
def test_a_hostile_file_gets_words(look: Look, content: bytes) -> None:
    found = look("a.fits.gz" if content.startswith(b"\x1f") else "a.fits", content)
    assert found.trouble
    assert not found.data_address


def test_without_a_sandbox_such_files_are_not_opened(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert "bubblewrap" in look("a.fits", image(4, 4, ramp(4, 4))).trouble
