"""Looking packages up: what is configured is imported when it changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings

from spacelab.images.actions import scanning
from support import osv
from support.papers import make_environment

ENVIRONMENT = "lab-0123456789"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep everything in a folder of the test."""
    monkeypatch.setattr(settings.SPACELAB, "state", tmp_path)
    monkeypatch.setattr(settings, "ENVIRONMENTS_DIRECTORY", tmp_path / "environments")
    make_environment(ENVIRONMENT)
    return tmp_path


def test_the_configured_database_is_imported_when_it_changes(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = state / "records"
    source.mkdir()
    (source / "a.json").write_text(json.dumps(osv.PYYAML))
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_database", source)
    key = scanning.describe_environment(ENVIRONMENT, state / "environments" / ENVIRONMENT)
    assert scanning.look_up(key).findings == ()
    (source / "b.json").write_text(json.dumps(osv.URLLIB3))
    assert [one.id for one in scanning.look_up(key).findings] == ["CVE-2023-43804"]
