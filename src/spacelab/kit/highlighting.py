"""A file's text with its syntax marked up, by the classes that the style sheet colours."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.utils.safestring import SafeString
from pygments import format as written
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

NAMED = {"Dockerfile": "Dockerfile", "requirements.txt": "x.ini", "CITATION.cff": "x.yml"}
ENDINGS = {".ipynb": "x.json", ".cwl": "x.yml"}
"""Files whose names say little of their syntax → a name that does."""
LONGEST, LONGEST_LINE = 100_000, 4000
"""Characters that are marked up, in all and in a line, where one expression may look at each of them many times."""
PATIENCE = 0.5
"""Seconds that it may take: on a text made for it, lexers take time with the square of its length."""


def highlighted(path: str, text: str) -> SafeString:
    """Return the text as HTML, in spans with Pygments' short classes; everything of the text is escaped.

    What is too long, or takes too long, stays plain.
    """
    name = path.rpartition("/")[2]
    ending = next((like for end, like in ENDINGS.items() if name.endswith(end)), name)
    known = NAMED.get(name, ending)
    try:
        short = len(text) <= LONGEST and max(map(len, text.splitlines()), default=0) <= LONGEST_LINE
        tokens = list(_in_time(get_lexer_for_filename(known) if short else TextLexer(), text))
    except (ClassNotFound, TimeoutError):
        tokens = list(TextLexer().get_tokens(text))
    return SafeString(written(tokens, HtmlFormatter(nowrap=True)))


def _in_time(lexer: Lexer, text: str) -> Iterator[tuple[object, str]]:
    """Yield a text's tokens; raise `TimeoutError` once they have taken too long."""
    until = time.monotonic() + PATIENCE
    for token in lexer.get_tokens(text):
        if time.monotonic() > until:
            raise TimeoutError
        yield token
