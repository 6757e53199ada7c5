"""What kinds of datalabs are called on pages."""

from __future__ import annotations

from django import template

register = template.Library()

WORDS = {"jupyter": "notebooks", "desktop": "desktop program", "web": "web page"}


@register.filter
def kind_in_words(kind: str) -> str:
    """Say what opens, in words that need no explanation."""
    return WORDS.get(kind, kind)
