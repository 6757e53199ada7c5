"""Publishing from a manifest: once, and only what changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from spacelab.accounts.models import Person
from spacelab.audit.actions import System
from spacelab.audit.queries import entries
from spacelab.datalabs.actions import install_from_manifest
from spacelab.datalabs.manifest import Manifest
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.kit.refusals import Forbidden

MANIFEST = Manifest(folder=Path("/p"), slug="lab", title="Lab", abstract="What", version="1", tags=["sky"])
SEED = System("seed")


def test_installing_again_writes_nothing(db: None) -> None:
    for _ in range(2):
        install_from_manifest(by=SEED, manifest=MANIFEST, environment="lab-1", package_dir=Path("/p"))
    assert entries(subject="datalab:lab").count() == 1
    assert DatalabVersion.objects.count() == 1


def test_a_change_is_written_and_a_new_version_stands_beside_the_old(db: None) -> None:
    install_from_manifest(by=SEED, manifest=MANIFEST, environment="lab-1", package_dir=Path("/p"))
    changed = replace(MANIFEST, version="2", title="Labör")
    version = install_from_manifest(by=SEED, manifest=changed, environment="lab-2", package_dir=Path("/p2"))
    assert (version.package, version.environment) == ("/p2", "lab-2")
    datalab = Datalab.objects.get()
    assert datalab.versions.count() == 2
    assert "labor" in datalab.search_text


def test_a_scientist_may_not_install(scientist: Person) -> None:
    with pytest.raises(Forbidden):
        install_from_manifest(by=scientist, manifest=MANIFEST, environment="lab-1", package_dir=Path("/p"))
    assert not Datalab.objects.exists()
