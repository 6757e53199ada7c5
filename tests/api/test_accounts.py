"""The API of accounts: tokens, oneself, teams, and who is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from spacelab.accounts import actions, queries
from spacelab.accounts.models import ApiToken, Person
from spacelab.accounts.rules import Scope
from support.people import PASSWORD, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client(SERVER_NAME="localhost")


def bearer(person: Person, *scopes: str) -> dict[str, str]:
    _, secret = actions.create_token(by=person, name="test", lifetime_days=1, scopes=scopes or list(Scope))
    return {"Authorization": f"Bearer {secret}"}


def post(client: Client, path: str, body: dict[str, Any], **extra: Any) -> Any:
    return client.post(f"/api/v1{path}", body, content_type="application/json", **extra)


def test_a_password_becomes_a_token_that_works_until_it_is_revoked(client: Client, scientist: Person) -> None:
    made = post(client, "/tokens", {"username": "ada", "password": PASSWORD})
    assert made.status_code == 201
    header = {"Authorization": f"Bearer {made.json()['token']}"}
    me = client.get("/api/v1/me", headers=header).json()
    assert me["username"] == "ada"
    assert me["roles"] == ["scientist"]
    assert "sessions.launch" in me["permissions"]
    assert made.json()["token"] not in client.get("/api/v1/tokens", headers=header).content.decode()
    assert client.delete(f"/api/v1/tokens/{made.json()['id']}", headers=header).status_code == 204
    refused = client.get("/api/v1/me", headers=header)
    assert refused.status_code == 401
    assert refused["Content-Type"] == "application/problem+json"


def test_unknown_names_and_wrong_passwords_get_one_answer_and_are_throttled(client: Client, scientist: Person) -> None:
    wrong = post(client, "/tokens", {"username": "ada", "password": "no"})
    unknown = post(client, "/tokens", {"username": "nobody", "password": "no"})
    assert wrong.status_code == unknown.status_code == 422
    assert wrong.json() == unknown.json()
    for name in ("ada", "nobody"):
        answers = [post(client, "/tokens", {"username": name, "password": "no"}).status_code for _ in range(9)]
        assert answers[-1] == 429
    assert post(client, "/tokens", {"username": "ada", "password": PASSWORD}).status_code == 429


def test_a_demo_token_on_this_machine(client: Client) -> None:
    actions.install_roles()
    actions.install_demo_people()
    made = post(client, "/demo-tokens", {"username": "demo-scientist"})
    assert made.status_code == 201
    header = {"Authorization": f"Bearer {made.json()['token']}"}
    assert client.get("/api/v1/me", headers=header).json()["username"] == "demo-scientist"


@pytest.mark.parametrize(
    "hop",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7, 127.0.0.1"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1, 192.0.2.7"},
        {"HTTP_X_REAL_IP": "192.0.2.7"},
        {"HTTP_X_FORWARDED_HOST": "spacelab.example.org"},
        {"HTTP_X_SPACELAB_CLAIMED": "192.0.2.7"},
        {"HTTP_X_SPACELAB_CLAIMED": "127.0.0.1, 192.0.2.7 "},
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"HTTP_ORIGIN": "https://elsewhere.example.org"},
        {"REMOTE_ADDR": ""},
    ],
)
def test_no_demo_token_from_elsewhere(client: Client, hop: dict[str, str]) -> None:
    actions.install_roles()
    actions.install_demo_people()
    assert post(client, "/demo-tokens", {"username": "demo-scientist"}, **hop).status_code == 404
    assert not ApiToken.objects.exists()


def test_no_demo_token_for_another_host(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    actions.install_roles()
    actions.install_demo_people()
    answer = post(client, "/demo-tokens", {"username": "demo-scientist"}, HTTP_HOST="spacelab.example.org")
    assert answer.status_code == 404


def test_a_demo_person_ends_with_the_demo(client: Client, settings: Any) -> None:
    actions.install_roles()
    actions.install_demo_people()
    token = post(client, "/demo-tokens", {"username": "demo-scientist"}).json()["token"]
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"demo": False})
    assert post(client, "/demo-tokens", {"username": "demo-scientist"}).status_code == 404
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert queries.permissions_of(Person.objects.get(username="demo-operator")) == frozenset()


@pytest.mark.parametrize("path", ["/me", "/tokens", "/teams", "/invitations"])
def test_visitors_are_refused(client: Client, path: str) -> None:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_token_needs_the_scope(client: Client, scientist: Person) -> None:
    header = bearer(scientist, "read")
    assert client.get("/api/v1/teams", headers=header).status_code == 200
    refused = post(client, "/teams", {"name": "Plasma"}, headers=header)
    assert refused.status_code == 403
    assert "account" in refused.json()["detail"]


def test_a_team_by_invitation(client: Client, scientist: Person) -> None:
    berta = make_person("berta")
    mine, hers = bearer(scientist), bearer(berta)
    made = post(client, "/teams", {"name": "Solar Wind"}, headers=mine)
    assert (made.status_code, made.json()["slug"]) == (201, "Solar-Wind")
    answers = [
        post(client, "/teams/Solar-Wind/invitations", {"username": n}, headers=mine) for n in ("berta", "no-one")
    ]
    assert answers[0].json() == answers[1].json()
    waiting = client.get("/api/v1/invitations", headers=hers).json()
    assert [one["team"] for one in waiting] == ["Solar-Wind"]
    assert post(client, f"/invitations/{waiting[0]['id']}/accept", {}, headers=mine).status_code == 404
    assert post(client, f"/invitations/{waiting[0]['id']}/accept", {}, headers=hers).status_code == 200
    assert client.get("/api/v1/me", headers=hers).json()["teams"][0]["slug"] == "Solar-Wind"
    assert post(client, "/teams/Solar-Wind/invitations", {"username": "someone"}, headers=hers).status_code == 403


def test_a_stranger_sees_no_team(client: Client, scientist: Person) -> None:
    actions.create_team(by=scientist, name="Solar Wind")
    stranger = bearer(make_person("eve"))
    assert post(client, "/teams/Solar-Wind/invitations", {"username": "eve"}, headers=stranger).status_code == 404


def test_a_cookie_needs_the_csrf_token(scientist: Person) -> None:
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    client.force_login(scientist)
    assert client.get("/api/v1/me").status_code == 200
    assert post(client, "/teams", {"name": "Plasma"}).status_code == 403


def test_a_malformed_body_names_the_field(client: Client) -> None:
    answer = post(client, "/tokens", {"username": "ada"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "password"


def test_deactivation_ends_tokens_for_good(client: Client, scientist: Person, operator: Person) -> None:
    header = bearer(scientist)
    actions.deactivate_person(by=operator, person=scientist)
    assert client.get("/api/v1/me", headers=header).status_code == 401
    actions.reactivate_person(by=operator, person=scientist)
    assert client.get("/api/v1/me", headers=header).status_code == 401


def test_the_reference_lists_every_operation(client: Client) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    for path in client.get("/api/v1/openapi.json").json()["paths"]:
        assert path in page.content.decode()
