"""The API of accounts: signing in for a token, oneself, one's tokens and teams."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from spacelab.accounts import actions, queries
from spacelab.accounts.models import ApiToken, Invitation, Person, Team
from spacelab.accounts.queries import signed_in
from spacelab.accounts.rules import Scope
from spacelab.kit.loopback import client_address, is_local_request
from spacelab.kit.refusals import NotFound

API_SIGN_IN_DAYS = 1
"""How long a token lasts that a program got with a password, unless it asks for another lifetime."""

router = Router(tags=["accounts"])


class PasswordIn(Schema):
    """A name and password to trade for a token."""

    username: str
    password: str
    name: str = "API sign-in"
    lifetime_days: int = API_SIGN_IN_DAYS
    scopes: list[str] = [str(scope) for scope in Scope]


class DemoIn(Schema):
    """Which demo person to be."""

    username: str


class TokenMade(Schema):
    """A token, shown this one time."""

    id: int
    token: str
    prefix: str
    scopes: list[str]
    expires_at: datetime


class TokenOut(Schema):
    """What is known of a token later."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class TeamOut(Schema):
    """A team that one belongs to."""

    slug: str
    name: str
    is_owner: bool


class Me(Schema):
    """Who is asking, and what she may do."""

    username: str
    display_name: str
    email: str
    affiliation: str
    roles: list[str]
    permissions: list[str]
    teams: list[TeamOut]


class TeamIn(Schema):
    """A team to make; without a slug one is made of the name."""

    name: str
    slug: str = ""


class InviteIn(Schema):
    """Whom to invite."""

    username: str


class InvitationOut(Schema):
    """An invitation that waits for an answer."""

    id: int
    team: str
    team_name: str
    invited_by: str


class Done(Schema):
    """What was asked for is done."""

    message: str


def person_of(request: HttpRequest) -> Person:
    """Return who is asking; raise `NotSignedIn` for a visitor."""
    return signed_in(request.user)


def _made(row: ApiToken, secret: str) -> dict[str, Any]:
    return {
        "id": row.pk,
        "token": secret,
        "prefix": row.prefix,
        "scopes": row.scopes,
        "expires_at": row.expires_at,
    }


def _teams(person: Person) -> list[dict[str, Any]]:
    rows = person.memberships.select_related("team").order_by("team__name")
    return [{"slug": row.team.slug, "name": row.team.name, "is_owner": row.is_owner} for row in rows]


def _team(person: Person, slug: str) -> Team:
    team = queries.team_for(person, slug)
    if team is None:
        raise NotFound("There is no such team, or you are not in it.")
    return team


@router.post("/tokens", response={201: TokenMade}, auth=None, summary="Trade a name and password for a token")
def sign_in(request: HttpRequest, body: PasswordIn) -> Status[dict[str, Any]]:
    """Throttled like the sign-in page. The token is shown once."""
    person = actions.verify_password(username=body.username, password=body.password, address=client_address(request))
    made = actions.create_token(by=person, name=body.name, lifetime_days=body.lifetime_days, scopes=body.scopes)
    return Status(201, _made(*made))


@router.post("/demo-tokens", response={201: TokenMade}, auth=None, summary="A demo person's token")
def demo_sign_in(request: HttpRequest, body: DemoIn) -> Status[dict[str, Any]]:
    """Only where the demo is on, and only from the same machine."""
    person = actions.sign_in_as_demo(username=body.username, is_local=is_local_request(request))
    made = actions.create_token(by=person, name="Demo sign-in", lifetime_days=API_SIGN_IN_DAYS, scopes=list(Scope))
    return Status(201, _made(*made))


@router.get("/me", response=Me, summary="Who is asking")
def me(request: HttpRequest) -> dict[str, Any]:
    """Show the person, her roles, what they allow, her teams."""
    person = person_of(request)
    return {
        "username": person.username,
        "display_name": person.display_name,
        "email": person.email,
        "affiliation": person.affiliation,
        "roles": sorted(person.roles.values_list("name", flat=True)),
        "permissions": sorted(queries.permissions_of(person)),
        "teams": _teams(person),
    }


@router.get("/tokens", response=list[TokenOut], summary="One's own tokens")
def tokens(request: HttpRequest) -> list[ApiToken]:
    """Newest first, without those of workloads."""
    return list(queries.personal_tokens(person_of(request)))


@router.delete("/tokens/{token_id}", response={204: None}, summary="Revoke a token")
def revoke(request: HttpRequest, token_id: int) -> Status[None]:
    """End the token at once."""
    actions.revoke_token(by=person_of(request), token_id=token_id)
    return Status(204, None)


@router.get("/teams", response=list[TeamOut], summary="One's own teams")
def teams(request: HttpRequest) -> list[dict[str, Any]]:
    """By name."""
    return _teams(person_of(request))


@router.post("/teams", response={201: TeamOut}, summary="Make a team")
def create_team(request: HttpRequest, body: TeamIn) -> Status[dict[str, Any]]:
    """Whoever makes a team owns it."""
    team = actions.create_team(by=person_of(request), name=body.name, slug=body.slug)
    return Status(201, {"slug": team.slug, "name": team.name, "is_owner": True})


@router.post("/teams/{slug}/invitations", response={202: Done}, summary="Invite somebody into a team")
def invite(request: HttpRequest, slug: str, body: InviteIn) -> Status[dict[str, str]]:
    """Invite by username; the answer is the same whether or not anybody has it."""
    person = person_of(request)
    actions.invite(by=person, team=_team(person, slug), username=body.username)
    return Status(202, {"message": "If somebody has this username, the invitation waits for an answer."})


def _shown(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.pk,
        "team": invitation.team.slug,
        "team_name": invitation.team.name,
        "invited_by": invitation.invited_by.display_name,
    }


@router.get("/invitations", response=list[InvitationOut], summary="Invitations that wait for one's answer")
def invitations(request: HttpRequest) -> list[dict[str, Any]]:
    """List the oldest first."""
    return [_shown(one) for one in queries.invitations_of(person_of(request))]


@router.post("/invitations/{invitation_id}/accept", response=TeamOut, summary="Join the team")
def accept(request: HttpRequest, invitation_id: int) -> dict[str, Any]:
    """From now on the team's area is there in new sessions."""
    team = actions.accept_invitation(by=person_of(request), invitation_id=invitation_id)
    return {"slug": team.slug, "name": team.name, "is_owner": False}


@router.post("/invitations/{invitation_id}/decline", response={204: None}, summary="Say no to an invitation")
def decline(request: HttpRequest, invitation_id: int) -> Status[None]:
    """Decline; the invitation is gone."""
    actions.decline_invitation(by=person_of(request), invitation_id=invitation_id)
    return Status(204, None)
