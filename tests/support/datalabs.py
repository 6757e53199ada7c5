"""Datalabs for tests."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from spacelab.datalabs.models import Datalab, DatalabVersion


def make_datalab(slug: str = "jupyterlab", *, version: str = "1.0", state: str = "published", **values: Any) -> Datalab:
    """Create a datalab with one version."""
    values = {"title": slug.capitalize(), "abstract": f"What {slug} is for.", "author": "A. Author", **values}
    datalab = Datalab.objects.create(slug=slug, **values)
    DatalabVersion.objects.create(datalab=datalab, version=version, state=state, published_at=timezone.now())
    return datalab
