"""The files and builds of a version on its authoring pages, from an edit to the next build."""

from __future__ import annotations

import io
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.builds import actions, packages, queries
from spacelab.builds.models import Build
from spacelab.builds.upkeep import Workshop
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.rules import State
from spacelab.kit.highlighting import highlighted
from support.builds import end_workload, queued
from support.packages import zip_of
from support.people import make_person

FILES = "/author/nearby-stars/0.1.0/files"
EDIT = f"{FILES}/edit"
MOVE = f"{FILES}/move"
MOST_SECONDS = 5
"""Of a page's time for the marks in a text; without a limit these take a minute and more."""
BUILD = "/author/nearby-stars/0.1.0/build"


@pytest.fixture
def version(workshop: Workshop, developer: Person) -> DatalabVersion:
    """Build a version from a notebook and its metadata."""
    build = queued(developer)
    workshop.look()
    end_workload(build)
    for _ in range(4):
        workshop.look()
    made = DatalabVersion.objects.get()
    assert made.state == State.BUILT
    return made


@pytest.fixture
def author(client: Client, developer: Person) -> Client:
    """Sign the author in."""
    client.force_login(developer)
    return client


def names(version: DatalabVersion) -> list[str]:
    version.refresh_from_db()
    folder = queries.files_folder(version)
    assert folder is not None
    return [path for path, _ in packages.list_files(folder)]


def test_an_edited_file_makes_a_draft_that_is_built_again(version: DatalabVersion, author: Client) -> None:
    before = version.content_hash
    page = author.get(f"{EDIT}?path=datalab-meta.yml").content.decode()
    assert '<span class="nt">' in page
    text = "title: Stars of today\nalternateName: nearby-stars\nabstract: Now.\nversion: 0.1.0\r\n"
    answer = author.post(EDIT, {"path": "datalab-meta.yml", "text": text, "seen": before}, follow=True)
    assert "datalab-meta.yml is saved." in answer.content.decode()
    version.refresh_from_db()
    assert version.state == State.DRAFT
    plan = Build.objects.get(state="planned")
    assert (plan.previous, plan.title) == (Build.objects.exclude(pk=plan.pk).get(), "Stars of today")
    assert plan.package != before
    for address in (FILES, BUILD):
        assert f'href="/builds/{plan.pk}"' in author.get(address).content.decode()
    shown = author.get(f"/builds/{plan.pk}").content.decode()
    assert 'value="Stars of today"' in shown
    history = author.get("/author/nearby-stars/0.1.0/history").content.decode()
    assert "Files: datalab-meta.yml" in history


def test_a_second_change_takes_the_first_plans_place(version: DatalabVersion, author: Client) -> None:
    for name in ("one.txt", "two.txt"):
        assert author.post(FILES, {"upload": SimpleUploadedFile(name, b"x")}).status_code == 302
    assert Build.objects.filter(state="planned").count() == 1
    assert Build.objects.filter(state="cancelled", reason="Its files were changed again.").count() == 1
    assert names(version) == ["datalab-meta.yml", "one.txt", "stars.ipynb", "two.txt"]


def test_folders_and_zips_are_added(version: DatalabVersion, author: Client) -> None:
    author.post(FILES, {"upload": SimpleUploadedFile("a.csv", b"1"), "paths": '["data/a.csv"]'})
    author.post(FILES, {"upload": SimpleUploadedFile("b.zip", zip_of({"data/b.csv": "2"}))})
    assert "data/a.csv" in names(version)
    assert "b.csv" in names(version)
    author.post(EDIT, {"path": "data/a.csv", "text": "3"})
    assert "a.csv" not in names(version)
    assert "3" in author.get(EDIT, {"path": "data/a.csv"}).content.decode().partition("<textarea")[2][:200]


def test_a_file_is_renamed_and_removed(version: DatalabVersion, author: Client) -> None:
    author.post(MOVE, {"path": "stars.ipynb", "to": "notebooks/sky.ipynb"})
    assert names(version) == ["datalab-meta.yml", "notebooks/sky.ipynb"]
    author.post(FILES, {"upload": SimpleUploadedFile("more.txt", b"x")})
    author.post(MOVE, {"path": "more.txt", "to": "more.txt", "remove": "yes"})
    assert names(version) == ["datalab-meta.yml", "notebooks/sky.ipynb"]


@pytest.mark.parametrize("to", ["../out.ipynb", "/etc/x", "datalab-meta.yml", "a\x01b"])
def test_a_name_that_leads_out_or_is_taken_is_refused(version: DatalabVersion, author: Client, to: str) -> None:
    assert author.post(MOVE, {"path": "stars.ipynb", "to": to}).status_code == 422
    assert names(version) == ["datalab-meta.yml", "stars.ipynb"]
    assert version.state == State.BUILT


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "nothing", "", "data/../../x"])
def test_nothing_but_the_packages_files_is_shown(version: DatalabVersion, author: Client, path: str) -> None:
    assert author.get(EDIT, {"path": path}).status_code == 404
    assert author.get(f"{FILES}/content", {"path": path}).status_code == 404
    assert author.post(MOVE, {"path": path, "remove": "yes"}).status_code == 404


