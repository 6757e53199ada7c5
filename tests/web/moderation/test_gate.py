"""What a version contains stands beside its review, and what the gate stops is not approved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from spacelab.builds.models import Build
from spacelab.images.actions import look_up, scanning
from spacelab.images.queries import key_of
from spacelab.moderation.actions import tick
from spacelab.publishing.rules import State
from support import osv, papers
from support.people import make_person
from support.reviews import EVERY_POINT, make_submitted

pytestmark = pytest.mark.django_db
HERE = "/review/spectra/1.0"


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Know vulnerabilities, in a folder of the test."""
    monkeypatch.setattr(settings.SPACELAB, "state", tmp_path)
    (tmp_path / "osv.json").write_text(json.dumps(osv.ALL))
    scanning.update_index([tmp_path / "osv.json"])


@pytest.mark.parametrize("kind", ["environment", "image"])
def test_the_gate_stops_an_approval(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dora, mona = make_person("dora", "developer"), make_person("mona", "moderator")
    started_from = {"environment": "", "image": "localhost/ada_sky:v1.0-1"} if kind == "image" else {}
    version = make_submitted(dora, state=State.IN_REVIEW, reviewer=mona, **started_from)
    if kind == "image":
        Build.objects.create(id="b", person=dora, datalab_version=version, result={"image_id": papers.IMAGE_ID})
        key = key_of(image_id=papers.IMAGE_ID)
    else:
        key = key_of(environment=version.environment)
    papers.keep_papers(key, *papers.PURLS)
    look_up(key)
    tick(by=mona, version=version, points=EVERY_POINT)
    client = Client()
    client.force_login(mona)

    monkeypatch.setattr(settings.SPACELAB, "vulnerability_gate", "critical")
    page = client.get(HERE).content.decode()
    for text in ("5 packages: 2 Python", "CVE-2020-14343", "in its way", "don&#x27;t pass the platform"):
        assert text in page
    decision = {"transition": "approve", "revision": version.revision, "reason": "Kept words"}
    refused = client.post(HERE, decision)
    assert refused.status_code == 409
    assert "Kept words</textarea>" in refused.content.decode()

    monkeypatch.setattr(settings.SPACELAB, "vulnerability_gate", "off")
    assert client.post(HERE, decision).status_code == 302
    version.refresh_from_db()
    assert version.state == State.APPROVED


def test_a_moderator_may_launch_what_she_reviews() -> None:
    make_submitted(make_person("dora", "developer"), state=State.IN_REVIEW)
    client = Client()
    client.force_login(make_person("mona", "moderator"))
    assert client.get("/datalabs/spectra/launch?version=1.0").status_code == 200
    client.force_login(make_person("ada"))
    assert client.get("/datalabs/spectra/launch?version=1.0").status_code == 404
