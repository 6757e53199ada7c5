"""Pictures on a datalab's page: the author's and the launch test's, of what was published, for whom it is."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.datalabs import actions
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.rules import EvidenceKind
from spacelab.testing import queries, showing
from support.people import make_person
from support.sessions import make_datalab

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("place")]
ADDRESS = "/catalogue/spectra/versions/1.0/pictures/"


def png(width: int = 4, height: int = 3) -> bytes:
    """Return the beginning of a PNG of this size, which is all that the platform looks at."""
    return showing.PNG + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\x02\x00\x00\x00"


@pytest.fixture
def author() -> Person:
    return make_person("dora", "developer")


@pytest.fixture
def version(author: Person, place: Path) -> DatalabVersion:
    """Make a published version with a package, and a launch test that took a picture."""
    package = place / "package"
    (package / "docs").mkdir(parents=True)
    datalab = make_datalab("spectra", maintainer=author, package=str(package), content_hash="h1")
    version = DatalabVersion.objects.get(datalab=datalab)
    folder = queries.evidence_folder("7")
    folder.mkdir(parents=True)
    (folder / "screenshot.png").write_bytes(png(1280, 800))
    record(version)
    return version


def record(version: DatalabVersion, *, passed: bool = True, folder: str = "7") -> None:
    actions.record_evidence(
        by=actions.SYSTEM,
        version=version,
        kind=EvidenceKind.LAUNCH_TEST,
        passed=passed,
        summary="It starts.",
        data={},
        folder=folder,
    )


def name_picture(version: DatalabVersion, told: object) -> None:
    version.metadata = {"thumbnailUrl": told}
    version.save()


def shown(client: Client) -> list[str]:
    page = client.get("/catalogue/spectra/").content.decode()
    return re.findall(rf'src="{ADDRESS}([a-z.]+)\?', page)


def test_the_page_shows_both_pictures(client: Client, version: DatalabVersion) -> None:
    (Path(version.package) / "docs" / "view.png").write_bytes(png())
    name_picture(version, "docs/view.png")
    assert shown(client) == ["author.png", "interface.png"]
    assert 'width="1280" height="800"' in client.get("/catalogue/spectra/").content.decode()
    for name, content in (("author.png", png()), ("interface.png", png(1280, 800))):
        answer = client.get(ADDRESS + name)
        assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "image/png", content)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("state", ["built", "approved"])
def test_what_is_not_published_shows_none(client: Client, author: Person, version: DatalabVersion, state: str) -> None:
    DatalabVersion.objects.update(state=state)
    client.force_login(author)
    assert shown(client) == []
    assert client.get(f"{ADDRESS}interface.png").status_code == 404


def test_pictures_are_for_those_whom_the_version_is_for(client: Client, version: DatalabVersion) -> None:
    friend = make_person("ada")
    actions.share(by=version.datalab.maintainer or friend, version=version, visibility="people", people=[friend])
    assert client.get(f"{ADDRESS}interface.png").status_code == 404
    client.force_login(make_person("bob"))
    assert client.get(f"{ADDRESS}interface.png").status_code == 404
    client.force_login(friend)
    answer = client.get(f"{ADDRESS}interface.png")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "told", ["../secret.png", "/etc/passwd", "link.png", "https://example.org/a.png", "a" * 300, ["x"]]
)
def test_an_author_s_picture_lies_in_the_package(
    client: Client, version: DatalabVersion, place: Path, told: object
) -> None:
    (place / "secret.png").write_bytes(png())
    (Path(version.package) / "link.png").symlink_to(place / "secret.png")
    name_picture(version, told)
    assert shown(client) == ["interface.png"]
    assert client.get(f"{ADDRESS}author.png").status_code == 404


def test_a_name_that_no_file_can_have_is_no_picture(version: DatalabVersion) -> None:
    version.metadata = {"thumbnailUrl": "a\0.png"}  # not saved: PostgreSQL keeps no zero byte
    assert showing.file_of(version, showing.OWN) is None


@pytest.mark.parametrize(
    "content", [b"", b"<svg onload='x'/>", png(100_000, 100_000), png(0, 3), png() + b"x" * showing.MOST_BYTES]
)
def test_what_is_no_picture_is_not_sent(client: Client, version: DatalabVersion, content: bytes) -> None:
    (Path(version.package) / "view.png").write_bytes(content)
    name_picture(version, "view.png")
    assert shown(client) == ["interface.png"]
    assert client.get(f"{ADDRESS}author.png").status_code == 404


def test_only_tests_of_this_content_that_passed_show_a_picture(client: Client, version: DatalabVersion) -> None:
    record(version, passed=False, folder="8")
    assert shown(client) == ["interface.png"]
    DatalabVersion.objects.update(content_hash="other")
    assert shown(client) == []
    for name in ("interface.png", "log.txt", "secret.png"):
        assert client.get(ADDRESS + name).status_code == 404
