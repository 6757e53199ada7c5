"""Decisions about datalabs: names, states, and what a version needs to be launched."""

from __future__ import annotations

from enum import StrEnum

SLUG = r"^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$"
SLUG_ADVICE = "Use 2 to 60 lower-case letters, digits or hyphens."


class State(StrEnum):
    """Where a version stands; the life before publishing comes with the authoring pages."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"
