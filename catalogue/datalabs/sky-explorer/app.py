"""Sky Explorer: an all-sky map and a Hertzsprung-Russell diagram of the Hipparcos catalogue, drawn on the server.

Reads `hip2.fits` below $SPACELAB_DATA/hipparcos (else /data/hipparcos) and listens on 127.0.0.1:$IF_main_port.
"""

from __future__ import annotations

import os
from html import escape
from pathlib import Path

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

BLOCK = 2880
MOST_DRAWN = 4000
NAMES = {
    "barnard's star": 87937, "sirius": 32349, "vega": 91262, "aldebaran": 21421, "betelgeuse": 27989, "rigel": 24436,
    "polaris": 11767, "proxima centauri": 70890, "alpha centauri": 71683, "arcturus": 69673, "capella": 24608,
    "deneb": 102098, "altair": 97649, "antares": 80763, "spica": 65474, "pollux": 37826, "procyon": 37279,
}
SIZES = {"J": ">i4", "E": ">f4", "D": ">f8"}


def read_table(file: Path) -> np.ndarray:
    """Read the first binary table of a FITS file with scalar columns of type J, E or D."""
    data, offset = file.read_bytes(), 0
    for _ in range(2):
        cards: dict[str, str] = {}
        while "END" not in cards:
            block = data[offset : offset + BLOCK].decode("ascii")
            if not block:
                raise ValueError(f"{file} ends within a header")
            for start in range(0, BLOCK, 80):
                card = block[start : start + 80]
                cards[card[:8].strip()] = card[10:].split(" /")[0].strip().strip("'").strip()
            offset += BLOCK
    fields = range(1, int(cards["TFIELDS"]) + 1)
    kinds = [(cards[f"TTYPE{n}"], SIZES[cards[f"TFORM{n}"][-1]]) for n in fields]
    return np.frombuffer(data, np.dtype(kinds), count=int(cards["NAXIS2"]), offset=offset)


def number(request: Request, name: str, default: float, low: float, high: float) -> float:
    """Read a number from the address, kept within its limits; anything else gives the default."""
    try:
        value = float(request.query_params.get(name, default))
    except ValueError:
        return default
    return min(max(value, low), high) if value == value else default


def colour(b_v: np.ndarray) -> np.ndarray:
    """Name a star's colour by its B-V: blue-white to red, in five steps."""
    return np.array(["#9bb8ff", "#dfe8ff", "#fff3d0", "#ffc98a", "#ff8f6b"])[np.digitize(b_v, [0.0, 0.4, 0.8, 1.3])]


def aitoff(ra: np.ndarray, dec: np.ndarray, centre: float) -> tuple[np.ndarray, np.ndarray]:
    """Project onto the Hammer-Aitoff plane, x within +-2.83 and y within +-1.42; right ascension grows to the left."""
    longitude = np.radians((centre - ra + 180) % 360 - 180)
    latitude = np.radians(dec)
    scale = np.sqrt(2 / (1 + np.cos(latitude) * np.cos(longitude / 2)))
    return 2 * scale * np.cos(latitude) * np.sin(longitude / 2), scale * np.sin(latitude)


def circles(x: np.ndarray, y: np.ndarray, radius: np.ndarray, fill: np.ndarray, titles: np.ndarray) -> str:
    """Draw one SVG circle for each star."""
    rows = zip(x, y, radius, fill, titles, strict=True)
    return "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{r:.1f}" fill="{c}"><title>HIP {t}</title></circle>' for a, b, r, c, t in rows)


