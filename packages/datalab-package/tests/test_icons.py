"""An icon only draws: what could run, reach out or exhaust a browser is refused with its line."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from datalab_package import PackageProblem
from datalab_package.icons import check_png, check_svg

GOOD = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
     xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" viewBox="0 0 9 9">
  <metadata><inkscape:note a="1"/></metadata>
  <style>.a { fill: url(#g) } /* a note */</style>
  <defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs>
  <use xlink:href="#g" style="fill:red"/><rect fill="url(#g)" width="3" height="3"/>
  <image href="data:image/png;base64,iVBORw0KGgo="/>
</svg>"""


def svg(inside: str, attributes: str = "") -> str:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"<svg {names} {attributes}>\n{inside}</svg>"


def test_what_drawing_programs_write_is_accepted() -> None:
    check_svg(GOOD)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (svg("<script>alert(1)</script>"), ("line 2", "<script>")),
        (svg('<rect onload="alert(1)"/>'), ("line 2", "onload")),
        (svg("", 'onLoad="alert(1)"'), ("onload",)),
        (svg("<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>"), ("<foreignObject>",)),
        (svg("<x:body xmlns:x='http://www.w3.org/1999/xhtml'/>"), ("foreign kind",)),
        (svg('<use href="https://example.org/a.svg#b"/>'), ("outside",)),
        (svg('<use xlink:href="data:image/svg+xml;base64,AAAA"/>'), ("outside",)),
        (svg('<image href="data:image/svg+xml,&lt;svg/&gt;"/>'), ("outside",)),
        (svg('<image href=" javascript:alert(1)"/>'), ("outside",)),
        (svg('<a href="#x"/>'), ("<a>",)),
        (svg('<set attributeName="href" to="x"/>'), ("<set>",)),
        (svg("<style>@import 'https://example.org/a.css';</style>"), ("style", "@")),
        (svg("<style>@import 'https://example.org/a.css';<g/></style>"), ("inside a style",)),
        (svg("<style>a { fill: u/**/rl(//example.org) }</style>"), ("outside",)),
        (svg("<style>a { fill: \\75rl(//example.org) }</style>"), ("style",)),
        (svg('<rect fill="url( https://example.org/x )"/>'), ("outside",)),
        (svg('<rect style="background: image-set(&quot;//a&quot; 1x)"/>'), ("style",)),
        (svg("<?xml-stylesheet href='https://example.org/x.css'?>"), ("xml-stylesheet",)),
        (svg('<g xml:base="https://example.org/"/>'), ("xml:base",)),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;"), ("not an SVG",)),
        (svg("<g>" * 100 + "</g>" * 100), ("nested",)),
        (svg("<g>"), ("not an SVG", "line")),
        ("<html/>", ("not an SVG",)),
        ("", ("not an SVG",)),
    ],
)
def test_what_could_do_more_than_draw_is_refused(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(PackageProblem) as refused:
        check_svg(text, "logo.svg")
    assert "logo.svg" in refused.value.message
    for word in words:
        assert word in refused.value.message


def png(width: int = 2, height: int = 2, tail: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = zlib.compress(b"\x00\x00\x00" * 2)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"") + tail


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (png(tail=b"<script>"), "not a PNG"),
        (png()[:-6], "not a PNG"),
        (png().replace(b"IDAT", b"IDAX"), "not a PNG"),
        (b"<svg/>", "not a PNG"),
        (png(width=50_000), "50000"),
        (png() + b"0" * 1_000_001, "larger"),
    ],
)
def test_a_png_is_whole_and_small(tmp_path: Path, content: bytes, word: str) -> None:
    file = tmp_path / "icon.png"
    file.write_bytes(png())
    check_png(file)
    file.write_bytes(content)
    with pytest.raises(PackageProblem, match=word):
        check_png(file)
