"""The reports of a build's checks, for whoever may see the build."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.builds import queries
from spacelab.builds.models import Build
from support.people import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.SPACELAB, "state", tmp_path)


def test_a_build_s_report_is_for_whoever_may_see_the_build(client: Client, operator: Person) -> None:
    owner = make_person("ada", "developer")
    checks = [{"title": "Contents", "passed": True, "summary": "5 packages.", "report_file": "contents.cdx.json"}]
    build = Build.objects.create(id="b1", person=owner, source="upload", slug="sky", state="built", checks=checks)
    reports = queries.build_folder(build.pk) / "reports"
    reports.mkdir(parents=True)
    (reports / "contents.cdx.json").write_text("{}")
    (reports / "other.json").write_text("{}")
    address = "/builds/b1/reports/contents.cdx.json"
    for person in (owner, operator):
        client.force_login(person)
        assert "sky-contents.cdx.json" in client.get(address).headers["Content-Disposition"]
        shown = client.get("/builds/b1").content.decode()
        assert address in shown
        assert "5 packages." in shown
        assert client.get("/builds/b1/reports/other.json").status_code == 404
    client.force_login(make_person("eve", "developer"))
    assert client.get(address).status_code == 404
