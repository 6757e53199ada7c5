"""The testing tab: what it shows, to whom, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.datalabs import actions
from spacelab.datalabs.models import DatalabVersion, Evidence
from spacelab.datalabs.rules import EvidenceKind, State
from spacelab.testing import queries
from spacelab.testing.models import LaunchTest
from support.authoring import make_version
from support.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("place")]
PAGE = "/author/spectra/1.0/testing"
DATA = {
    "page": {"status": 200, "content_type": "text/html", "size": 4096, "trouble": ""},
    "start_seconds": 0.2,
    "ready_seconds": 3.4,
    "interface_usage": {"memory_bytes": 120 * 2**20, "cpu_seconds": 2.5},
    "ports": [8888],
    "notebooks": [{"name": "<b>a.ipynb", "passed": False, "seconds": 1.0, "cell": 2, "error": "ValueError: <script>"}],
}


@pytest.fixture
def author() -> Person:
    return make_person("dora", "developer")


@pytest.fixture
def version(author: Person) -> DatalabVersion:
    return make_version(author, state=State.TESTING)


@pytest.fixture
def failed(version: DatalabVersion, place: Path) -> Evidence:
    folder = queries.evidence_folder("7")
    assert folder.is_relative_to(place)
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("Traceback <i>here</i>")
    (folder / "secret.txt").write_text("not for the page")
    return actions.record_evidence(
        by=actions.SYSTEM,
        version=version,
        kind=EvidenceKind.LAUNCH_TEST,
        passed=False,
        summary="a.ipynb, code cell 2: ValueError",
        data=DATA,
        folder="7",
    )


@pytest.mark.usefixtures("failed")
def test_the_author_sees_what_went_wrong_and_where(client: Client, author: Person) -> None:
    client.force_login(author)
    answer = client.get(PAGE)
    assert answer.status_code == 200
    shown = answer.content.decode()
    for text in ("Not passed.", "Code cell 2:", "3.4 s", "120.0", "8888", "Traceback &lt;i&gt;here", "Earlier tests"):
        assert text in shown
    assert "<script>" not in shown.split("Notebooks</h2>")[1]
    assert "<b>a.ipynb" not in shown
    assert "Test again" in shown
    assert "Launch as a test" in shown


def test_what_was_just_built_is_followed_until_its_test_begins(
    client: Client, author: Person, version: DatalabVersion
) -> None:
    version.evidence.all().delete()
    client.force_login(author)
    shown = client.get(PAGE).content.decode()
    assert "It begins by itself." in shown
    assert f'data-live="{PAGE}/events"' in shown
    assert "Test again" not in shown
    LaunchTest.objects.create(version=version, content_hash=version.content_hash)
    assert "Waiting for a place." in client.get(PAGE).content.decode()


def test_another_test_is_begun_once(client: Client, author: Person, version: DatalabVersion) -> None:
    client.force_login(author)
    answer = client.post(f"{PAGE}/again", follow=True)
    assert "Waiting for a place." in answer.content.decode()
    assert LaunchTest.objects.get().version == version
    again = client.post(f"{PAGE}/again")
    assert again.status_code == 409
    assert "is being tested already" in again.content.decode()
    assert LaunchTest.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "state", "expected"),
    [
        ("", State.TESTING, 302),
        ("scientist", State.TESTING, 404),
        ("developer", State.TESTING, 404),
        ("moderator", State.TESTING, 404),
        ("operator", State.TESTING, 404),
        ("moderator", State.SUBMITTED, 200),
        ("developer", State.SUBMITTED, 404),
    ],
)
def test_the_page_and_its_files_are_for_the_author_and_the_moderators(
    client: Client, failed: Evidence, role: str, state: State, expected: int
) -> None:
    DatalabVersion.objects.update(state=state)
    if role:
        client.force_login(make_person("somebody", role))
    log = f"{PAGE}/{failed.pk}/log.txt"
    assert client.get(PAGE).status_code == expected
    assert client.get(log).status_code == expected
    if expected != 200:
        assert client.post(f"{PAGE}/again").status_code == expected
        assert not LaunchTest.objects.exists()
    else:
        assert client.post(f"{PAGE}/again").status_code == 302


def test_operators_look_at_what_was_published_and_leave_testing_to_others(client: Client, failed: Evidence) -> None:
    DatalabVersion.objects.update(state=State.PUBLISHED)
    client.force_login(make_person("otto", "operator"))
    assert client.get(PAGE).status_code == 200
    assert client.post(f"{PAGE}/again").status_code == 403
    assert failed.pk


@pytest.mark.parametrize("name", ["secret.txt", "screenshot.png", "..%2f..%2fsecret-key"])
def test_only_what_a_test_keeps_is_handed_out(client: Client, author: Person, failed: Evidence, name: str) -> None:
    client.force_login(author)
    assert client.get(f"{PAGE}/{failed.pk}/{name}").status_code == 404


def test_a_log_is_sent_as_text_that_can_not_act(client: Client, author: Person, failed: Evidence) -> None:
    client.force_login(author)
    answer = client.get(f"{PAGE}/{failed.pk}/log.txt")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_evidence_of_another_version_is_not_reached_through_ones_own(
    client: Client, failed: Evidence, place: Path
) -> None:
    other = make_person("dana", "developer")
    DatalabVersion.objects.filter(pk=failed.version_id).update(version="9.0")
    failed.version.datalab.slug = "hidden"
    failed.version.datalab.save()
    make_version(other)
    client.force_login(other)
    assert client.get(f"{PAGE}/{failed.pk}/log.txt").status_code == 404
    assert (place / "evidence" / "7" / "log.txt").exists()


def test_a_version_that_was_never_tested_says_what_a_test_is(client: Client, author: Person) -> None:
    made = make_version(author, state=State.DRAFT)
    made.evidence.all().delete()
    client.force_login(author)
    shown = client.get(PAGE).content.decode()
    assert "Not tested yet" in shown
    assert "Test again" not in shown


def test_what_is_about_older_files_says_so(client: Client, author: Person, failed: Evidence) -> None:
    DatalabVersion.objects.update(content_hash="other")
    client.force_login(author)
    assert "The files have changed since" in client.get(PAGE).content.decode()
    assert failed.content_hash != "other"
