"""What kinds and facets of datalabs are called on pages."""

from __future__ import annotations

from django import template

from spacelab.publishing.rules import facets

register = template.Library()

WORDS = {"jupyter": "notebooks", "desktop": "desktop program", "web": "web page"}


@register.filter
def kind_in_words(kind: str) -> str:
    """Say what opens, in words that need no explanation."""
    return WORDS.get(kind, kind)


@register.filter
def facet_title(value: str, facet: str) -> str:
    """Say a facet's value as people read it."""
    return facets.facet_title(facet, value)
