"""Launch links: what one asks for, its addresses, and the badge that stands for it on somebody's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlencode

from django.utils.html import escape

from spacelab.kit.refusals import Invalid
from spacelab.volumes.rules import ARCHIVE_ROOT

MOST = 20
"""Volumes, or files, that one link names."""
LONGEST = 1000
"""Characters of one of them."""
LEFT = "Spacelab"
LETTER = 6.6
"""Pixels that a letter of the badge takes at 11 px; the drawing makes the text fit exactly."""
MOST_LETTERS = 40
MARGIN = 7


@dataclass(frozen=True)
class Link:
    """What a launch link asks for; a file without `/` before it lies in the only volume that is named."""

    version: str = ""
    volumes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """The query string of the launch form with the same choices made; empty without any."""
        asked = [("version", self.version)] if self.version else []
        asked += [("volumes", one) for one in self.volumes]
        return urlencode(asked + [("open", one) for one in self.files])


def read_link(*, version: str, volumes: Sequence[str], files: Sequence[str]) -> Link:
    """Read what stands in a link; raise `Invalid` for one that asks for too much, or for a file that is nowhere."""
    names = tuple(dict.fromkeys(one for one in volumes if one))
    paths = tuple(dict.fromkeys(one for one in files if one))
    if len(names) > MOST or len(paths) > MOST:
        raise Invalid(f"This link names more than {MOST} volumes or files.", advice="Choose on the launch page.")
    if any(len(one) > LONGEST or not one.isprintable() for one in (version, *names, *paths)):
        raise Invalid("This link holds a name that can't be one.", advice="Ask whoever gave it to you.")
    return Link(version, names, tuple(_whole(one, names) for one in paths))


def _whole(path: str, volumes: Sequence[str]) -> str:
    if path.startswith("/"):
        return path
    if len(volumes) != 1:
        raise Invalid(
            f"This link names the file “{path[:200]}”, but not where it lies.",
            advice="A link names one volume, or a whole path such as /data/<volume>/<file>.",
            field="file",
        )
    return str(PurePosixPath(ARCHIVE_ROOT, volumes[0], path))


def draw_badge(title: str) -> str:
    """Draw a badge, as READMEs and papers show them, that says to launch what is called so."""
    cut = title if len(title) <= MOST_LETTERS else f"{title[: MOST_LETTERS - 1]}…"
    words = f"launch {cut}" if cut else "not available"
    left, right = _width(LEFT), _width(words)
    whole, text, paint = left + right, escape(words), "#0f6a74" if cut else "#5b6470"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{LEFT}: {text}">'
        f"<title>{LEFT}: {text}</title>"
        f'<rect width="{whole}" height="20" rx="3" fill="#27303d"/>'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{left}z" fill="{paint}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        f'<text x="{MARGIN}" y="14" textLength="{left - 2 * MARGIN}">{LEFT}</text>'
        f'<text x="{left + MARGIN}" y="14" textLength="{right - 2 * MARGIN}">{text}</text></g></svg>'
    )


def _width(words: str) -> int:
    return round(len(words) * LETTER) + 2 * MARGIN


def snippets(*, title: str, link: str, badge: str) -> list[tuple[str, str, str]]:
    """Return what one copies to show the badge elsewhere: a key, the language, and the text."""
    plain = title.replace("\n", " ")
    marked = "".join(f"\\{one}" if one in "\\[]*_`<>" else one for one in plain)
    quiet = plain.replace("\\", "").replace("`", "'")
    return [
        ("address", "Address", link),
        ("markdown", "Markdown", f"[![Launch {marked}]({badge})]({link})"),
        ("html", "HTML", f'<a href="{escape(link)}"><img src="{escape(badge)}" alt="Launch {escape(plain)}"></a>'),
        ("rst", "reStructuredText", f".. image:: {badge}\n   :target: {link}\n   :alt: Launch {quiet}"),
    ]
