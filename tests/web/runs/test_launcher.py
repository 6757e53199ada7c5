"""The launcher: every kind of input, the job order as text, files chosen from lists, saved launches, and refusals."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

import cwl_graph
from spacelab.accounts.models import Person
from spacelab.runs.models import Run, SavedLaunch
from support.people import make_person, signed_in
from support.runs import FILES, MANY, Coordinator, file_of, launch, make_pipeline, workspace_of
from support.sessions import make_archive, make_team

pytestmark = pytest.mark.usefixtures("quiet_runtime")
LAUNCH = "/pipelines/hello/launch"
ENTERED = {
    "inputs.picture": "/media/user/sky.fits",
    "inputs.tables": "/media/user/a.csv\r\n/media/user/b c.csv\r\n",
    "inputs.exposures": "3",
    "inputs.scale": "1e-3",
    "inputs.words": "  two words ",
    "inputs.flag": "false",
    "inputs.band": "r",
    "inputs.place.ra": "12.5",
    "inputs.place.dec": "-4",
    "inputs.free:yaml": "- [1, 2]\n- [3]",
}
JOB = {
    "picture": {"class": "File", "location": "/media/user/sky.fits"},
    "tables": [{"class": "File", "location": f"/media/user/{name}"} for name in ("a.csv", "b c.csv")],
    "exposures": 3,
    "scale": 0.001,
    "words": "  two words ",
    "flag": False,
    "band": "r",
    "place": {"ra": 12.5, "dec": -4},
    "free": [[1, 2], [3]],
}


@pytest.fixture
def ada(client: Client, scientist: Person) -> Client:
    """Sign the scientist in, who has some files and a pipeline."""
    client.force_login(scientist)
    for name in ("sky.fits", "a.csv", "b c.csv", "folder/x.csv", "plain.bam", "good.bam", "good.bam.idx", ".hidden"):
        file_of(scientist, name)
    make_pipeline(scientist)
    return client


@pytest.fixture
def many(ada: Client, scientist: Person) -> str:
    """Write a pipeline with every kind of input; return the address of its launcher."""
    make_pipeline(scientist, "many", {"main.cwl": MANY})
    return "/pipelines/many/launch"


def text_of(answer: Any, status: int = 200) -> str:
    """Return a page's text."""
    assert answer.status_code == status, answer.content.decode()[:3000]
    return str(answer.content.decode())


def test_a_run_is_launched_from_the_form(ada: Client) -> None:
    text = text_of(ada.get(LAUNCH))
    assert "a test run" in text
    assert 'name="inputs.text"' in text
    answer = ada.post(LAUNCH, {"inputs.text": "/media/user/sky.fits", "profile": "medium", "do": "launch"})
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert run.job == {"text": {"class": "File", "location": "/media/user/sky.fits"}}
    assert (run.profile, run.results, run.is_test) == ("medium", f"results/hello-{run.pk}", True)


def test_each_kind_of_input_has_its_field_and_its_value(ada: Client, many: str) -> None:
    text = text_of(ada.get(many))
    for part in (
        "A picture",
        "Of the sky.",
        "Format: edam:format_3464.",
        "Left empty: 0.5",
        '<option value="r">',
        ".idx",
    ):
        assert part in text
    assert ada.post(many, {**ENTERED, "do": "launch"}).status_code == 302
    assert Run.objects.get().job == JOB


