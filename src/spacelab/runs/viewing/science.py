"""A program of its own, started in a sandbox: looks into a FITS file or VOTable on its standard input.

Its one argument says in JSON what is wanted: `format` (fits, votable), `part` (number of the HDU or table, or null),
`plane`, `stretch` (linear, asinh, zscale), `first` (row), `uid` (whom to become, or null). It prints one line of JSON
(`parts`, `part`, `image`, `table`, `cards`, or `trouble`) and, if there is a picture, its PNG behind it.
Files are hostile: memory and time are limited before the first byte is read, and nothing else is in the sandbox.
FITS: the FITS Standard 4.0 (IAU, 2018), read by astropy.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
import warnings
import zlib
from typing import Any, BinaryIO

MEMORY = 2 * 2**30
SECONDS = 6
LARGEST_SIDE = 720
"""Pixels of the picture's longer side."""
MOST_AVERAGED = 2**25
"""Pixels up to which every one counts; of larger images, every n-th is taken."""
MOST_PARTS, MOST_CARDS, MOST_COLUMNS, PAGE_ROWS, LONGEST = 100, 300, 60, 50, 160
FLAT, FEW = 2, 4
"""Axes of a picture, and values of a cell that are shown."""
SHARE = 99.5
"""Per cent of the pixels between black and white where the limits are percentiles."""


def limit(uid: int | None) -> None:
    """Bound what this process may take, and become a user without rights."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def look_at_fits(file: BinaryIO, wanted: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Describe the parts of a FITS file, and show one of them."""
    from astropy.io import fits  # noqa: PLC0415  only once the limits are set

    with fits.open(file, memmap=True, do_not_scale_image_data=True) as parts:
        listed = [_part(number, part) for number, part in enumerate(parts[:MOST_PARTS])]
        number = wanted["part"]
        if number is None or not 0 <= number < len(listed):
            number = next((one["number"] for one in listed if one["kind"] != "empty"), 0)
        part = parts[number]
        found: dict[str, Any] = {"parts": listed, "part": number, "cards": _cards(part.header)}
        picture = b""
        if listed[number]["kind"] == "image":
            found["image"], picture = _picture(part, wanted)
        elif listed[number]["kind"] == "table":
            found["table"] = _table(part, wanted["first"])
    return found, picture


def _part(number: int, part: Any) -> dict[str, Any]:
    header = part.header
    axes = [int(header.get(f"NAXIS{axis}", 0)) for axis in range(1, int(header.get("NAXIS", 0)) + 1)]
    kind, shape = "empty", ""
    if hasattr(part, "columns") and not hasattr(part, "compressed_data"):
        kind, shape = "table", f"{axes[1]} rows, {len(part.columns)} columns"
    elif part.shape and len(part.shape) >= FLAT and 0 not in part.shape:
        kind, shape = "image", " x ".join(str(side) for side in reversed(part.shape))
    elif part.shape:
        shape = " x ".join(str(side) for side in part.shape)
    return {
        "number": number,
        "name": str(part.name or ("primary" if number == 0 else ""))[:LONGEST],
        "kind": kind,
        "shape": shape,
    }


def _cards(header: Any) -> list[list[str]]:
    return [
        [text(card.keyword), text(card.value), text(card.comment)] for card in header.cards[:MOST_CARDS] if card.keyword
    ]


