"""Checks a package's icon: an SVG that can do nothing but be drawn, or a PNG of sensible size."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from xml.parsers import expat

from datalab_package.problems import PackageProblem
from datalab_package.texts import read_text

ICON_FILES = ("icon.svg", "logo.svg")
THUMBNAIL_FILES = ("icon.png", "logo.png", "thumbnail.png")
LARGEST_SVG = 200_000
LARGEST_PNG = 1_000_000
LARGEST_SIDE = 2048
"""Pixels of a PNG's longer side."""
DEEPEST = 64
SVG = "http://www.w3.org/2000/svg"

_SHAPES = "path rect circle ellipse line polyline polygon text tspan textPath image"
_STRUCTURE = "svg g defs symbol use title desc metadata style switch marker view"
_PAINT = "linearGradient radialGradient stop clipPath mask pattern filter"
_EFFECTS = """Blend ColorMatrix ComponentTransfer Composite ConvolveMatrix DiffuseLighting DisplacementMap DistantLight
    DropShadow Flood FuncA FuncB FuncG FuncR GaussianBlur Merge MergeNode Morphology Offset PointLight SpecularLighting
    SpotLight Tile Turbulence"""
ELEMENTS = frozenset(f"{_SHAPES} {_STRUCTURE} {_PAINT}".split()) | {f"fe{name}" for name in _EFFECTS.split()}
"""What draws. Scripts, foreignObject, animations (they can change a reference) and links are not among them."""

INERT = (
    "http://www.inkscape.org/",
    "http://sodipodi.",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://purl.org/dc/",
    "http://creativecommons.org/ns#",
    "http://web.resource.org/cc/",
    "http://www.bohemiancoding.com/sketch/ns",
    "http://www.serif.com/",
    "http://ns.adobe.com/",
    "http://www.w3.org/XML/1998/namespace",
)
"""Namespaces that drawing programs write and browsers don't act on."""

OWN_PICTURE = re.compile(r"data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/=\s]*")
STYLE_REACHES_OUT = re.compile(
    r"@|\\|expression|javascript:|behaviou?r\s*:|-moz-binding|image-set|src\s*\(", re.IGNORECASE
)
ADDRESS = re.compile(r"url\(\s*[\"']?\s*([^\"')]*)", re.IGNORECASE)


def read_icon(folder: Path) -> str:
    """Return the text of the folder's SVG icon, empty if it has none; raise `PackageProblem` if it could do harm."""
    name = next((one for one in ICON_FILES if (folder / one).is_file()), "")
    if not name:
        return ""
    text = read_text(folder / name, largest=LARGEST_SVG)
    check_svg(text, name)
    return text


def check_svg(text: str, name: str = ICON_FILES[0]) -> None:
    """Raise `PackageProblem`, with the line, unless the text is an SVG that only draws."""
    _SvgCheck(name).run(text)


class _SvgCheck:
    """Follows the parser through a document and stops at the first thing that an icon has no use for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stack: list[str] = []
        self.style: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.EntityDeclHandler = lambda *_: self.refuse("declares entities")
        self.parser.ProcessingInstructionHandler = lambda target, _: self.refuse(f"holds the instruction “{target}”")

    def refuse(self, what: str) -> None:
        line = self.parser.CurrentLineNumber
        raise PackageProblem(
            f"{self.name}, line {line}: the picture {what}.",
            "An icon only draws: save it as “plain” or “optimised” SVG, without scripts and links.",
            self.name,
            line,
        )

    def not_svg(self, line: int = 0) -> PackageProblem:
        where = f", line {line}" if line else ""
        return PackageProblem(f"{self.name}{where} is not an SVG image.", "", self.name, line)

    def run(self, text: str) -> None:
        try:
            self.parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            raise self.not_svg(error.lineno) from error

    def doctype(self, _name: str, _system: str | None, _public: str | None, internal: int) -> None:
        if internal:
            raise self.not_svg(self.parser.CurrentLineNumber)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, local = tag.rpartition(" ")
        if not self.stack and (local != "svg" or namespace not in {"", SVG}):
            raise self.not_svg(self.parser.CurrentLineNumber)
        self.stack.append(local)
        if len(self.stack) > DEEPEST:
            self.refuse(f"is nested more than {DEEPEST} deep")
        if namespace not in {"", SVG}:
            if not namespace.startswith(INERT):
                self.refuse(f"holds <{local}> of a foreign kind")
        elif local not in ELEMENTS:
            self.refuse(f"holds <{local}>")
        if "style" in self.stack[:-1]:
            self.refuse("holds an element inside a style")
        for key, value in attributes.items():
            self.attribute(key.rpartition(" ")[2].lower(), value, local)

    def attribute(self, name: str, value: str, element: str) -> None:
        if name.startswith("on"):
            self.refuse(f"runs a script ({name})")
        if name in {"href", "src"}:
            target = value.strip()
            own = target.startswith("#") or (element == "image" and OWN_PICTURE.fullmatch(target))
            if not own:
                self.refuse(f"refers to something outside itself ({target[:60]})")
        if name == "base":
            self.refuse("changes what its references mean (xml:base)")
        self.css(value, strict=name == "style")

    def css(self, text: str, *, strict: bool) -> None:
        if strict and (found := STYLE_REACHES_OUT.search(text)):
            self.refuse(f"has a style with “{found[0]}”")
        for target in ADDRESS.findall(text):
            if not target.startswith("#"):
                self.refuse(f"refers to something outside itself ({target[:60]})")

    def characters(self, text: str) -> None:
        if self.stack[-1] == "style":
            self.style.append(text)

    def end(self, _tag: str) -> None:
        if self.stack.pop() == "style":
            text, self.style = "".join(self.style), []
            self.css(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL), strict=True)


def read_thumbnail(folder: Path) -> str:
    """Return the name of the folder's PNG icon, empty if it has none; raise `PackageProblem` if it can't be shown."""
    name = next((one for one in THUMBNAIL_FILES if (folder / one).is_file()), "")
    if name:
        check_png(folder / name)
    return name


def check_png(file: Path) -> None:
    """Raise `PackageProblem` unless the file is a whole PNG and nothing else, of at most 2048 pixels on each side."""
    if file.stat().st_size > LARGEST_PNG:
        raise PackageProblem(f"{file.name} is larger than {LARGEST_PNG // 1000} kB.", file=file.name)
    content = file.read_bytes()
    size = _png_size(content)
    if size is None:
        raise PackageProblem(f"{file.name} is not a PNG image.", file=file.name)
    if not all(0 < side <= LARGEST_SIDE for side in size):
        raise PackageProblem(
            f"{file.name} has {size[0]} by {size[1]} pixels.",
            f"At most {LARGEST_SIDE} on each side are shown.",
            file.name,
        )


def _png_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height if `content` is one whole PNG with right checksums."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    position, size = 8, None
    while position + 12 <= len(content):
        length, kind = struct.unpack(">I4s", content[position : position + 8])
        end = position + 12 + length
        body = content[position + 4 : end - 4]
        if end > len(content) or zlib.crc32(body) != int.from_bytes(content[end - 4 : end], "big"):
            return None
        if (kind == b"IHDR") != (position == 8):  # noqa: PLR2004  the header stands right behind the signature
            return None
        if kind == b"IHDR":
            size = struct.unpack(">II", body[4:12])
        if kind == b"IEND":
            return size if end == len(content) else None
        position = end
    return None
