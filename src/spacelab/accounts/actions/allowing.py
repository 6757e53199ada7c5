"""Whether an actor may do what an action does: a person needs a role for it, a program of the platform does not."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from spacelab.accounts import queries
from spacelab.accounts.models import Person, Role
from spacelab.accounts.permissions import AccountPermission
from spacelab.audit.actions import Actor, System
from spacelab.kit.refusals import Conflict


def allow(by: Actor, permission: str) -> None:
    """Raise `NotSignedIn` or `Forbidden` unless `by` may use `permission`."""
    if isinstance(by, System):
        return
    queries.require(by if isinstance(by, Person) else AnonymousUser(), permission)


def managers_left() -> int:
    """Count the people who may manage people and can sign in."""
    names = [row.name for row in Role.objects.all() if AccountPermission.MANAGE_PEOPLE in row.permissions]
    return queries.acting_people().filter(roles__in=names).distinct().count()


def keep_a_manager(before: int) -> None:
    """Raise `Conflict` when the change just made took the last person who may manage people."""
    if before and not managers_left():
        raise Conflict(
            "Nobody would be left who may manage people.",
            advice="Give somebody else the role of operator first.",
        )


def lock_roles() -> int:
    """Let changes of who may manage people happen one after the other; return how many may now."""
    list(Role.objects.select_for_update())
    return managers_left()
