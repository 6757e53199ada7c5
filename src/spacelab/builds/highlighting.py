"""A file's text with its syntax marked up, by the classes that the style sheet colours."""

from __future__ import annotations

from django.utils.safestring import SafeString
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

NAMED = {"Dockerfile": "Dockerfile", "requirements.txt": "x.ini", "CITATION.cff": "x.yml"}
"""Files whose names say little of their syntax → a name that does."""
LONGEST = 100_000
"""Characters that are marked up: of a longer text, as somebody may send for a preview, that would take too long."""


def highlighted(path: str, text: str) -> SafeString:
    """Return the text as HTML, in spans with Pygments' short classes; everything of the text is escaped."""
    name = path.rpartition("/")[2]
    known = NAMED.get(name, "x.json" if name.endswith(".ipynb") else name)
    try:
        lexer = get_lexer_for_filename(known) if len(text) <= LONGEST else TextLexer()
    except ClassNotFound:
        lexer = TextLexer()
    return SafeString(highlight(text, lexer, HtmlFormatter(nowrap=True)))
