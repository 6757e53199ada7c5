"""Datalabs for tests."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.rules import KEPT


def make_datalab(slug: str = "jupyterlab", *, version: str = "1.0", state: str = "published", **values: Any) -> Datalab:
    """Create a datalab with one version."""
    values = {"title": slug.capitalize(), "abstract": f"What {slug} is for.", "author": "A. Author", **values}
    datalab = Datalab.objects.create(slug=slug, **values)
    visibility = "everybody" if state in KEPT else "private"
    DatalabVersion.objects.create(
        datalab=datalab,
        version=version,
        state=state,
        visibility=visibility,
        published_at=timezone.now(),
    )
    return datalab
