"""Runs by the API: what is answered to their owner, to others, and to tokens without the scope."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.accounts.rules import Scope
from spacelab.runs.models import Run
from spacelab.workloads.rules import Profile
from support.people import make_person
from support.runs import COUNT, HELLO, Coordinator, file_of, launch, make_pipeline
from support.sessions import quiet_runtime  # noqa: F401  a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_runtime")]
API = "/api/v1/runs"
JSON = "application/json"


def program(person: Person, *scopes: Scope) -> Client:
    """Give a program a token of the person's with these scopes."""
    _, secret = accounts.create_token(by=person, name="tests", lifetime_days=1, scopes=list(scopes) or [Scope.RUNS])
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_a_pipeline_is_launched_followed_and_removed(scientist: Person) -> None:
    make_pipeline(scientist)
    client = program(scientist)
    wanted = {"pipeline": "hello", "job": {"text": file_of(scientist)}, "title": "By a program"}
    answer = client.post(API, wanted, content_type=JSON)
    run = answer.json()
    assert (answer.status_code, run["state"], run["is_test"]) == (201, "queued", True)
    assert answer["Location"] == f"{API}/{run['id']}"
    told = Coordinator(Run.objects.get(pk=run["id"]))
    told.print("count", "it said this\n")
    told.all_well()
    assert [one["id"] for one in client.get(API, {"state": "succeeded"}).json()] == [run["id"]]
    assert client.get(f"{API}/{run['id']}").json()["steps"][0]["jobs"] == {"succeeded": 1}
    assert client.get(f"{API}/{run['id']}/jobs").json()[0]["job"] == "count"
    assert client.get(f"{API}/{run['id']}/log?job=count&since=3").content == b"said this\n"
    again = client.post(f"{API}/{run['id']}/again", {"title": "Again"}, content_type=JSON).json()
    assert (again["previous"], again["job"]) == (run["id"], run["job"])
    assert client.post(f"{API}/{again['id']}/stop").json()["state"] == "queued"
    assert client.delete(f"{API}/{run['id']}").status_code == 204
    assert client.get(f"{API}/{run['id']}").status_code == 404


@pytest.mark.parametrize(
    ("wanted", "status", "field"),
    [
        ({"pipeline": "hello"}, 422, "inputs.text"),
        ({"pipeline": "hello", "job": {"text": 3}}, 422, "inputs.text"),
        ({"pipeline": "hello", "job": {"text": {"class": "File", "location": "/etc/passwd"}}}, 422, "inputs.text"),
        ({"pipeline": "absent"}, 404, None),
        ({"pipeline": "hello", "step": "absent"}, 404, None),
        ({"pipeline": "hello", "version": "7"}, 404, None),
    ],
    ids=range(6),
)
def test_what_can_t_be_launched_is_refused(scientist: Person, wanted: Any, status: int, field: str | None) -> None:
    make_pipeline(scientist)
    answer = program(scientist).post(API, wanted, content_type=JSON)
    assert (answer.status_code, answer.json().get("field") or None) == (status, field)
    assert not Run.objects.exists()


def test_a_token_needs_the_scope_and_others_see_nothing(scientist: Person) -> None:
    run = launch(scientist)
    reader = program(scientist, Scope.READ, Scope.SESSIONS)
    assert reader.get(f"{API}/{run.pk}").status_code == 200
    assert reader.post(f"{API}/{run.pk}/stop").status_code == 403
    other = program(make_person("eve"))
    for path in ("", "/jobs", "/log", "/events"):
        assert other.get(f"{API}/{run.pk}{path}").status_code == 404
    for verb in ("stop", "pause", "unpause", "resume"):
        assert other.post(f"{API}/{run.pk}/{verb}").status_code == 404
    assert other.delete(f"{API}/{run.pk}").status_code == 404
    assert Client().get(API).status_code == 401


def test_launches_are_saved(scientist: Person) -> None:
    make_pipeline(scientist)
    client = program(scientist)
    saved = client.put(f"{API}/saved/hello/Mine", {"job": {"text": None}, "profile": "medium"}, content_type=JSON)
    assert (saved.status_code, saved.json()["choices"]["profile"]) == (200, "medium")
    assert [one["name"] for one in client.get(f"{API}/saved").json()] == ["Mine"]
    assert client.put(f"{API}/saved/absent/Mine", {}, content_type=JSON).status_code == 404
    assert client.delete(f"{API}/saved/hello/Mine").status_code == 204
    assert client.delete(f"{API}/saved/hello/Mine").status_code == 404


NETWORK = COUNT.replace("class:", "requirements: {NetworkAccess: {networkAccess: true}}\nclass:", 1)


def test_a_step_that_asks_for_the_network_needs_a_profile_that_has_it(
    scientist: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Profile(name="closed", title="Closed", cpu=1, memory_mb=512, network="none")
    monkeypatch.setattr(settings.SPACELAB, "profiles", (*settings.SPACELAB.profiles, closed))
    make_pipeline(scientist, "asks", {"main.cwl": HELLO, "count.cwl": NETWORK})
    wanted = {"pipeline": "asks", "job": {"text": file_of(scientist)}}
    refused = program(scientist).post(API, {**wanted, "profile": "closed"}, content_type=JSON)
    told = "The step count asks for the network (count.cwl, line 2), and the profile “Closed” has none."
    assert (refused.status_code, refused.json()["field"], refused.json()["detail"]) == (422, "profile", told)
    assert program(scientist).post(API, wanted, content_type=JSON).status_code == 201


@pytest.mark.parametrize("number", ["NaN", "-Infinity"])
def test_a_number_that_json_has_not_is_refused(scientist: Person, number: str) -> None:
    make_pipeline(scientist)
    text = json.dumps(file_of(scientist))
    body = f'{{"pipeline": "hello", "job": {{"text": {text}, "more": {number}}}}}'
    refused = program(scientist).post(API, body, content_type=JSON)
    assert (refused.status_code, refused.json()["field"]) == (422, "job")
    assert not Run.objects.exists()
