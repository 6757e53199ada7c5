"""What a version contains stands beside its review, and what the gate stops is not approved."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.builds.models import Build
from spacelab.images.actions import look_up, scanning
from spacelab.images.queries import key_of
from spacelab.moderation.actions import tick
from spacelab.publishing.rules import State
from support import osv, papers
from support.people import make_person, signed_in
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


def test_packages_stand_beside_those_of_the_version_before(moderator: Person, developer: Person) -> None:
    make_submitted(developer, "0.9", State.PUBLISHED, published_at=timezone.now())
    version = make_submitted(developer, state=State.IN_REVIEW, reviewer=moderator)
    papers.keep_papers(key_of(environment="spectra-0.9"), "pkg:pypi/numpy@1.26.0", "pkg:pypi/astropy@6.0")
    papers.keep_papers(key_of(environment=version.environment), "pkg:pypi/numpy@2.1.0", "pkg:pypi/humanize@4.9")
    page = signed_in(moderator).get(HERE).content.decode()
    told = page.split("3 packages changed since version 0.9")[1].split("</table>")[0]
    rows = [re.findall(r">([^<>\n]+)</t[hd]>", row) for row in told.split("<tr>")[2:]]
    assert rows == [
        ["astropy", "pypi", "6.0", "removed"],
        ["humanize", "pypi", "not there", "4.9"],
        ["numpy", "pypi", "1.26.0", "2.1.0"],
    ]
    answer = signed_in(moderator).get(f"{HERE}/contents")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="spectra-1.0.cdx.json"'
    assert json.loads(b"".join(answer))["bomFormat"] == "CycloneDX"
    for person in (developer, make_person("ada"), None):
        assert signed_in(person).get(f"{HERE}/contents").status_code in {302, 403}


def test_the_page_stands_where_what_it_starts_from_has_a_name_without_papers(
    moderator: Person, developer: Person
) -> None:
    make_submitted(developer, "0.9", State.PUBLISHED, published_at=timezone.now())
    make_submitted(developer, state=State.IN_REVIEW, reviewer=moderator, environment="of an older kind")
    answer = signed_in(moderator).get(HERE)
    assert answer.status_code == 200
    assert "No list of contents is kept" in answer.content.decode()
    assert signed_in(moderator).get(f"{HERE}/contents").status_code == 404
