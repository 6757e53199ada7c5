"""Decisions about datalabs: names, states, and what a version needs to be launched."""

from __future__ import annotations

import unicodedata
from enum import StrEnum

SLUG = r"^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$"
SLUG_ADVICE = "Use 2 to 60 lower-case letters, digits or hyphens."


KINDS = ("jupyter", "desktop", "web")
"""What a person sees when a datalab opens."""


def fold(text: str) -> str:
    """Return `text` without case and accents, as the search compares it."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def tag_index(tags: list[str]) -> str:
    """Return the tags folded, each between bars, so that one whole tag can be looked for."""
    return "|" + "".join(f"{fold(tag)}|" for tag in tags)


class State(StrEnum):
    """Where a version stands; the life before publishing comes with the authoring pages."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"
