"""Reads about people, roles and teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacelab.accounts.models import Membership, Person, Role, Team
from spacelab.kit.refusals import Forbidden, NotSignedIn

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet


def permissions_of(person: Person | AnonymousUser) -> frozenset[str]:
    """Collect what the person's roles allow; nothing for a visitor or a deactivated account."""
    if not isinstance(person, Person) or not person.is_active:
        return frozenset()
    sets = Role.objects.filter(people=person).values_list("permissions", flat=True)
    return frozenset(permission for permissions in sets for permission in permissions)


def may(person: Person | AnonymousUser, permission: str) -> bool:
    """Say whether one of the person's roles allows `permission`."""
    return str(permission) in permissions_of(person)


def require(person: Person | AnonymousUser, permission: str) -> None:
    """Raise `NotSignedIn` or `Forbidden` unless one of the person's roles allows `permission`."""
    if may(person, permission):
        return
    if not isinstance(person, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in, or request access.")
    raise Forbidden(
        f"None of your roles allows “{permission}”.", advice="Ask an operator for a role that does, if you need it."
    )


def teams_of(person: Person) -> QuerySet[Team]:
    """List the teams that the person is a member of, by name."""
    return Team.objects.filter(memberships__person=person).order_by("name")


def is_member(person: Person, team: Team) -> bool:
    """Say whether the person belongs to the team."""
    return Membership.objects.filter(person=person, team=team).exists()