def sky_svg(stars: np.ndarray, centre: float, found: np.ndarray) -> str:
    """Draw the all-sky map with its graticule."""
    def place(ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = aitoff(ra, dec, centre)
        return 450 + x * 155, 235 - y * 155

    lines = []
    along = np.linspace(-180, 179.9, 120)
    for dec in range(-60, 90, 30):
        lines.append(place(centre + along, np.full(120, float(dec))))
    for ra in (-179.9, -120, -60, 0, 60, 120, 180):
        lines.append(place(np.full(120, centre + ra), np.linspace(-90, 90, 120)))
    paths = "".join(
        '<polyline class="grid" points="' + " ".join(f"{a:.0f},{b:.0f}" for a, b in sorted(zip(*line, strict=True)) if True) + '"/>'
        if index < 5 else '<polyline class="grid" points="' + " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(*line, strict=True)) + '"/>'
        for index, line in enumerate(lines)
    )
    x, y = place(stars["ra"], stars["dec"])
    dots = circles(x, y, np.clip(3.2 - 0.32 * stars["Hpmag"], 0.5, 4), colour(stars["B_V"]), stars["HIP"])
    ring = "".join(f'<circle class="ring" cx="{a:.1f}" cy="{b:.1f}" r="10"/>' for a, b in zip(*place(found["ra"], found["dec"]), strict=True))
    return f'<svg viewBox="0 0 900 470" role="img" aria-label="All-sky map of {len(stars)} stars">{paths}{dots}{ring}</svg>'


def hr_svg(stars: np.ndarray, found: np.ndarray) -> str:
    """Draw absolute magnitude over colour for stars with a parallax."""
    def place(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        absolute = some["Hpmag"] + 5 * np.log10(some["parallax"] / 100)
        return 60 + (some["B_V"] + 0.4) * 185, 30 + (absolute + 7) * 18

    ticks = "".join(f'<text x="{60 + (v + 0.4) * 185:.0f}" y="456">{v}</text>' for v in (0, 0.5, 1, 1.5, 2))
    ticks += "".join(f'<text x="28" y="{34 + (v + 7) * 18}">{v}</text>' for v in (-5, 0, 5, 10, 15))
    x, y = place(stars)
    dots = circles(x, y, np.full(len(stars), 1.2), colour(stars["B_V"]), stars["HIP"])
    found = found[found["parallax"] > 0]
    ring = "".join(f'<circle class="ring" cx="{a:.1f}" cy="{b:.1f}" r="9"/>' for a, b in zip(*place(found), strict=True))
    return f'<svg viewBox="0 0 560 470" role="img" aria-label="Hertzsprung-Russell diagram">{ticks}<text x="250" y="468">B − V</text>{dots}{ring}</svg>'


class Sky:
    """The catalogue, read once, and the page made from it."""

    def __init__(self, stars: np.ndarray | None) -> None:
        self.stars = stars

    async def page(self, request: Request) -> Response:
        """Answer with the map, the diagram and the controls."""
        if self.stars is None:
            return HTMLResponse(PAGE.replace("{body}", "<p>The archive volume “hipparcos” is not mounted here. Launch again with it.</p>"))
        far = number(request, "far", 100, 5, 1000)
        bright = number(request, "bright", 8, 2, 13)
        centre = number(request, "centre", 180, 0, 360)
        asked = request.query_params.get("star", "").strip()[:60]
        stars = self.stars
        key = asked.lower().removeprefix("hip").strip()
        hip = int(key) if key.isascii() and key.isdigit() else NAMES.get(key, -1)
        found = stars[stars["HIP"] == hip]
        chosen = stars[(stars["parallax"] > 1000 / far) & (stars["Hpmag"] < bright)]
        count = len(chosen)
        drawn = chosen[np.argsort(chosen["Hpmag"], kind="stable")[:MOST_DRAWN]]
        shown = f", the {MOST_DRAWN:,} brightest drawn" if count > MOST_DRAWN else ""
        note = ""
        if asked:
            note = f"<p>No star “{escape(asked)}” in the catalogue. Try “Vega” or “HIP 87937”.</p>"
            for one in found:
                distance = f"{1000 / one['parallax']:.2f} pc" if one["parallax"] > 0 else "unknown"
                motion = np.hypot(one["pmra"], one["pmdec"]) / 1000
                note = f"<p><b>HIP {one['HIP']}</b> · {one['ra']:.4f}° {one['dec']:+.4f}° · Hp {one['Hpmag']:.2f} · distance {distance} · moves {motion:.3f}″/yr</p>"
        body = FORM.format(far=f"{far:g}", bright=f"{bright:g}", centre=f"{centre:g}", star=escape(asked, quote=True))
        body += f"{note}<p class='count'>{count:,} stars{shown}</p><div class='plots'>{sky_svg(drawn, centre, found)}{hr_svg(drawn, found)}</div>"
        return HTMLResponse(PAGE.replace("{body}", body))


FORM = """<form><label><span>Within <output>{far}</output> pc</span><input type="range" name="far" min="5" max="1000" value="{far}"></label>
<label><span>Brighter than <output>{bright}</output> mag</span><input type="range" name="bright" min="2" max="13" step="0.5" value="{bright}"></label>
<label><span>Centred on <output>{centre}</output>°</span><input type="range" name="centre" min="0" max="360" step="5" value="{centre}"></label>
<label>Star<input name="star" value="{star}" placeholder="Vega, HIP 87937"></label><button>Show</button></form>"""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sky Explorer</title><style>
body{margin:0;padding:1.2rem 2rem;background:#0b1020;color:#dfe5f5;font:15px/1.5 system-ui,sans-serif}h1{font-weight:500;margin:0 0 .8rem}
form{display:flex;flex-wrap:wrap;gap:1.2rem;align-items:end}label{display:grid;gap:.2rem}input{accent-color:#7aa2ff;background:#182040;color:inherit;border:1px solid #3b4877;border-radius:4px;padding:.3rem}
button{background:#7aa2ff;color:#081028;border:0;border-radius:4px;padding:.45rem 1rem}.count{color:#9fabcf}.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:1rem}
svg{background:#060a16;border-radius:8px;width:100%}.grid{fill:none;stroke:#26325a;stroke-width:.7}.ring{fill:none;stroke:#ffe07a;stroke-width:2}text{fill:#9fabcf;font-size:12px;text-anchor:middle}</style>
<h1>Sky Explorer</h1>{body}<script>for(const i of document.querySelectorAll("input[type=range]")){const o=i.closest("label").querySelector("output");i.oninput=()=>o.value=i.value;i.onchange=()=>i.form.submit()}</script></html>"""


async def health(_request: Request) -> Response:
    """Say that the application answers."""
    return PlainTextResponse("ok")


def main() -> None:
    """Read the catalogue and serve."""
    file = Path(os.environ.get("SPACELAB_DATA", "/data")) / "hipparcos" / "hip2.fits"
    sky = Sky(read_table(file) if file.is_file() else None)
    app = Starlette(routes=[Route("/", sky.page), Route("/health", health)])
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("IF_main_port", "10000")), log_level="warning")


if __name__ == "__main__":
    main()
