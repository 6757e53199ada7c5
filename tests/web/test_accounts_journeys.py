"""Journeys through the pages: a request becomes an account, a team fills, a token is used and revoked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from spacelab.accounts import actions
from spacelab.accounts.models import AccessRequest, ApiToken, Invitation, Person, Team
from support.people import make_person

pytestmark = pytest.mark.django_db

WISH = {
    "display_name": "王贞仪",
    "email": "wang@example.org",
    "username": "wang",
    "affiliation": "Nanjing",
    "purpose": "Eclipses.",
}


def as_(person: Person | None = None) -> Client:
    client = Client(SERVER_NAME="localhost")
    if person:
        client.force_login(person)
    return client


def test_a_request_becomes_an_account(operator: Person, django_capture_on_commit_callbacks: Any) -> None:
    actions.install_roles()
    visitor = as_()
    assert visitor.post("/request-access/", WISH)["Location"] == "/request-access/thanks/"
    visitor.post("/request-access/", WISH)
    wish = AccessRequest.objects.get()
    boss = as_(operator)
    assert "王贞仪" in boss.get("/access-requests/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        page = boss.post(
            f"/access-requests/{wish.pk}/", {"decision": "grant", "username": "wang", "roles": ["scientist"]}
        )
    path = re.search(r"/password-link/[\w-]+/", page.content.decode())
    assert path
    assert path[0] not in mail.outbox[0].body
    visitor.get(path[0])
    visitor.post("/set-password/", {"password": "a quite long passphrase"})
    assert "王贞仪" in visitor.get("/account/").content.decode()
    assert (
        "granted already"
        in boss.post(
            f"/access-requests/{wish.pk}/", {"decision": "grant", "username": "wang2", "roles": ["scientist"]}
        ).content.decode()
    )


def test_a_request_is_declined_with_a_reason(operator: Person, django_capture_on_commit_callbacks: Any) -> None:
    as_().post("/request-access/", WISH)
    wish = AccessRequest.objects.get()
    address = f"/access-requests/{wish.pk}/"
    as_(operator).post(address, {"decision": "decline", "reason": ""})
    wish.refresh_from_db()
    assert wish.state == "open"
    with django_capture_on_commit_callbacks(execute=True):
        as_(operator).post(address, {"decision": "decline", "reason": "Not about the sky."})
    assert "Not about the sky." in mail.outbox[0].body
    assert mail.outbox[0].to == ["wang@example.org"]


def test_a_name_of_300_characters_is_refused_beside_its_field() -> None:
    page = as_().post("/request-access/", {**WISH, "display_name": "é" * 300}).content.decode()
    assert "up to 120 characters; this has 300" in page
    assert not AccessRequest.objects.exists()


def test_many_requests_from_one_address_wait() -> None:
    visitor = as_()
    for number in range(6):
        page = visitor.post("/request-access/", {**WISH, "email": f"w{number}@example.org"})
    assert "in an hour" in page.content.decode()
    assert AccessRequest.objects.count() == 5


def test_a_team_fills_and_keeps_an_owner(scientist: Person) -> None:
    berta = make_person("berta")
    ada, bertas = as_(scientist), as_(berta)
    assert ada.post("/teams/", {"name": "Solar Wind"})["Location"] == "/teams/Solar-Wind/"
    assert bertas.get("/teams/Solar-Wind/").status_code == 404
    for name in ("berta", "no-one"):
        page = ada.post("/teams/Solar-Wind/invite/", {"username": name}, follow=True).content.decode()
        assert "If somebody has this username" in page
        assert f'<th scope="row">{name}</th>' in page
    page = bertas.get("/teams/").content.decode()
    assert "invitations to teams" in page
    invitation = Invitation.objects.get(person=berta)
    assert as_(make_person("eve")).post(f"/invitations/{invitation.pk}/accept/").status_code == 404
    bertas.post(f"/invitations/{invitation.pk}/accept/")
    for path, data in (("rename", {"name": "Mine"}), ("remove", {"username": "ada"}), ("invite", {"username": "eve"})):
        assert bertas.post(f"/teams/Solar-Wind/{path}/", data).status_code == 403
    team = Team.objects.get()
    refused = ada.post("/teams/Solar-Wind/leave/", follow=True).content.decode()
    assert "keeps at least one owner" in refused
    ada.post("/teams/Solar-Wind/owner/", {"username": "berta", "is_owner": "yes"})
    ada.post("/teams/Solar-Wind/leave/")
    assert [one.username for one in team.members.all()] == ["berta"]
    bertas.post("/teams/Solar-Wind/rename/", {"name": "Plasma"})
    bertas.post("/teams/Solar-Wind/withdraw/", {"username": "no-one"})
    team.refresh_from_db()
    assert (team.name, team.slug) == ("Plasma", "Solar-Wind")
    assert not team.invitations.exists()


def test_an_invitation_is_declined(scientist: Person) -> None:
    berta = make_person("berta")
    team = actions.create_team(by=scientist, name="Solar Wind")
    actions.invite(by=scientist, team=team, username="berta")
    as_(berta).post(f"/invitations/{Invitation.objects.get().pk}/decline/")
    assert not team.members.filter(pk=berta.pk).exists()
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("slug", ["../up", "a", "a b", "x" * 61, "équipe"])
def test_a_folder_name_that_is_none(scientist: Person, slug: str) -> None:
    page = as_(scientist).post("/teams/", {"name": "T", "slug": slug}).content.decode()
    assert "name a team" in page
    assert not Team.objects.exists()


def test_a_token_is_shown_once_used_and_revoked(scientist: Person) -> None:
    ada = as_(scientist)
    form = {"name": "laptop", "lifetime_days": "7", "scopes": ["read", "account"]}
    secret = re.search(r"slt_[\w-]{30,}", ada.post("/account/tokens/", form).content.decode())
    assert secret
    header = {"Authorization": f"Bearer {secret[0]}"}
    assert as_().get("/api/v1/me", headers=header).status_code == 200
    page = ada.get("/account/tokens/").content.decode()
    assert secret[0] not in page
    assert "never" not in page
    token = ApiToken.objects.get()
    assert as_(make_person("eve")).post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    ada.post(f"/account/tokens/{token.pk}/revoke/")
    assert as_().get("/api/v1/me", headers=header).status_code == 401


@pytest.mark.parametrize(
    "change", [{"lifetime_days": "1000"}, {"scopes": ["everything"]}, {"scopes": []}, {"name": "x" * 101}]
)
def test_a_token_that_is_not_made(scientist: Person, change: dict[str, Any]) -> None:
    form = {"name": "laptop", "lifetime_days": "7", "scopes": ["read"], **change}
    assert as_(scientist).post("/account/tokens/", form).status_code == 200
    assert not ApiToken.objects.exists()


def test_an_operator_adds_searches_and_changes_people(operator: Person) -> None:
    actions.install_roles()
    boss = as_(operator)
    form = {"username": "vera", "display_name": "Vera", "email": "v@example.org", "roles": ["scientist"]}
    assert boss.post("/people/add/", form)["Location"] == "/people/of/vera/"
    assert "is taken" in boss.post("/people/add/", form).content.decode()
    page = boss.get("/people/", {"q": "VER"}).content.decode()
    assert "Vera" in page
    assert "Nobody found" in boss.get("/people/", {"q": "zzz"}).content.decode()
    boss.post("/people/of/vera/", {"roles": ["moderator"]})
    vera = Person.objects.get(username="vera")
    assert [role.name for role in vera.roles.all()] == ["moderator"]
    last = boss.post(f"/people/of/{operator.username}/", {"roles": ["scientist"]}).content.decode()
    assert "Nobody would be left" in last


def test_an_operator_changes_what_a_role_allows(operator: Person) -> None:
    actions.install_roles()
    boss = as_(operator)
    boss.post("/roles/moderator/", {"permissions": ["datalabs.view"]})
    moderator = make_person("mod", "moderator")
    assert as_(moderator).get("/account/tokens/").status_code == 403
    assert (
        "There is no permission"
        in boss.post("/roles/moderator/", {"permissions": ["made.up"]}, follow=True).content.decode()
    )


def test_ones_own_profile(scientist: Person, operator: Person) -> None:
    ada = as_(scientist)
    form = {"display_name": "Ada L.", "email": "OLGA@example.org", "affiliation": ""}
    assert "Another person has this mail address" in ada.post("/account/", form).content.decode()
    ada.post("/account/", {**form, "email": "ada@new.example.org"})
    scientist.refresh_from_db()
    assert (scientist.display_name, scientist.email) == ("Ada L.", "ada@new.example.org")
