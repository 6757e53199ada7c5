"""The pictures on a datalab's page."""

from __future__ import annotations

from typing import Any

from django import template

from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.testing.showing import pictures_of

register = template.Library()


@register.inclusion_tag("testing/_pictures.html")
def pictures(datalab: Datalab, version: DatalabVersion) -> dict[str, Any]:
    """Show the pictures of a version that was published."""
    return {"datalab": datalab, "version": version, "pictures": pictures_of(version)}
