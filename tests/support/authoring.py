"""Versions for tests of the authoring pages: one that lacks nothing to be submitted."""

from __future__ import annotations

from typing import Any

from spacelab.accounts.models import Person
from spacelab.datalabs import actions
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.rules import EvidenceKind, State

TERMS = {
    "title": "Spectra",
    "alternateName": "spectra",
    "abstract": "Shows them.",
    "contactPoint.email": "dora@example.org",
    "creator.name": ["Dora"],
    "distribution.license": "MIT",
}


FOUND = {
    "page": {"status": 200, "content_type": "text/html", "size": 4096, "trouble": ""},
    "start_seconds": 0.2,
    "ready_seconds": 2.1,
    "interface_usage": {"memory_bytes": 100_000_000, "cpu_seconds": 1.5},
    "ports": [8888],
    "notebooks": [{"name": "stars.ipynb", "passed": True, "seconds": 1.2, "cell": 3, "error": ""}],
}
"""What a launch test found."""


def make_version(maintainer: Person, number: str = "1.0", state: State = State.BUILT, **values: Any) -> DatalabVersion:
    """Create a version of “spectra” that was built and has passed its launch test."""
    datalab, _ = Datalab.objects.get_or_create(
        slug="spectra",
        defaults={"title": "Spectra", "abstract": "Shows them.", "author": "Dora", "maintainer": maintainer},
    )
    known = {"package": "/kept", "environment": "spectra-1", "content_hash": f"hash-{number}"}
    version = DatalabVersion.objects.create(
        datalab=datalab, version=number, state=state, **{**known, "metadata": {**TERMS, "version": number}, **values}
    )
    actions.record_evidence(
        by=actions.SYSTEM,
        version=version,
        kind=EvidenceKind.LAUNCH_TEST,
        passed=True,
        summary="It starts.",
        data=FOUND,
    )
    return version
