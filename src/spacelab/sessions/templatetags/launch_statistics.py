"""What pages of datalabs say of the launches of their versions."""

from __future__ import annotations

from typing import Any

from django import template

from spacelab.datalabs.models import Datalab
from spacelab.sessions import counting

register = template.Library()


@register.inclusion_tag("sessions/_statistics.html")
def launch_statistics(datalab: Datalab) -> dict[str, Any]:
    """Show how the launches of the versions that the visitor sees went: those that were published."""
    return {"rows": counting.statistics_rows(datalab), "last": counting.LAST}
