"""Test runs from the editor: what one asks for, launching it, its states for the canvas, and files to choose from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.runs.models import Run
from spacelab.runs.viewing.canvas import canvas_of
from support.people import make_person, signed_in
from support.runs import FILES, STEPS, Coordinator, file_of, make_pipeline

pytestmark = pytest.mark.usefixtures("quiet_runtime")
TEST = "/pipelines/hello/0.1.0/test"
TEXT = "/media/user/words.txt"


@pytest.fixture
def ada(client: Client, scientist: Person) -> Client:
    """Sign the scientist in, who has a file and a draft."""
    client.force_login(scientist)
    file_of(scientist)
    make_pipeline(scientist)
    return client


def start(client: Client, status: int = 201, **sent: object) -> dict[str, Any]:
    """Ask for a test run; return the answer."""
    answer = client.post(TEST, json.dumps({"values": {"inputs.text": TEXT}, **sent}), content_type="application/json")
    assert answer.status_code == status, answer.content
    return dict(answer.json())


def test_a_draft_asks_for_its_inputs_and_runs_with_them(ada: Client) -> None:
    form = ada.get(TEST).json()
    assert [(one["key"], one["way"], one["kind"], one["value"]) for one in form["fields"]] == [
        ("inputs.text", "path", "File", "")
    ]
    assert (form["hindrances"], form["from"]) == ([], "")
    told = start(ada)
    run = Run.objects.get()
    assert (run.is_test, run.job["text"]["location"], run.profile) == (True, TEXT, form["profile"])
    assert told["events"] == f"/runs/{run.pk}/canvas"
    assert (told["run"]["state"], told["run"]["steps"]) == ("queued", {})
    assert ada.get(TEST).json()["fields"][0]["value"] == TEXT


def test_somebody_who_never_launched_anything_tests_with_her_workspace(client: Client, scientist: Person) -> None:
    client.force_login(scientist)
    folder = {**FILES, "main.cwl": FILES["main.cwl"].replace("text: File", "text: File\n  folder: Directory")}
    make_pipeline(scientist, files=folder)
    told = start(client, 422, values={"inputs.folder": "/media/user"})
    assert list(told["fields"]) == ["inputs.text"]


def test_one_step_runs_alone_with_what_it_had_in_the_last_run(ada: Client) -> None:
    first = Coordinator(Run.objects.get(pk=start(ada)["run"]["id"]))
    first.begin()
    first.start("count", inputs={"text": {"class": "File", "location": TEXT}, "gone": 1})
    first.followed()
    assert ada.get(f"{TEST}?step=count").json()["fields"][0]["value"] == TEXT
    alone = Coordinator(Run.objects.get(pk=start(ada, step="count")["run"]["id"]))
    alone.begin()
    alone.start("main")
    run = alone.followed()
    assert (run.only_step, {name: one["state"] for name, one in canvas_of(run)["steps"].items()}) == (
        "count",
        {"count": "running"},
    )
    alone.end("main", "failed", reason="It broke.")
    assert (canvas_of(alone.followed())["failure"] or {})["step"] == "count"
    assert ada.get(f"{TEST}?step=absent").status_code == 404


def test_what_is_wrong_stands_at_its_field(ada: Client) -> None:
    told = start(ada, 422, values={"inputs.text": "/media/user/absent.txt"})
    assert "absent.txt" in told["fields"]["inputs.text"]
    assert "inputs.text" in start(ada, 422, values={})["fields"]
    for sent in ({"values": [1]}, {"step": 3}):
        start(ada, 422, **sent)
    start(ada, 422, values={"inputs.text": "x" * 200_000})
    assert ada.post(TEST, b"[" * 3_000, content_type="application/json").status_code == 422
    assert ada.post(TEST, b" " * (2**20 + 1), content_type="application/json").status_code == 413
    assert not Run.objects.exists()


def test_a_draft_that_is_not_valid_says_why_it_cannot_run(ada: Client, scientist: Person) -> None:
    make_pipeline(scientist, "broken", {**FILES, "main.cwl": FILES["main.cwl"].replace("count/out", "count/none")})
    answer = ada.get("/pipelines/broken/0.1.0/test")
    assert (answer.status_code, answer.json()["advice"]) == (409, "Mend its document first.")


def test_states_stand_at_each_step_and_the_failure_has_its_last_words(ada: Client) -> None:
    told = Coordinator(Run.objects.get(pk=start(ada)["run"]["id"]))
    told.begin([*STEPS, {**STEPS[0], "id": "both"}, {**STEPS[0], "id": "both/inner"}, {**STEPS[0], "id": "later"}])
    told.say("scatter", step="both/inner", count=3)
    told.start("both/inner.0")
    told.end("both/inner.0")
    shown = canvas_of(told.followed())["steps"]
    assert {name: one["state"] for name, one in shown.items()} == {
        "count": "waiting",
        "both": "running",
        "both/inner": "running",
        "later": "waiting",
    }
    assert shown["both/inner"]["words"] == "1 of 3"
    told.start("count")
    told.print("count", "first\n<script>alert(1)</script>\nlast\n")
    told.end("count", "failed", reason="It ended with exit code 1.")
    told.finish("failed", reason="A step failed.")
    found = canvas_of(told.followed())
    assert found["final"]
    assert found["steps"]["later"]["state"] == "not run"
    assert (found["failure"]["step"], found["failure"]["exit_code"]) == ("count", 1)
    assert found["failure"]["lines"].endswith("</script>\nlast")


def test_files_are_listed_folder_by_folder(ada: Client) -> None:
    places = ada.get("/runs/browse").json()["places"]
    assert "/media/user" in [one["path"] for one in places]
    assert TEXT in [one["path"] for one in ada.get("/runs/browse?path=/media/user").json()["entries"]]
    assert ada.get("/runs/browse?path=/etc").json()["trouble"]


def test_only_who_may_launch_it_tests_it_and_only_who_sees_the_run_follows_it(ada: Client) -> None:
    run = start(ada)["run"]["id"]
    eve = signed_in(make_person("eve", "moderator"))
    assert eve.get(TEST).status_code == 404
    start(eve, 404)
    assert eve.get(f"/runs/{run}/canvas").status_code == 404
    visitor = Client()
    assert visitor.get(TEST).status_code == 401
    assert visitor.get("/runs/browse").status_code == 401
