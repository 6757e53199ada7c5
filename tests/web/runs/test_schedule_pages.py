"""Pages and the API of schedules, for each role, and what they refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.accounts.rules import Scope
from spacelab.runs.models import Run, SavedLaunch
from spacelab.runs.schedules.models import Schedule
from support.people import make_person, signed_in
from support.runs import file_of, launch, make_pipeline

pytestmark = pytest.mark.usefixtures("quiet_runtime")
NEW = "/pipelines/hello/schedule"
ENTERED = {
    "trigger": "time",
    "cron": "30 6 * * MON-FRI",
    "time_zone": "Europe/Madrid",
    "missed": "once",
    "profile": "small",
    "job_text": "text:\n  class: File\n  location: /media/user/words.txt\n",
}


@pytest.fixture
def ada(client: Client, scientist: Person) -> Client:
    client.force_login(scientist)
    file_of(scientist)
    make_pipeline(scientist)
    return client


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content.decode()[:3000]
    return str(answer.content.decode())


def test_a_schedule_is_made_shown_changed_paused_and_deleted(ada: Client) -> None:
    assert "No schedules yet" in text_of(ada.get("/schedules/"))
    assert "Make the schedule" in text_of(ada.get(NEW))
    made = ada.post(NEW, {**ENTERED, "title": "Mornings"})
    schedule = Schedule.objects.get()
    page = made.headers["Location"]
    assert page == f"/schedules/{schedule.pk}/"
    text = text_of(ada.get(page))
    assert "Mornings" in text
    assert text.count("T06:30") >= 5
    assert "Mornings" in text_of(ada.get("/schedules/"))
    assert 'value="30 6 * * MON-FRI"' in text_of(ada.get(f"{page}change"))
    assert ada.post(f"{page}change", {**ENTERED, "cron": "0 7 * * *"}).status_code == 302
    assert Schedule.objects.get().cron == "0 7 * * *"
    ada.post(f"{page}pause")
    assert "paused" in text_of(ada.get(page))
    ada.post(f"{page}resume")
    assert ada.post(f"{page}run").headers["Location"] == f"/runs/{Run.objects.get().pk}/"
    assert "still at work" in text_of(ada.post(f"{page}run", follow=True))
    assert Run.objects.get().pk in text_of(ada.get(page))
    assert ada.post(f"{page}delete").headers["Location"] == "/schedules/"
    assert not Schedule.objects.exists()
    assert Run.objects.exists()


def test_a_saved_launch_and_a_run_fill_the_form(ada: Client, scientist: Person) -> None:
    run = launch(scientist, profile="medium")
    text = text_of(ada.get(f"{NEW}?run={run.pk}"))
    assert "/media/user/words.txt" in text
    job = {"text": {"class": "File", "location": "/media/user/other.txt"}}
    SavedLaunch.objects.create(person=scientist, pipeline_slug="hello", name="usual", job=job, choices={})
    assert "/media/user/other.txt" in text_of(ada.get(f"{NEW}?saved=usual"))
    assert ada.get(f"{NEW}?run=nothing").status_code == 404


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"cron": "often"}, "has not five fields"),
        ({"time_zone": "Mars"}, "is no time zone"),
        ({"job_text": "text: 3\n"}, "text"),
        ({"job_text": "text: [\n"}, "Line 2"),
        ({"trigger": "files", "folder": "/etc", "input": "text", "one_run_each": "on"}, "is in no volume"),
        ({"trigger": "files", "folder": "/media/user/in", "input": "text"}, "takes no list of files"),
        ({"profile": "huge"}, "huge"),
    ],
    ids=["cron", "zone", "value", "yaml", "folder", "list", "profile"],
)
def test_what_is_wrong_stands_in_the_form(ada: Client, entered: dict[str, str], said: str) -> None:
    text = text_of(ada.post(NEW, {**ENTERED, **entered}), 422)
    assert said in text
    assert not Schedule.objects.exists()


def test_who_may_see_and_do_what(ada: Client, scientist: Person) -> None:
    ada.post(NEW, {**ENTERED, "title": "Mornings"})
    page = f"/schedules/{Schedule.objects.get().pk}/"
    eve, olga, nobody = signed_in(make_person("eve")), signed_in(make_person("olga", "operator")), Client()
    assert eve.get(page).status_code == 404
    assert "Mornings" not in text_of(eve.get("/schedules/?whose=everybody"))
    assert "Mornings" in text_of(olga.get("/schedules/?whose=everybody"))
    assert "Delete" not in text_of(olga.get(page))
    assert nobody.get(page).status_code in {302, 401}
    for verb in ("pause", "resume", "run", "delete"):
        assert eve.post(f"{page}{verb}").status_code == 404
        assert ada.get(f"{page}{verb}").status_code == 405
    for verb in ("resume", "run", "delete"):
        assert olga.post(f"{page}{verb}").status_code == 403
    assert eve.get(f"{page}change").status_code == 404
    assert olga.post(f"{page}pause").status_code == 302
    assert scientist.schedules.get().state == "paused"


def test_the_api_does_the_same(ada: Client, scientist: Person) -> None:
    body = {
        "pipeline": "hello", "trigger": "files", "folder": "/media/user/in", "input": "text", "one_run_each": True,
        "patterns": ["*.txt"], "profile": "small",
    }  # fmt: skip
    row, secret = accounts.create_token(by=scientist, name="runs", lifetime_days=1, scopes=[Scope.RUNS])
    reading = accounts.create_token(by=scientist, name="read", lifetime_days=1, scopes=[Scope.READ])[1]
    api, headers = Client(), {"Authorization": f"Bearer {secret}"}

    def send(method: str, path: str, body: Any = None, **more: Any) -> Any:
        data = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        return getattr(api, method)(f"/api/v1/schedules{path}", headers=more or headers, **data)

    file_of(scientist, "in/old.txt")
    made = send("post", "", body)
    assert made.status_code == 201, made.content
    one = f"/{made.json()['id']}"
    assert made.headers["Location"].endswith(f"/api/v1/schedules{one}")
    assert send("get", "", Authorization=f"Bearer {reading}").json()[0]["folder"] == "/media/user/in"
    assert send("post", "", body, Authorization=f"Bearer {reading}").status_code == 403
    assert send("put", one, {**body, "trigger": "time", "cron": "@daily"}).json()["detail"]
    changed = send("put", one, {**body, "trigger": "time", "cron": "@daily", "job": {"text": file_of(scientist)}})
    assert (changed.json()["cron"], len(changed.json()["next_times"])) == ("0 0 * * *", 5)
    assert send("post", f"{one}/pause").json()["state"] == "paused"
    assert send("post", f"{one}/resume").json()["state"] == "active"
    assert send("get", f"{one}/history").json() == []
    wrong = send("post", "", {**body, "folder": "/etc"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "folder")
    assert send("delete", one).status_code == 204
    assert send("get", one).status_code == 404
    assert row.pk
