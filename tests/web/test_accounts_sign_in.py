"""Signing in and out, the throttle, passwords and links, the demo's buttons."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from spacelab.accounts import actions
from spacelab.accounts.models import Person
from support.people import PASSWORD, make_person

pytestmark = pytest.mark.django_db
NEW = "a different long passphrase"


@pytest.fixture
def client() -> Client:
    return Client(SERVER_NAME="localhost")


def sign_in(client: Client, username: str = "ada", password: str = PASSWORD, **extra: Any) -> Any:
    return client.post("/sign-in/", {"username": username, "password": password, **extra})


def signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_in_and_out(client: Client, scientist: Person) -> None:
    assert sign_in(client, next="/teams/")["Location"] == "/teams/"
    assert signed_in(client)
    client.post("/sign-out/")
    assert not signed_in(client)


def test_the_real_hasher(client: Client, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert make_person("ada").password.startswith("argon2$argon2id$")
    assert sign_in(client, password="wrong").status_code == 422
    assert sign_in(client).status_code == 302


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example.org/", "//evil.example.org", "/\\evil.example.org", "javascript:alert(1)"]
)
def test_next_stays_here(client: Client, scientist: Person, elsewhere: str) -> None:
    assert "evil" not in sign_in(client, next=elsewhere)["Location"]
    assert "javascript" not in client.get("/sign-in/", {"next": elsewhere})["Location"]


def test_unknown_and_wrong_look_alike_and_wait_alike(client: Client, scientist: Person) -> None:
    def words(answer: Any) -> str:
        return re.sub(r'value="[^"]*"', "", answer.content.decode())

    assert words(sign_in(client, password="no")) == words(sign_in(client, username="nobody", password="no"))
    for name in ("ada", "nobody"):
        last = [sign_in(client, name, "no") for _ in range(9)][-1]
        assert "too many attempts" in last.content.decode()
    sign_in(client)
    assert not signed_in(client)


def test_one_address_trying_many_names_waits(client: Client, scientist: Person) -> None:
    for number in range(40):
        sign_in(client, f"name-{number}", "no")
    assert "too many attempts" in sign_in(client).content.decode()
    claimed = Client(SERVER_NAME="localhost", HTTP_X_FORWARDED_FOR="192.0.2.9")
    assert sign_in(claimed).status_code == 422
    other = Client(SERVER_NAME="localhost", HTTP_X_REAL_IP="192.0.2.9")
    assert sign_in(other).status_code == 302


def test_a_password_link_works_once_and_ends_other_sign_ins(scientist: Person, operator: Person) -> None:
    elsewhere, desk, boss = (Client(SERVER_NAME="localhost") for _ in range(3))
    sign_in(elsewhere)
    boss.force_login(operator)
    shown = boss.post("/people/of/ada/link/").content.decode()
    path = re.search(r"/password-link/[\w-]+/", shown)
    assert path
    assert desk.get(path[0])["Location"] == "/set-password/"
    weak = desk.post("/set-password/", {"password": "short"})
    assert "too short" in weak.content.decode()
    assert desk.post("/set-password/", {"password": NEW}).status_code == 302
    assert signed_in(desk)
    assert not signed_in(elsewhere)
    again = Client(SERVER_NAME="localhost")
    again.get(path[0])
    assert again.get("/set-password/").status_code == 404


def test_changing_the_password_keeps_this_browser_only(scientist: Person) -> None:
    here, elsewhere = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    sign_in(here)
    sign_in(elsewhere)
    wrong = here.post("/account/password/", {"current": "no", "password": NEW})
    assert "not your present password" in wrong.content.decode()
    here.post("/account/password/", {"current": PASSWORD, "password": NEW})
    assert signed_in(here)
    assert not signed_in(elsewhere)


def test_deactivation_ends_sign_ins_for_good(client: Client, scientist: Person, operator: Person) -> None:
    sign_in(client)
    actions.deactivate_person(by=operator, person=scientist)
    assert not signed_in(client)
    assert sign_in(client).status_code == 422
    sleeping = Client(SERVER_NAME="localhost")
    actions.reactivate_person(by=operator, person=scientist)
    sign_in(sleeping)
    actions.deactivate_person(by=operator, person=scientist)
    actions.reactivate_person(by=operator, person=scientist)
    assert not signed_in(sleeping)


@pytest.fixture
def demo(db: None) -> None:
    actions.install_roles()
    actions.install_demo_people()


def test_demo_buttons_on_this_machine(client: Client, demo: None) -> None:
    assert "Dana (demo scientist)" in client.get("/sign-in/").content.decode()
    assert client.post("/sign-in/demo/", {"username": "demo-operator"}).status_code == 302
    assert signed_in(client)


def test_the_demo_button_needs_the_csrf_token(demo: None) -> None:
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    assert client.post("/sign-in/demo/", {"username": "demo-operator"}).status_code == 403


FROM_ELSEWHERE = [
    {"REMOTE_ADDR": "192.0.2.7"},
    {"REMOTE_ADDR": "10.0.0.2"},
    {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
    {"HTTP_X_FORWARDED_FOR": "192.0.2.7, 127.0.0.1"},
    {"HTTP_X_FORWARDED_FOR": "nonsense"},
    {"HTTP_X_REAL_IP": "192.0.2.7"},
    {"HTTP_X_FORWARDED_HOST": "spacelab.example.org"},
    {"HTTP_FORWARDED": "for=192.0.2.7"},
    {"HTTP_HOST": "spacelab.example.org"},
    {"HTTP_HOST": "192.0.2.1:8080"},
    {"REMOTE_ADDR": ""},
]


@pytest.mark.parametrize("hop", FROM_ELSEWHERE)
def test_no_demo_from_elsewhere(client: Client, demo: None, settings: Any, hop: dict[str, Any]) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert "(demo" not in client.get("/sign-in/", **hop).content.decode()
    assert client.post("/sign-in/demo/", {"username": "demo-operator"}, **hop).status_code == 404
    assert not signed_in(client)


def test_no_demo_where_it_is_off(client: Client, demo: None, settings: Any) -> None:
    client.post("/sign-in/demo/", {"username": "demo-operator"})
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"demo": False})
    assert not signed_in(client)
    assert "(demo" not in client.get("/sign-in/").content.decode()
    assert client.post("/sign-in/demo/", {"username": "demo-operator"}).status_code == 404


def test_the_demo_button_is_for_demo_people_only(client: Client, demo: None, scientist: Person) -> None:
    assert client.post("/sign-in/demo/", {"username": "ada"}).status_code == 404


def test_the_commands_of_an_operator_at_the_terminal(client: Client) -> None:
    said = StringIO()
    call_command("person", "add", "vera", email="vera@example.org", roles=["operator"], stdout=said)
    call_command("password_link", "vera", stdout=said)
    path = re.search(r"/password-link/[\w-]+/", said.getvalue())
    assert path
    client.get(path[0])
    client.post("/set-password/", {"password": NEW})
    assert client.get("/people/").status_code == 200
    with pytest.raises(CommandError, match="taken"):
        call_command("person", "add", "vera", email="v@example.org", roles=["operator"])
    with pytest.raises(CommandError, match="Nobody"):
        call_command("password_link", "nobody")
