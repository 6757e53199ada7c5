"""How words are compared: folded for the search, tags as one text, version numbers by their size."""

from __future__ import annotations

import re
import unicodedata


def fold(text: str) -> str:
    """Return `text` without case and accents, as the search compares it."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def tag_index(tags: list[str]) -> str:
    """Return the tags folded, each between bars, so that one whole tag can be looked for."""
    return "|" + "".join(f"{fold(tag)}|" for tag in tags)


def words(value: object) -> list[str]:
    """Return keywords, which occur as a list and as one text with commas."""
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return [text for one in parts if (text := str(one).strip())]


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return what versions are compared by: numbers as numbers, and a release after its candidates (1.0 > 1.0rc1)."""
    parts = re.findall(r"\d+|[a-z]+", version.casefold().removeprefix("v"))
    while len(parts) > 1 and parts[-1] == "0":
        parts.pop()
    return (*((1, int(one), "") if one.isdigit() else (-1, 0, one) for one in parts), (0, 0, ""))
