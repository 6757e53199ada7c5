"""What a lower domain may want to show of a higher one, handed down through the settings."""

from __future__ import annotations

from django.urls import reverse

from spacelab.datalabs.queries import preselecting
from spacelab.volumes.rules import Use


def of_volume(name: str) -> list[Use]:
    """List the datalabs whose newest version preselects the volume (see `VOLUME_USES`)."""
    return [Use(one.title, reverse("datalabs:detail", args=[one.slug])) for one in preselecting(name)]
