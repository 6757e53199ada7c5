"""Each page of accounts, for each role and for visitors."""

from __future__ import annotations

import pytest
from django.test import Client

from spacelab.accounts import actions
from spacelab.accounts.models import AccessRequest
from support.people import make_person

pytestmark = pytest.mark.django_db

ROLES = ("visitor", "scientist", "developer", "advanced-developer", "moderator", "operator")
PUBLIC = ("/sign-in/", "/request-access/", "/request-access/thanks/")
OWN = ("/account/", "/account/password/", "/account/tokens/", "/teams/", "/roles/")
OPERATORS = (
    "/people/",
    "/people/add/",
    "/people/of/somebody/",
    "/access-requests/",
    "/access-requests/?state=declined",
    "/audit/",
    "/audit/?actor=person:somebody",
)


def client_for(role: str) -> Client:
    client = Client(SERVER_NAME="localhost")
    actions.install_roles()
    make_person("somebody")
    if role != "visitor":
        client.force_login(make_person("me", role))
    return client


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", [*PUBLIC, *OWN, *OPERATORS])
def test_who_sees_a_page(role: str, path: str) -> None:
    answer = client_for(role).get(path)
    if path in PUBLIC:
        expected = 302 if path == "/sign-in/" and role != "visitor" else 200
    elif role == "visitor":
        expected = 302
        assert answer["Location"].startswith("/sign-in/?next=")
    else:
        expected = 403 if path in OPERATORS and role != "operator" else 200
    assert answer.status_code == expected


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "path",
    [
        "/people/add/",
        "/people/of/somebody/",
        "/people/of/somebody/deactivate/",
        "/people/of/somebody/reactivate/",
        "/people/of/somebody/link/",
        "/roles/scientist/",
    ],
)
def test_only_operators_change_people(role: str, path: str) -> None:
    answer = client_for(role).post(path)
    if role == "visitor":
        assert answer["Location"].startswith("/sign-in/")
    else:
        assert answer.status_code == (403 if role != "operator" else answer.status_code)
        assert (answer.status_code in {200, 302}) == (role == "operator")


@pytest.mark.parametrize("role", ["visitor", "scientist", "moderator", "operator"])
def test_only_operators_decide_requests(role: str) -> None:
    client = client_for(role)
    actions.request_access(
        username="new", email="n@example.org", display_name="N", affiliation="", purpose="p", address="192.0.2.1"
    )
    wish = AccessRequest.objects.get()
    client.post(f"/access-requests/{wish.pk}/", {"decision": "decline", "reason": "no"})
    wish.refresh_from_db()
    assert wish.state == ("declined" if role == "operator" else "open")


def test_actions_by_link_need_a_post() -> None:
    client = client_for("operator")
    for path in ("/sign-out/", "/sign-in/demo/", "/people/of/somebody/deactivate/", "/people/of/somebody/link/"):
        assert client.get(path).status_code == 405
