"""How lists show a build: its badge."""

from __future__ import annotations

from django import template

from spacelab.builds import progress
from spacelab.builds.models import Build

register = template.Library()


@register.filter
def badge(build: Build) -> progress.Badge:
    """Return the build's state in one word and one tone."""
    return progress.badge_of(build)
