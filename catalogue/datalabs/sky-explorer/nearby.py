"""A processing thread of Sky Explorer: lists the stars within a distance, and draws their diagram.

Run as `nearby.py <table> <parsecs> <list.csv> <diagram.svg>`; the table has the columns of `hip2.fits`.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from app import hr_svg, read_table

STYLE = '<svg xmlns="http://www.w3.org/2000/svg" style="background:#060a16;fill:#9fabcf;font:12px sans-serif"'


def main(table: str, distance: str, listed: str, drawn: str) -> None:
    """Write both files and say what was found."""
    stars = read_table(Path(table))
    print(f"{len(stars):,} stars in {table}", flush=True)
    near = stars[stars["parallax"] > 1000 / float(distance)]
    near = near[near["parallax"].argsort()[::-1]]
    with Path(listed).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["HIP", "distance_pc", "ra_deg", "dec_deg", "Hp_mag", "B_V"])
        for one in near:
            rows.writerow([one["HIP"], f"{1000 / one['parallax']:.3f}", *(one[name] for name in ("ra", "dec", "Hpmag", "B_V"))])
    Path(drawn).write_text(hr_svg(near, near[:0]).replace("<svg", STYLE, 1), encoding="utf-8")
    print(f"{len(near):,} stars within {distance} pc; the nearest is HIP {near[0]['HIP']}" if len(near) else "none that near")


if __name__ == "__main__":
    main(*sys.argv[1:])
