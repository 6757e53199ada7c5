"""Making teams, inviting people into them, leaving and removing."""

from __future__ import annotations

from django.db import transaction

from spacelab.accounts import queries, rules
from spacelab.accounts.actions.allowing import allow
from spacelab.accounts.models import Invitation, Membership, Person, Team
from spacelab.accounts.permissions import AccountPermission
from spacelab.audit.actions import record
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, NotFound


def _subject(team: Team) -> str:
    return f"team:{team.slug}"


def _require_owner(by: Person, team: Team) -> None:
    """Raise `NotFound` for strangers, `Forbidden` for members; wait for others who change the team."""
    Team.objects.select_for_update().filter(pk=team.pk).first()
    if not queries.is_member(by, team):
        raise NotFound("There is no such team, or you are not in it.")
    if not (queries.may_act(by) and queries.is_owner(by, team)):
        raise Forbidden("Only an owner of the team may do that.", advice="Ask one of its owners.")


def _keep_an_owner(team: Team) -> None:
    if not team.memberships.filter(is_owner=True).exists():
        raise Conflict("A team keeps at least one owner.", advice="Make somebody else an owner first.")


def _membership(team: Team, username: str) -> Membership:
    found = team.memberships.select_related("person").filter(person__username=username.strip().lower()).first()
    if found is None:
        raise NotFound(f"“{username}” is not in this team.")
    return found


@transaction.atomic
def create_team(*, by: Person, name: str, slug: str = "") -> Team:
    """Make a team that `by` owns; without a slug one is made of the name. The slug never changes: paths hold it."""
    allow(by, AccountPermission.CREATE_TEAM)
    tidy = rules.one_line(name, field="name", longest=rules.LONGEST_NAME)
    chosen = rules.team_slug(slug) if slug.strip() else _free_slug(rules.proposed_slug(tidy))
    if Team.objects.filter(slug__iexact=chosen).exists():
        raise Invalid(f"The folder name “{chosen}” is taken.", advice="Choose another one.", field="slug")
    team = Team.objects.create(slug=chosen, name=tidy)
    Membership.objects.create(team=team, person=by, is_owner=True)
    record(by=by, action="accounts.create-team", subject=_subject(team), name=tidy)
    return team


def _free_slug(slug: str) -> str:
    candidate, number = slug, 2
    while Team.objects.filter(slug__iexact=candidate).exists():
        candidate, number = f"{slug}-{number}", number + 1
    return candidate


@transaction.atomic
def rename_team(*, by: Person, team: Team, name: str) -> None:
    """Give a team another name; its folder keeps its own."""
    _require_owner(by, team)
    had, team.name = team.name, rules.one_line(name, field="name", longest=rules.LONGEST_NAME)
    team.save(update_fields=["name"])
    record(by=by, action="accounts.rename-team", subject=_subject(team), before=had, after=team.name)


@transaction.atomic
def invite(*, by: Person, team: Team, username: str) -> None:
    """Invite whoever has the username. The answer is the same whether anybody has it, or is invited already."""
    _require_owner(by, team)
    name = rules.username(username)
    if team.memberships.filter(person__username=name).exists():
        raise Conflict(f"“{name}” is in this team already.")
    person = queries.acting_people().filter(username=name).first()
    _, made = Invitation.objects.get_or_create(team=team, username=name, defaults={"person": person, "invited_by": by})
    if made:
        record(by=by, action="accounts.invite", subject=_subject(team), username=name)


@transaction.atomic
def withdraw_invitation(*, by: Person, team: Team, username: str) -> None:
    """Take an invitation back before it is answered."""
    _require_owner(by, team)
    gone, _ = team.invitations.filter(username=username).delete()
    if not gone:
        raise NotFound("There is no such invitation any more.")
    record(by=by, action="accounts.withdraw-invitation", subject=_subject(team), username=username)


def _own_invitation(by: Person, invitation_id: int) -> Invitation:
    if not queries.may_act(by):
        raise Forbidden("This account is deactivated.")
    found = queries.invitations_of(by).filter(pk=invitation_id).first()
    if found is None:
        raise NotFound("This invitation was withdrawn or answered.")
    return found


@transaction.atomic
def accept_invitation(*, by: Person, invitation_id: int) -> Team:
    """Join the team that invited `by`."""
    invitation = _own_invitation(by, invitation_id)
    Membership.objects.get_or_create(team=invitation.team, person=by)
    invitation.delete()
    record(by=by, action="accounts.accept-invitation", subject=_subject(invitation.team))
    return invitation.team


@transaction.atomic
def decline_invitation(*, by: Person, invitation_id: int) -> None:
    """Say no to a team's invitation."""
    invitation = _own_invitation(by, invitation_id)
    invitation.delete()
    record(by=by, action="accounts.decline-invitation", subject=_subject(invitation.team))


@transaction.atomic
def leave_team(*, by: Person, team: Team) -> None:
    """Leave a team; its last owner can't."""
    Team.objects.select_for_update().filter(pk=team.pk).first()
    gone, _ = team.memberships.filter(person=by).delete()
    if not gone:
        raise NotFound("There is no such team, or you are not in it.")
    _keep_an_owner(team)
    record(by=by, action="accounts.leave-team", subject=_subject(team))


@transaction.atomic
def remove_member(*, by: Person, team: Team, username: str) -> None:
    """Take a member out of a team."""
    _require_owner(by, team)
    membership = _membership(team, username)
    membership.delete()
    _keep_an_owner(team)
    record(by=by, action="accounts.remove-member", subject=_subject(team), username=membership.person.username)


@transaction.atomic
def set_owner(*, by: Person, team: Team, username: str, is_owner: bool) -> None:
    """Make a member an owner as well, or an owner a plain member."""
    _require_owner(by, team)
    membership = _membership(team, username)
    membership.is_owner = is_owner
    membership.save(update_fields=["is_owner"])
    _keep_an_owner(team)
    name = membership.person.username
    record(by=by, action="accounts.set-owner", subject=_subject(team), username=name, is_owner=is_owner)
