"""How the catalogue shows what this platform's runtime can't carry."""

from __future__ import annotations

from django import template

from spacelab.datalabs import queries
from spacelab.datalabs.models import Datalab, DatalabVersion

register = template.Library()


@register.filter
def trouble_here(datalab: Datalab) -> str:
    """Say why none of its versions can run here; nothing where one can."""
    return queries.trouble_of(queries.preferred(queries.versions_of(datalab)))


@register.filter
def trouble_of_version(version: DatalabVersion) -> str:
    """Say why a version can't run here; nothing where it can."""
    return queries.trouble_of(version)
