"""Whether pages of datalabs offer to launch as last time."""

from __future__ import annotations

from typing import Any

from django import template

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab
from spacelab.sessions import queries

register = template.Library()


@register.filter
def launched_by(datalab: Datalab, visitor: Any) -> bool:
    """Say whether the visitor has launched the datalab before, and so left choices that can be taken again."""
    return isinstance(visitor, Person) and queries.last_choice(visitor, datalab) is not None