def _picture(part: Any, wanted: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    import numpy as np  # noqa: PLC0415  only once the limits are set

    height, width = part.data.shape[-2:]
    stack = part.data.reshape(-1, height, width)
    plane = min(max(int(wanted["plane"]), 1), len(stack))
    step = max(1, -(-max(height, width) // LARGEST_SIDE))
    small = _shrunk(stack[plane - 1], step)
    header = part.header
    if header.get("BLANK") is not None and small.dtype.kind in "iu":
        small = np.where(small == header["BLANK"], np.nan, small.astype(np.float32))
    scale, zero = float(header.get("BSCALE", 1)), float(header.get("BZERO", 0))
    values = small.astype(np.float32) * np.float32(scale) + np.float32(zero)
    finite = values[np.isfinite(values)]
    facts = {
        "width": width,
        "height": height,
        "planes": len(stack),
        "plane": plane,
        "step": step,
        "unit": text(header.get("BUNIT", "")),
        "blank": round(1 - finite.size / max(values.size, 1), 4),
    }
    if not finite.size:
        return facts, b""
    low, high, levels = _stretched(values, finite, wanted["stretch"])
    facts |= {
        "low": low,
        "high": high,
        "least": float(finite.min()),
        "most": float(finite.max()),
        "median": float(np.median(finite)),
    }
    return facts, png(levels[::-1])


def _shrunk(data: Any, step: int) -> Any:
    """Average squares of pixels, or take every n-th where that would mean reading too much."""
    import numpy as np  # noqa: PLC0415  only once the limits are set

    height, width = data.shape
    if step == 1 or data.size > MOST_AVERAGED:
        return np.array(data[::step, ::step])
    rows, columns = height // step, width // step
    small = np.empty((rows, columns), np.float32)
    for row in range(rows):
        band = data[row * step : (row + 1) * step, : columns * step].astype(np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            small[row] = np.nanmean(band.reshape(step, columns, step), axis=(0, 2))
    return small


def _stretched(values: Any, finite: Any, stretch: str) -> tuple[float, float, Any]:
    import numpy as np  # noqa: PLC0415  only once the limits are set
    from astropy.visualization import AsinhStretch, PercentileInterval, ZScaleInterval  # noqa: PLC0415  as above

    interval = ZScaleInterval() if stretch == "zscale" else PercentileInterval(SHARE)
    low, high = (float(one) for one in interval.get_limits(finite))
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    spread = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    if stretch == "asinh":
        spread = AsinhStretch(0.1)(spread)
    return low, high, (np.nan_to_num(spread) * 255 + 0.5).astype(np.uint8)


def png(levels: Any) -> bytes:
    """Write grey levels (rows, columns; from 0 to 255) as PNG (W3C, third edition)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width = levels.shape
    lines = b"".join(b"\0" + levels[row].tobytes() for row in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 6)) + chunk(b"IEND", b"")


def _table(part: Any, first: int) -> dict[str, Any]:
    count = int(part.header["NAXIS2"])
    first = min(max(first, 0), max(count - 1, 0))
    columns = part.columns[:MOST_COLUMNS]
    rows = part.data[first : first + PAGE_ROWS]
    cells = [[text(value) for value in rows.field(place)] for place in range(len(columns))]
    return {
        "columns": [
            [
                text(one.name),
                text(one.unit or ""),
                text(one.format),
                one.format[-1:] in "BIJKEDL" and one.format[:1] not in "PQ",
            ]
            for one in columns
        ],
        "rows": [list(row) for row in zip(*cells, strict=True)],
        "count": count,
        "first": first,
        "left_out": len(part.columns) - len(columns),
    }


def look_at_votable(file: BinaryIO, wanted: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Describe the tables of a VOTable, and show rows of one."""
    from astropy.io.votable import parse  # noqa: PLC0415  only once the limits are set

    tables = list(parse(file, verify="ignore").iter_tables())[:MOST_PARTS]
    listed = [
        {
            "number": n,
            "name": text(one.name or one.ID or ""),
            "kind": "table",
            "shape": f"{len(one.array)} rows, {len(one.fields)} columns",
        }
        for n, one in enumerate(tables)
    ]
    number = wanted["part"] if wanted["part"] is not None and 0 <= wanted["part"] < len(tables) else 0
    found: dict[str, Any] = {"parts": listed, "part": number, "cards": []}
    if tables:
        table = tables[number]
        first = min(max(wanted["first"], 0), max(len(table.array) - 1, 0))
        fields = table.fields[:MOST_COLUMNS]
        rows = table.array[first : first + PAGE_ROWS]
        found["table"] = {
            "columns": [
                [text(one.name or one.ID), text(one.unit or ""), text(one.datatype), one.datatype in NUMERIC]
                for one in fields
            ],
            "rows": [[text(value) for value, _ in zip(row, fields, strict=False)] for row in rows],
            "count": len(table.array),
            "first": first,
            "left_out": len(table.fields) - len(fields),
        }
    return found, b""


NUMERIC = frozenset({"short", "int", "long", "float", "double", "unsignedByte"})


def text(value: Any) -> str:
    """Return a value as a short text; nothing is a dash."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if getattr(value, "shape", ()) and getattr(value, "ndim", 0):
        few = ", ".join(text(one) for one in list(value.flat)[:FEW])
        return f"[{few}{', …' if value.size > FEW else ''}]"
    name = type(value).__name__
    if name == "MaskedConstant" or (name.startswith("float") and value != value):  # noqa: PLR0124  only NaN differs from itself
        return "–"  # noqa: RUF001  a dash, as pages show it
    if name.startswith("float"):
        return f"{float(value):.7g}"
    shown = "".join(one if one.isprintable() else " " for one in str(value)).strip()
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def main() -> None:
    """Look, and print what was found."""
    wanted = json.loads(sys.argv[1])
    limit(wanted["uid"])
    warnings.simplefilter("ignore")
    picture = b""
    try:
        with os.fdopen(os.dup(0), "rb") as file:
            look = look_at_votable if wanted["format"] == "votable" else look_at_fits
            found, picture = look(file, wanted)
    except MemoryError:
        found = {"trouble": "It needs more memory than a preview may take."}
    except Exception as error:  # noqa: BLE001  whatever a hostile file makes the readers raise
        found = {"trouble": text(error) or type(error).__name__}
    sys.stdout.buffer.write(json.dumps(found).encode() + b"\n" + picture)


if __name__ == "__main__":
    main()
