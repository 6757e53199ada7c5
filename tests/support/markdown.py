"""Pages of the documentation as their tests read them: links, anchors and blocks of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token


@dataclass(frozen=True)
class Block:
    """A fenced block of code: the page, the line of its fence, what stands after the fence, its text."""

    page: Path
    line: int
    info: str
    text: str


@cache
def tokens(page: Path) -> tuple[Token, ...]:
    """Parse a page."""
    return tuple(MarkdownIt("commonmark").enable("table").parse(page.read_text()))


def links(page: Path) -> Iterator[str]:
    """Yield the target of every link and picture of a page."""
    for token in tokens(page):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                yield str(target)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    found = set()
    for opening, content in zip(tokens(page), tokens(page)[1:], strict=False):
        if opening.type == "heading_open":
            text = re.sub(r"[^\w\- ]", "", content.content.lower())
            found.add(text.replace(" ", "-"))
    return found


def blocks(page: Path, language: str) -> Iterator[Block]:
    """Yield the blocks of code in a language."""
    for token in tokens(page):
        words = token.info.split()
        if token.type == "fence" and words and words[0] == language:
            yield Block(page, (token.map or [0])[0] + 1, token.info, token.content)