def test_somebody_who_looked_at_older_files_keeps_her_text(version: DatalabVersion, author: Client) -> None:
    seen = version.content_hash
    author.post(FILES, {"upload": SimpleUploadedFile("one.txt", b"x")})
    answer = author.post(EDIT, {"path": "datalab-meta.yml", "text": "title: Kept <b>", "seen": seen})
    assert answer.status_code == 409
    assert "title: Kept &lt;b&gt;" in answer.content.decode()


def test_a_preview_saves_nothing_and_escapes(version: DatalabVersion, author: Client) -> None:
    answer = author.post(EDIT, {"path": "datalab-meta.yml", "text": "a: <script>x</script>", "preview": "yes"})
    assert "<script>x" not in answer.content.decode()
    version.refresh_from_db()
    assert version.state == State.BUILT


def test_what_is_no_text_is_downloaded_only(version: DatalabVersion, author: Client) -> None:
    author.post(FILES, {"upload": SimpleUploadedFile("raw.bin", b"\x00\xff\x01")})
    assert "<textarea" not in author.get(EDIT, {"path": "raw.bin"}).content.decode()
    got = author.get(f"{FILES}/content", {"path": "raw.bin"})
    assert b"".join(got.streaming_content) == b"\x00\xff\x01"  # type: ignore[attr-defined]
    assert "attachment" in got["Content-Disposition"]


@pytest.mark.parametrize("state", [State.SUBMITTED, State.PUBLISHED, State.ARCHIVED])
def test_what_is_out_of_her_hands_is_read_only(version: DatalabVersion, author: Client, state: State) -> None:
    DatalabVersion.objects.update(state=state)
    assert "Add them" not in author.get(FILES).content.decode()
    assert "<textarea" not in author.get(EDIT, {"path": "datalab-meta.yml"}).content.decode()
    assert "Build again" not in author.get(BUILD).content.decode()
    assert author.post(EDIT, {"path": "datalab-meta.yml", "text": "x"}).status_code == 409
    assert author.post(FILES, {"upload": SimpleUploadedFile("x", b"x")}).status_code == 409
    assert author.post(MOVE, {"path": "stars.ipynb", "remove": "yes"}).status_code == 409


def test_moderators_read_and_others_find_nothing(version: DatalabVersion, client: Client) -> None:
    DatalabVersion.objects.update(state=State.CHANGES_REQUESTED)
    client.force_login(make_person("mona", "moderator"))
    assert client.get(FILES).status_code == client.get(BUILD).status_code == 200
    assert "<textarea" not in client.get(EDIT, {"path": "datalab-meta.yml"}).content.decode()
    assert client.post(EDIT, {"path": "datalab-meta.yml", "text": "x"}).status_code == 403
    client.force_login(make_person("dan", "developer"))
    for address in (FILES, BUILD, f"{EDIT}?path=stars.ipynb", f"{FILES}/content?path=stars.ipynb"):
        assert client.get(address).status_code == 404
    assert client.post(FILES, {"upload": SimpleUploadedFile("x", io.BytesIO(b"x").read())}).status_code == 404


def test_the_build_page_builds_again(version: DatalabVersion, author: Client) -> None:
    page = author.get(BUILD).content.decode()
    assert "Build 1" in page
    build = Build.objects.get()
    answer = author.post(f"/builds/{build.pk}/again", follow=True)
    assert answer.status_code == 200
    assert "See the plan and build" in author.get(BUILD).content.decode()


@pytest.mark.parametrize("path", ["a" * 5000, "a/" * 3000, "é" * 200, "../secret", "/etc/passwd", "a\0b", "."])
def test_odd_paths_lead_nowhere(version: DatalabVersion, author: Client, path: str) -> None:
    for address in (EDIT, f"{FILES}/content"):
        assert author.get(address, {"path": path}).status_code == 404, address


def test_a_preview_of_a_very_long_text_is_plain(version: DatalabVersion, author: Client) -> None:
    text = "title: x\n" * 50_000
    page = author.post(EDIT, {"path": "datalab-meta.yml", "text": text, "preview": "1"}).content.decode()
    assert '<span class="nt">' not in page


def test_what_an_author_still_changes_is_hers_alone(version: DatalabVersion, author: Client, developer: Person) -> None:
    DatalabVersion.objects.update(state=State.CHANGES_REQUESTED)
    last = Build.objects.get(datalab_version=version)
    secret = packages.Brought("unsent.txt", io.BytesIO(b"not yet"))
    actions.bring_files(by=developer, files=[secret], previous=last.pk)
    moderator = Client()
    moderator.force_login(make_person("mona", "moderator"))
    place = f"{FILES}/content?path=unsent.txt"
    assert "unsent.txt" in author.get(FILES).content.decode() + author.get(BUILD).content.decode()
    assert author.get(place).status_code == 200
    for page in (FILES, BUILD):
        answer = moderator.get(page)
        assert answer.status_code == 200
        assert "unsent.txt" not in answer.content.decode(), page
    assert [moderator.get(one).status_code for one in (place, f"{EDIT}?path=unsent.txt")] == [404, 404]


@pytest.mark.parametrize(
    ("path", "text"),
    [("a.ini", "a: " * 30_000), ("a.py", "\n " * 45_000), ("a.md", "\n " * 45_000), ("a.yml", "`\n" * 45_000)],
)
def test_a_text_that_is_made_to_take_long_does_not(path: str, text: str) -> None:
    began = time.process_time()
    shown = highlighted(path, text + "<b>")
    assert time.process_time() - began < MOST_SECONDS
    assert "<b>" not in shown
