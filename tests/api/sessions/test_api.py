"""Sessions over the API: the whole life by token, each refusal as a problem document, and nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from spacelab.accounts.actions import create_token
from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab
from spacelab.sessions.models import Session
from spacelab.volumes.models import Volume
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Desired, Phase
from support.people import make_person
from support.sessions import QuietRuntime, launch, move

SESSIONS = "/api/v1/sessions"
JSON = "application/json"


def bearer(person: Person, *scopes: str) -> dict[str, str]:
    """Make a token and return the header that carries it."""
    _, secret = create_token(by=person, name="tests", scopes=scopes or ("sessions",), lifetime_days=1)
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def token(scientist: Person) -> dict[str, str]:
    """Make the scientist's token."""
    return bearer(scientist)


def test_a_session_s_life(
    client: Client, token: dict[str, str], jupyterlab: Datalab, archive: Volume, quiet_runtime: type[QuietRuntime]
) -> None:
    wanted = {"datalab": "jupyterlab", "profile": "small", "volumes": ["euclid"], "teams": [], "title": "銀河"}
    made = client.post(SESSIONS, wanted, JSON, headers=token)
    assert made.status_code == 201, made.content
    body = made.json()
    assert made.headers["Location"] == f"{SESSIONS}/{body['id']}"
    assert body["phases"][0]["phase"] == "queued"
    assert body["phases"][0]["reason"]
    assert f"//{body['id']}.localhost" in body["url"]
    move(Session.objects.get(), Phase.STARTING, Phase.RUNNING, reason="It answers.")
    seen = client.get(made.headers["Location"], headers=token).json()
    assert [one["phase"] for one in seen["phases"]] == ["queued", "starting", "running"]
    assert seen["ends_at"]
    kept = client.post(f"{SESSIONS}/{body['id']}/extend", {"hours": 24}, JSON, headers=token)
    assert kept.json()["keep_until"]
    quiet_runtime.printed[body["id"]] = b"0123456789"
    log = client.get(f"{SESSIONS}/{body['id']}/log?since=4", headers=token)
    assert (log.content, log.headers["X-Next-Since"]) == (b"456789", "10")
    assert [one["id"] for one in client.get(SESSIONS, headers=token).json()] == [body["id"]]
    stopped = client.delete(f"{SESSIONS}/{body['id']}", headers=token)
    assert (stopped.status_code, stopped.json()["state"]) == (202, "stopping")
    assert Workload.objects.get().desired == Desired.STOP
    move(Session.objects.get(), Phase.STOPPED)
    assert client.get(SESSIONS, headers=token).json() == []
    assert len(client.get(f"{SESSIONS}?ended=true", headers=token).json()) == 1


def test_profiles_and_quota(client: Client, token: dict[str, str], scientist: Person, jupyterlab: Datalab) -> None:
    names = [one["name"] for one in client.get(f"{SESSIONS}/profiles", headers=token).json()]
    assert names == ["small", "medium", "large"]
    launch(scientist, profile="medium")
    quota = client.get(f"{SESSIONS}/quota", headers=token).json()
    assert quota["used"] == {"sessions": 1, "cpu": 2, "memory_mb": 4096}
    assert quota["total"]["sessions"] == 4


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"volumes": ["nowhere"]}, 422, "volumes"),
        ({"teams": ["others"]}, 422, "teams"),
        ({"profile": "enormous"}, 422, "profile"),
        ({"version": "9"}, 422, "version"),
        ({"title": "x" * 300}, 422, "title"),
        ({"volumes": "euclid"}, 422, "volumes"),
        ({"datalab": "nothing"}, 404, ""),
    ],
)
@pytest.mark.usefixtures("jupyterlab")
def test_refusals_are_problem_documents(
    client: Client, token: dict[str, str], change: dict[str, Any], status: int, field: str
) -> None:
    wanted = {"datalab": "jupyterlab", "profile": "small", "volumes": [], **change}
    answer = client.post(SESSIONS, wanted, JSON, headers=token)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert field in answer.json()["field"]
    assert answer.json()["detail"]
    assert not Workload.objects.exists()


def test_over_quota(client: Client, token: dict[str, str], scientist: Person, jupyterlab: Datalab) -> None:
    launch(scientist, profile="large")
    launch(scientist, profile="large")
    answer = client.post(SESSIONS, {"datalab": "jupyterlab", "profile": "small"}, JSON, headers=token)
    assert (answer.status_code, answer.json()["field"]) == (409, "profile")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("delete", ""),
        ("get", "/log"),
        ("get", "/events"),
        ("post", "/extend"),
        ("post", "/restart"),
    ],
)
def test_nobody_else_s_session_is_there(
    client: Client, scientist: Person, jupyterlab: Datalab, method: str, path: str
) -> None:
    session = launch(scientist)
    eve = bearer(make_person("eve"))
    call = getattr(client, method)
    arguments: dict[str, Any] = {"data": {"hours": 4}, "content_type": JSON} if method == "post" else {}
    assert call(f"{SESSIONS}/{session.id}{path}", headers=eve, **arguments).status_code == 404
    assert call(f"{SESSIONS}/{session.id}{path}", **arguments).status_code == 401
    assert Workload.objects.get().desired == Desired.RUN


def test_a_token_without_the_scope_can_only_read(client: Client, scientist: Person, jupyterlab: Datalab) -> None:
    session = launch(scientist)
    reader = bearer(scientist, "read")
    assert client.get(f"{SESSIONS}/{session.id}", headers=reader).status_code == 200
    assert client.delete(f"{SESSIONS}/{session.id}", headers=reader).status_code == 403
    assert client.post(SESSIONS, {"datalab": "jupyterlab"}, JSON, headers=reader).status_code == 403


def test_an_operator_may_stop_any(client: Client, scientist: Person, operator: Person, jupyterlab: Datalab) -> None:
    session = launch(scientist)
    assert client.delete(f"{SESSIONS}/{session.id}", headers=bearer(operator)).status_code == 202
    assert json.loads(client.get(f"{SESSIONS}/{session.id}", headers=bearer(operator)).content)["state"] == "stopping"