def test_the_form_and_the_text_are_two_views_of_one_thing(ada: Client, many: str) -> None:
    answer = ada.post(many, {**ENTERED, "rest": '{"cwl:note": "kept"}', "do": "yaml"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="many-job.yml"'
    downloaded = answer.content.decode()
    assert cwl_graph.read_job(downloaded) == ({**JOB, "cwl:note": "kept"}, [])
    text = text_of(ada.post(many, {"job_text": downloaded, "do": "as-form"}))
    assert "- [1, 2]\n- [3]" in text
    assert 'value="/media/user/sky.fits"' in text
    assert "&quot;cwl:note&quot;: &quot;kept&quot;" in text
    text = text_of(ada.post(many, {**ENTERED, "do": "as-text"}))
    assert "location: /media/user/sky.fits" in text
    assert ada.post(many, {"job_text": downloaded, "do": "json"}).json() == {**JOB, "cwl:note": "kept"}
    assert ada.post(many, {"job_text": downloaded, "do": "launch"}).status_code == 302
    assert Run.objects.get().job == {**JOB, "cwl:note": "kept"}


def test_a_value_that_no_simple_field_holds_is_written_in_yaml(ada: Client, many: str) -> None:
    job = "picture: {class: File, location: /media/user/sky.fits, checksum: sha1$0}\nplace: {ra: 1, dec: 2, more: 3}\n"
    text = text_of(ada.post(many, {"job_text": job, "do": "as-form"}))
    assert 'name="inputs.picture:yaml"' in text
    assert 'name="inputs.place:yaml"' in text
    assert "checksum: sha1$0" in text


def test_a_job_order_is_brought_as_a_file(ada: Client) -> None:
    file = SimpleUploadedFile("job.yml", b"text: {class: File, location: /media/user/sky.fits}\n")
    assert "/media/user/sky.fits" in text_of(ada.post(LAUNCH, {"job_file": file, "do": "upload"}))
    large = SimpleUploadedFile("job.yml", b"#" * (2**20 + 5))
    assert "larger than 1 MiB" in text_of(ada.post(LAUNCH, {"job_file": large, "do": "upload"}), 422)
    assert "Nothing was launched" in text_of(ada.post(LAUNCH, {"job_text": "a: [", "do": "launch"}), 422)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"inputs.exposures": "many"}, "int is wanted"),
        ({"inputs.picture": ""}, "is missing"),
        ({"inputs.picture": "/media/user/absent.fits"}, "is not there"),
        ({"inputs.picture": "/media/user/folder"}, "is a Directory, not a File"),
        ({"inputs.picture": "/etc/passwd"}, "is not there"),
        ({"inputs.picture": "file:///etc/passwd"}, "is not there"),
        ({"inputs.picture": "/media/user/../../etc/passwd"}, "is not there"),
        ({"inputs.picture": "/data/secret/file"}, "is not there"),
        ({"inputs.picture": "https://example.org/a.fits"}, "nothing is fetched"),
        ({"inputs.band": "z"}, "Choose one of g, r, i."),
        ({"inputs.place.dec": "south"}, "float is wanted"),
        ({"inputs.indexed": "/media/user/plain.bam"}, "plain.bam.idx"),
        ({"results": "../up"}, "be the folder of the outputs"),
        ({"results": "folder"}, "There is something in"),
        ({"profile": "gigantic"}, "There is no resource profile"),
        ({"volumes": ["secret"]}, "that you can use"),
        ({"shown_to": "nobody"}, "You are in no team"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_launched(
    ada: Client, many: str, tmp_path: Any, changed: dict[str, Any], said: str
) -> None:
    make_archive("open", tmp_path)
    make_archive("secret", tmp_path, access="restricted")
    make_team("plasma", Person.objects.get(username="ada"))
    (tmp_path / "secret" / "file").write_text("x")
    text = text_of(ada.post(many, {**ENTERED, **changed, "do": "launch"}), 422)
    assert said in text
    assert 'value="1e-3"' in text or 'value="0.001"' in text
    assert not Run.objects.exists()


def test_the_text_view_says_in_which_line(ada: Client, many: str) -> None:
    job = (
        "exposures: 3\npicture:\n  class: File\n  location: /media/user/absent.fits\nband: r\nplace: {ra: 1, dec: 2}\n"
    )
    text = text_of(ada.post(many, {"job_text": job, "do": "launch"}), 422)
    assert "Line 2:" in text or "Line 3:" in text or "Line 4:" in text
    assert "absent.fits" in text


def test_a_link_out_of_the_workspace_is_not_followed(ada: Client, scientist: Person) -> None:
    (workspace_of(scientist) / "away").symlink_to("/etc")
    answer = ada.post(LAUNCH, {"inputs.text": "/media/user/away/passwd", "do": "launch"})
    assert "is not there" in text_of(answer, 422)
    assert "away" not in text_of(ada.post(LAUNCH, {"browse": "/media/user|inputs.text"}))
    assert "passwd" not in text_of(ada.post(LAUNCH, {"browse": "/media/user/away|inputs.text"}))


def test_files_are_chosen_from_lists_without_a_script(ada: Client, many: str, tmp_path: Any) -> None:
    make_archive("euclid", tmp_path)
    (tmp_path / "euclid" / "deep").mkdir()
    (tmp_path / "euclid" / "deep" / "field.fits").write_text("x")
    text = text_of(ada.post(many, {**ENTERED, "browse": "|inputs.picture"}))
    assert 'value="/data/euclid|inputs.picture"' in text
    assert "Your workspace" in text
    text = text_of(ada.post(many, {**ENTERED, "browse": "/data/euclid/deep|inputs.picture"}))
    assert 'value="/data/euclid/deep/field.fits|inputs.picture"' in text
    text = text_of(ada.post(many, {**ENTERED, "pick": "/data/euclid/deep/field.fits|inputs.picture"}))
    assert 'value="/data/euclid/deep/field.fits"' in text
    assert 'value="  two words "' in text
    text = text_of(ada.post(many, {**ENTERED, "browse": "/media/user|inputs.tables"}))
    assert ".hidden" not in text
    text = text_of(ada.post(many, {**ENTERED, "pick": "/media/user/folder/x.csv|inputs.tables"}))
    assert "/media/user/b c.csv\n/media/user/folder/x.csv" in text
    text = text_of(ada.post(many, {**ENTERED, "browse": "/media/user|inputs.folder"}))
    assert "Choose this folder" in text
    for odd in ("/etc|inputs.picture", "/data/absent|inputs.picture", "../..|x", "nonsense", "/data/euclid/../..|x"):
        assert "root:" not in text_of(ada.post(many, {**ENTERED, "browse": odd}))


def test_a_launch_is_saved_loaded_and_forgotten(ada: Client, many: str, scientist: Person) -> None:
    text = text_of(ada.post(many, {**ENTERED, "do": "save", "name": "Deep & wide", "profile": "medium"}))
    assert "?saved=Deep%20%26%20wide" in text
    assert SavedLaunch.objects.get().job == JOB
    text = text_of(ada.get(f"{many}?saved=Deep%20%26%20wide"))
    assert 'value="/media/user/sky.fits"' in text
    assert 'value="medium" class="" id="id_profile_1" checked' in text or "checked" in text
    other = signed_in(make_person("eve", "developer"))
    assert other.post("/pipelines/many/forget", {"name": "Deep & wide"}).status_code == 404
    assert ada.post("/pipelines/many/forget", {"name": "Deep & wide"}).status_code == 302
    assert not SavedLaunch.objects.exists()
    assert ada.get(f"{many}?saved=Deep").status_code == 404
    assert "1 to 80 characters" in text_of(ada.post(many, {**ENTERED, "do": "save", "name": ""}), 422)


def test_a_pipeline_that_lacks_a_step_says_which_and_is_not_launched(ada: Client, scientist: Person) -> None:
    text = FILES["main.cwl"].replace("count.cwl", "catalogue/absent-step/2.0.cwl")
    make_pipeline(scientist, "broken", {"main.cwl": text})
    answer = ada.get("/pipelines/broken/launch")
    assert "absent-step" in answer.content.decode() or answer.status_code == 409
    answer = ada.post("/pipelines/broken/launch", {"inputs.text": "/media/user/sky.fits", "do": "launch"})
    assert answer.status_code in {409, 422}
    assert not Run.objects.exists()


def test_software_that_nobody_knows_keeps_a_pipeline_from_running(ada: Client, scientist: Person) -> None:
    tool = FILES["count.cwl"] + "requirements:\n  DockerRequirement: {dockerPull: 'nobody/knows:1'}\n"
    make_pipeline(scientist, "docked", {**FILES, "count.cwl": tool})
    text = text_of(ada.get("/pipelines/docked/launch"))
    assert "The software nobody/knows:1 is not available here." in text
    assert "count.cwl, line 10" in text
    answer = ada.post("/pipelines/docked/launch", {"inputs.text": "/media/user/sky.fits", "do": "launch"})
    assert "not available here" in text_of(answer, 409)


def test_a_run_is_repeated_with_changes_and_one_step_alone(ada: Client, scientist: Person) -> None:
    first = launch(scientist, profile="medium")
    told = Coordinator(first)
    told.begin()
    told.start("count", inputs={"text": {"class": "File", "location": "/media/user/words.txt"}})
    told.followed()
    text = text_of(ada.get(f"/runs/{first.pk}/again"))
    assert 'value="/media/user/words.txt"' in text
    answer = ada.post(f"/runs/{first.pk}/again", {"inputs.text": "/media/user/a.csv", "do": "launch"})
    second = Run.objects.exclude(pk=first.pk).get()
    assert answer.headers["Location"] == f"/runs/{second.pk}/"
    assert (second.previous, second.bundle_id) == (first, first.bundle_id)
    text = text_of(ada.get(f"/runs/{first.pk}/again?step=count&job=count"))
    assert "Run step count alone" in text
    assert 'value="/media/user/words.txt"' in text
    ada.post(f"/runs/{first.pk}/again?step=count", {"inputs.text": "/media/user/a.csv", "do": "launch"})
    assert Run.objects.filter(only_step="count").count() == 1
    assert ada.get(f"/runs/{first.pk}/again?step=absent").status_code == 404


def test_others_launch_nothing_that_is_not_for_them(ada: Client) -> None:
    assert signed_in(make_person("eve")).get(LAUNCH).status_code == 404
    assert signed_in(None).get(LAUNCH).status_code in {302, 401}
    assert ada.get("/pipelines/absent/launch").status_code == 404
    assert ada.get(f"{LAUNCH}?version=9").status_code == 404
