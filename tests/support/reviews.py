"""Versions under review for tests, with a package on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.datalabs.actions import SYSTEM, record_evidence
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.rules import EvidenceKind
from spacelab.moderation.rules import CHECKLIST
from spacelab.publishing.rules import State

TERMS = {
    "title": "Spectra",
    "alternateName": "spectra",
    "abstract": "Shows them.",
    "contactPoint.email": "dora@example.org",
    "creator.name": "Dora",
    "distribution.license": "MIT",
}
EVERY_POINT = list(CHECKLIST)


def make_package(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write files into a new folder, which is the package."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def make_submitted(
    author: Person, number: str = "1.0", state: State = State.SUBMITTED, *, slug: str = "spectra", **values: Any
) -> DatalabVersion:
    """Create a version in a state, tested and with its metadata."""
    facts = {"title": slug.capitalize(), "abstract": "Shows them.", "author": "Dora", "maintainer": author}
    datalab, _ = Datalab.objects.get_or_create(slug=slug, defaults=facts)
    values.setdefault("metadata", {**TERMS, "version": number})
    version = DatalabVersion.objects.create(
        datalab=datalab,
        version=number,
        state=state,
        content_hash=f"hash-{number}",
        submitted_at=timezone.now(),
        **{"package": "/kept", "environment": f"{slug}-{number}", **values},
    )
    record_evidence(
        by=SYSTEM,
        version=version,
        kind=EvidenceKind.LAUNCH_TEST,
        passed=True,
        summary="It starts within 4 s.",
        data={"ready_seconds": 4},
    )
    return version
