"""A pipeline from its author's first draft to the catalogue: by the pages, with each role, and the refusals."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.pipelines import actions
from spacelab.pipelines.models import Pipeline, PipelineVersion
from support.people import make_person, signed_in
from support.pipelines import FILES, USING, WORKFLOW, make_pipeline, make_step

pytestmark = pytest.mark.django_db
TERMS = {
    "title": "My pipeline",
    "abstract": "Says things.",
    "contactPoint.email": "dora@example.org",
    "creator.name": "Dora",
    "distribution.license": "Apache-2.0",
}


@pytest.fixture
def dora() -> Person:
    return make_person("dora", "developer")


def ran(version: PipelineVersion) -> None:
    actions.record_evidence(
        by=actions.SYSTEM,
        version=version,
        content_hash=version.content_hash,
        passed=True,
        summary="Ended well.",
        data={},
    )


def begin(client: Client, **given: object) -> int:
    form = {"slug": "mine-1", "title": "Mine", "version": "0.1.0", "begin": "files", **given}
    return client.post("/pipelines/new", form).status_code


def zip_of(files: dict[str, str]) -> SimpleUploadedFile:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return SimpleUploadedFile("pack.zip", made.getvalue())


def test_from_draft_to_catalogue_by_the_pages(dora: Person) -> None:
    author, moderator = signed_in(dora), signed_in(make_person("mona", "moderator"))
    assert begin(author, upload=zip_of(FILES)) == 302
    version = PipelineVersion.objects.get(version="0.1.0")
    base = "/pipelines/mine-1/0.1.0/author/"
    assert b"Add files" in author.get(f"{base}files").content
    assert author.post(f"{base}metadata", {**TERMS, "keywords": "Example"}).status_code == 302
    page = author.get(f"{base}files").content.decode()
    assert "This build has not passed its launch test." in page or "has not run" in page
    ran(version)
    assert author.post(f"{base}visibility", {"visibility": "everybody"}).status_code == 302
    assert author.post(f"{base}advance", {"transition": "submit"}).status_code == 302
    assert b"My pipeline" in moderator.get("/review/").content
    review = "/pipelines/reviews/mine-1/0.1.0"
    for part in ("", "/files", "/comments"):
        assert moderator.get(f"{review}{part}").status_code == 200
    revision = PipelineVersion.objects.get().revision
    assert moderator.post(review, {"transition": "take", "revision": revision}).status_code == 302
    said = {"text": "Why?", "path": "main.cwl", "line": 2}
    assert moderator.post(f"{review}/comments", said).status_code == 302
    assert b"Why?" in author.get(f"{base}review").content
    points = ["purpose", "metadata", "licence", "files", "dependencies", "launch"]
    moderator.post(f"{review}/checklist", {"points": points})
    revision = PipelineVersion.objects.get().revision
    assert moderator.post(review, {"transition": "approve", "revision": revision}).status_code == 302
    assert author.post(f"{base}advance", {"transition": "publish"}).status_code == 302
    assert b"My pipeline" in Client().get("/pipelines/").content
    assert author.post(f"{base}file", {"path": "new.cwl", "text": "x"}).status_code == 409
    assert b"Approve" in author.get(f"{base}history").content


def test_a_scientist_keeps_drafts_and_is_told_what_publishing_takes() -> None:
    ada = make_person("ada")
    client = signed_in(ada)
    assert begin(client, begin="tool") == 302
    version = PipelineVersion.objects.get()
    ran(version)
    assert b"takes the role of a developer" in client.get("/pipelines/mine-1/0.1.0/author/files").content
    assert client.post("/pipelines/mine-1/0.1.0/author/advance", {"transition": "submit"}).status_code == 409


def test_private_steps_hinder_and_published_ones_do_not(dora: Person) -> None:
    make_step("say", state="built", maintainer=dora)
    version = actions.create(by=dora, slug="own", files={"main.cwl": USING})
    ran(version)
    page = signed_in(dora).get("/pipelines/own/0.1.0/author/files").content.decode()
    assert "Not published: say 1.0." in page
    PipelineVersion.objects.filter(pipeline__slug="say").update(state="published", visibility="everybody")
    assert "Not published" not in signed_in(dora).get("/pipelines/own/0.1.0/author/files").content.decode()


def test_a_change_after_the_test_run_asks_for_another_one(dora: Person) -> None:
    version = actions.create(by=dora, slug="own", files=FILES)
    ran(version)
    assert PipelineVersion.objects.get().state == "testing"
    client = signed_in(dora)
    page = {"path": "main.cwl", "text": WORKFLOW + "# more\r\n", "seen": version.content_hash}
    assert client.post("/pipelines/own/0.1.0/author/file?path=main.cwl", page).status_code == 302
    changed = PipelineVersion.objects.get()
    assert changed.state == "built"
    assert changed.files["main.cwl"] == WORKFLOW + "# more\n"
    assert b"have not run yet" in client.get("/pipelines/own/0.1.0/author/testing").content
    assert client.post("/pipelines/own/0.1.0/author/file?path=main.cwl", page).status_code == 409


@pytest.mark.parametrize("name", ["../up.cwl", "/abs.cwl", "a/../../b.cwl"])
def test_a_zip_that_leads_out_is_refused_and_leaves_nothing(dora: Person, name: str) -> None:
    assert begin(signed_in(dora), upload=zip_of({"main.cwl": WORKFLOW, name: "x"})) == 422
    assert not Pipeline.objects.exists()


def test_what_is_exported_comes_back_byte_for_byte(dora: Person) -> None:
    files = {**FILES, "doc/läs.md": "\ufeffhej\r\n"}
    make_pipeline("greet", files=files)
    client = signed_in(dora)
    for number, (name, extra) in enumerate([("files", set()), ("crate", {"ro-crate-metadata.json"})]):
        sent = client.get(f"/pipelines/greet/1.0/export/{name}")
        assert sent.status_code == 200
        with zipfile.ZipFile(io.BytesIO(sent.content)) as archive:
            assert {one: archive.read(one).decode() for one in files} == files
        again = SimpleUploadedFile("back.zip", sent.content)
        assert begin(client, slug=f"back-{number}", upload=again) == 302
        back = PipelineVersion.objects.get(pipeline__slug=f"back-{number}")
        assert {path: text for path, text in back.files.items() if path not in extra} == files
        assert back.main == "main.cwl"


def test_one_packed_document_holds_the_steps_and_comes_back_valid(dora: Person) -> None:
    make_step("say")
    make_pipeline("greet", files={"main.cwl": USING})
    client = signed_in(dora)
    packed = client.get("/pipelines/greet/1.0/export/packed")
    assert b"$graph" in packed.content
    assert b"baseCommand: echo" in packed.content
    assert begin(client, upload=SimpleUploadedFile("packed.cwl", packed.content)) == 302
    back = PipelineVersion.objects.get(pipeline__slug="mine-1")
    assert (back.state, back.files["packed.cwl"].encode()) == ("built", packed.content)
    assert begin(client, slug="lame", upload=zip_of({"main.cwl": USING.replace("say/1.0", "none/1.0")})) == 302
    assert client.get("/pipelines/lame/0.1.0/export/packed").status_code == 409


def test_a_crate_names_its_workflow_and_brings_its_metadata(dora: Person) -> None:
    crate = """{"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [
      {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"}},
      {"@id": "./", "@type": "Dataset", "name": "Named", "description": "Told.", "mainEntity": {"@id": "b.cwl"},
       "author": {"@id": "#a"}, "license": "https://spdx.org/licenses/MIT"},
      {"@id": "#a", "@type": "Person", "name": "Ann"}]}"""
    files = {"a.cwl": WORKFLOW, "b.cwl": WORKFLOW, "say.cwl": FILES["say.cwl"], "ro-crate-metadata.json": crate}
    assert begin(signed_in(dora), title="", upload=zip_of(files)) == 302
    made = PipelineVersion.objects.get()
    assert made.main == "b.cwl"
    assert made.metadata["abstract"] == "Told."
    assert made.metadata["creator.name"] == ["Ann"]
    assert made.metadata["distribution.license"] == "MIT"


def test_others_neither_see_nor_change_a_draft_and_visitors_are_asked_to_sign_in(dora: Person) -> None:
    actions.create(by=dora, slug="own", files=FILES)
    other = signed_in(make_person("olaf", "advanced-developer"))
    pages = ("files", "file", "metadata", "testing", "visibility", "history")
    for page in pages:
        assert other.get(f"/pipelines/own/0.1.0/author/{page}").status_code == 404
        assert Client().get(f"/pipelines/own/0.1.0/author/{page}").status_code in {302, 401}
    assert other.post("/pipelines/own/0.1.0/author/main", {"main": "say.cwl"}).status_code == 404
    assert Client().get("/pipelines/new").status_code in {302, 401}


def test_people_talk_about_what_is_published_and_moderators_settle_reports(dora: Person) -> None:
    make_pipeline("greet", maintainer=dora)
    ada, moderator = signed_in(make_person("ada")), signed_in(make_person("mona", "moderator"))
    assert ada.post("/pipelines/greet/bookmark", {"wanted": "yes"}).status_code == 302
    assert ada.post("/pipelines/greet/rating", {"stars": 4}).status_code == 302
    assert ada.post("/pipelines/greet/comments/", {"text": "It works."}).status_code == 302
    assert b"It works." in Client().get("/pipelines/greet/").content
    assert b"greet" in ada.get("/pipelines/?whose=bookmarked").content
    assert ada.post("/pipelines/greet/report", {"reason": "broken", "text": "no"}).status_code in {302, 422}
    assert moderator.get("/review/reports/").status_code == 200


def test_a_copy_begins_as_what_was_copied(dora: Person) -> None:
    make_pipeline("greet")
    client = signed_in(dora)
    assert b"Copy Greet 1.0" in client.get("/pipelines/new?from=greet&version=1.0").content
    form = {"slug": "my-greet", "title": "Mine", "version": "0.1", "begin": "copy"}
    assert client.post("/pipelines/new?from=greet", form).status_code == 302
    assert PipelineVersion.objects.get(pipeline__slug="my-greet").files == FILES
