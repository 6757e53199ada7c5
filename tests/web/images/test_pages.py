"""The operators' pages about images and environments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.images import shelf
from spacelab.images.actions import scanning
from support import osv, papers
from support.people import make_person

pytestmark = pytest.mark.django_db
KEY = shelf.image_key(papers.IMAGE_ID)
PAGES = ("/images/", f"/images/{KEY}", f"/images/{KEY}/contents.json")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep papers in a folder of the test, beside an engine with one image and one environment."""
    monkeypatch.setattr(settings.SPACELAB, "state", tmp_path)
    monkeypatch.setattr(settings, "ENVIRONMENTS_DIRECTORY", tmp_path / "environments")
    monkeypatch.setattr(settings, "IMAGE_STORE", "support.papers.Store")
    papers.make_environment("lab-0123456789")
    papers.keep_papers(KEY, *papers.PURLS)
    return tmp_path


@pytest.fixture
def asking(client: Client, operator: Person) -> Client:
    client.force_login(operator)
    return client


def import_records(folder: Path) -> None:
    (folder / "osv.json").write_text(json.dumps(osv.ALL))
    scanning.update_index([folder / "osv.json"])


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_shows_own_images_and_environments(asking: Client) -> None:
    shown = page(asking, "/images/")
    assert "localhost/ada_sky:v1.0-1" in shown
    assert "lab-0123456789" in shown
    assert "localhost/other:1" not in shown
    assert "5 packages: 2 Python, 1 Debian, 1 Java, 1 npm" in shown
    assert "There is no database of vulnerabilities" in shown
    assert "not scanned" in shown


def test_the_age_of_the_database_is_shown(asking: Client, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_records(state)
    shown = page(asking, "/images/")
    assert "days old" in shown
    assert "import a newer one" in shown
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_database_days", 100_000)
    assert "import a newer one" not in page(asking, "/images/")


def test_one_image_shows_contents_vulnerabilities_and_origin(
    asking: Client, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_records(state)
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_gate", "critical")
    assert asking.post(f"/images/{KEY}/look-up").status_code == 302
    shown = page(asking, f"/images/{KEY}")
    for text in (
        "CVE-2020-14343",
        "CVE-2023-4911",
        "2.36-9+deb12u3",
        "1 critical",
        "stopped by the gate “critical”",
        "maven (1)",
        "https://git.example.org/ada/sky",
        "localhost/datalabs/jl_base:1.0",
        "MIT",
    ):
        assert text in shown
    for kind in ("contents", "vulnerabilities", "provenance"):
        answer = asking.get(f"/images/{KEY}/{kind}.json")
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert isinstance(json.loads(answer.getvalue()), dict)


def test_what_was_not_listed_yet_says_how_to_list_it(asking: Client) -> None:
    key = shelf.environment_key("lab-0123456789")
    assert "spacelab images scan lab-0123456789" in page(asking, f"/images/{key}")
    assert asking.get(f"/images/{key}/contents.json").status_code == 404
    assert asking.post(f"/images/{key}/look-up").status_code == 404


@pytest.mark.parametrize("key", ["sha256-abc", "environment-absent", "..", f"sha256-{'0' * 64}"])
def test_what_is_not_there_is_not_found(asking: Client, key: str) -> None:
    assert asking.get(f"/images/{key}").status_code == 404
    assert asking.get(f"/images/{key}/contents.json").status_code == 404
    assert asking.get(f"/images/{KEY}/secret.json").status_code == 404


@pytest.mark.parametrize("address", PAGES)
def test_only_operators_see_these_pages(client: Client, address: str) -> None:
    assert client.get(address).status_code in {302, 401}
    for role in ("scientist", "developer", "moderator"):
        client.force_login(make_person(f"a-{role}", role))
        assert client.get(address).status_code == 403
        assert client.post(f"/images/{KEY}/look-up").status_code == 403
