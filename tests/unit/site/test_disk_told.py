"""A disk that runs low is told by the doctor and the health page before anything stops."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client

from spacelab.site import doctor
from spacelab.site.configuration import Configuration

MIB = 2**20


TOLD = {400: (False, True, False), 2048: (True, True, False), 4500: (True, False, True), 90_000: (True, False, True)}
"""Free MiB → whether the platform can work, whether the doctor names what to do, whether the health page is content."""


@pytest.mark.django_db
@pytest.mark.parametrize("free", TOLD)
def test_what_is_told_at_which_room(free: int, tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free * MIB))
    found = doctor._disk(Configuration(state=tmp_path, database_url=""))
    healthy = client.get("/healthz").json()["disk"]
    assert (found.ok, "spacelab builds prune --dry-run" in found.remedy, healthy) == TOLD[free]
