"""What pages of datalabs say of the launches of their versions."""

from __future__ import annotations

from typing import Any

from django import template

from spacelab.datalabs.models import Datalab
from spacelab.datalabs.queries import versions_of
from spacelab.publishing.rules import KEPT, State
from spacelab.sessions import counting

register = template.Library()


@register.inclusion_tag("sessions/_statistics.html")
def launch_statistics(datalab: Datalab) -> dict[str, Any]:
    """Show how the launches of the versions that the visitor sees went: those that were published."""
    versions = [one for one in versions_of(datalab) if State(one.state) in KEPT]
    known = counting.statistics_of(versions)
    return {"rows": [(one, known[one.pk]) for one in versions if one.pk in known], "last": counting.LAST}
