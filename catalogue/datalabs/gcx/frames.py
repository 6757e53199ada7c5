"""Copies of FITS images that gcx can read: it knows 16-bit integers alone, archives have floating-point numbers too.

frames.py FOLDER FILE…                  writes copies into FOLDER and prints which file to use for each
frames.py --finish FILE COPY PICTURE    makes a file of gcx one that the standard allows, and a picture of it
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from array import array
from pathlib import Path
from typing import Any

BLOCK = 2880
CARD = 80
KINDS = {8: "B", 16: "h", 32: "i", 64: "q", -32: "f", -64: "d"}
"""The array type of each BITPIX; FITS numbers are big-endian."""

LOW, HIGH = -32767, 32767


def read_header(data: bytes) -> tuple[dict[str, str], list[str], int]:
    """Return the primary header's values, its cards, and where the data begins."""
    cards: list[str] = []
    for start in range(0, len(data), CARD):
        card = data[start : start + CARD].decode("ascii", "replace")
        if card.startswith("END "):
            break
        cards.append(card)
    else:
        raise ValueError("not a FITS file")
    length = -(-(len(cards) + 1) * CARD // BLOCK) * BLOCK
    values = {card[:8].strip(): card[10:].split("/")[0].strip() for card in cards if card[8:10] == "= "}
    return values, cards, length


def copy(source: Path, folder: Path) -> Path:
    """Return a file with the image of `source` that gcx can read: itself, or a copy scaled to 16-bit integers.

    The scale keeps one part in 65,534 of the image's range; pixels without a number become its lowest value.
    """
    data = source.read_bytes()
    values, cards, begin = read_header(data)
    if values["BITPIX"] == "16":
        return source
    pixels = numbers_of(data[begin:], values)
    known = [pixel for pixel in pixels if math.isfinite(pixel)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    scale = (high - low) / (HIGH - LOW) or 1.0
    zero = low - LOW * scale
    whole = array("h", (round((pixel - zero) / scale) if math.isfinite(pixel) else LOW for pixel in pixels))
    kept = [card for card in cards if card[:8].strip() not in ("BZERO", "BSCALE", "BLANK", "DATAMIN", "DATAMAX")]
    kept = [f"BITPIX  = {16:20d}".ljust(CARD) if card.startswith("BITPIX ") else card for card in kept]
    kept += [f"{name:8}= {value:20.12E}".ljust(CARD) for name, value in (("BSCALE", scale), ("BZERO", zero))]
    header = "".join([*kept, "END".ljust(CARD)]).encode("ascii", "replace")
    body = swapped(whole).tobytes()
    target = folder / source.name
    target.write_bytes(
        header.ljust(-(-len(header) // BLOCK) * BLOCK) + body.ljust(-(-len(body) // BLOCK) * BLOCK, b"\0")
    )
    return target


def numbers_of(data: bytes, values: dict[str, str]) -> list[float]:
    """Return the image's numbers, row after row, in the unit that the header names."""
    count = 1
    for axis in range(int(values["NAXIS"])):
        count *= int(values[f"NAXIS{axis + 1}"])
    numbers = array(KINDS[int(values["BITPIX"])])
    numbers.frombytes(data[: count * numbers.itemsize])
    zero, scale = float(values.get("BZERO", "0")), float(values.get("BSCALE", "1"))
    return [zero + scale * number for number in swapped(numbers)]


def swapped(numbers: array[Any]) -> array[Any]:
    """Return the numbers in the other order of bytes, where this machine's is not that of FITS."""
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def finish(source: Path, target: Path, picture: Path) -> None:
    """Write `source` whole to `target`, as gcx leaves out the end of the last block, and as a PNG to `picture`."""
    data = source.read_bytes()
    target.write_bytes(data.ljust(-(-len(data) // BLOCK) * BLOCK, b"\0"))
    values, _, begin = read_header(data)
    pixels = numbers_of(data[begin:], values)
    width = int(values["NAXIS1"])
    ordered = sorted(pixels)
    low, high = ordered[len(ordered) // 200], ordered[-1 - len(ordered) // 200]
    grey = bytes(min(255, max(0, round(255 * (pixel - low) / ((high - low) or 1)))) for pixel in pixels)
    rows = [grey[start : start + width] for start in range(0, len(grey), width)]
    times = max(1, 512 // width)
    wide = [b"\0" + b"".join(bytes([pixel]) * times for pixel in row) for row in reversed(rows)]
    image = zlib.compress(b"".join(row for row in wide for _ in range(times)), 9)
    shape = struct.pack(">IIBBBBB", width * times, len(rows) * times, 8, 0, 0, 0, 0)
    chunks = [_chunk(b"IHDR", shape), _chunk(b"IDAT", image), _chunk(b"IEND", b"")]
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    if arguments[0] == "--finish":
        finish(*(Path(name) for name in arguments[1:]))
        return
    place = Path(arguments[0])
    place.mkdir(parents=True, exist_ok=True)
    for name in arguments[1:]:
        print(copy(Path(name), place))


if __name__ == "__main__":
    main(sys.argv[1:])
