"""The roles of a fresh install, the people of the demo, and what operators change of roles."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from spacelab.accounts import queries
from spacelab.accounts.actions.allowing import allow, keep_a_manager, lock_roles
from spacelab.accounts.models import Person, Role
from spacelab.accounts.permissions import AccountPermission
from spacelab.audit.actions import Actor, System, record
from spacelab.kit.refusals import Invalid

PREPARE = System("prepare")

DEMO_PEOPLE = (
    ("demo-scientist", "Dana (demo scientist)", "scientist"),
    ("demo-developer", "Henrietta (demo developer)", "developer"),
    ("demo-advanced", "Edwin (demo advanced developer)", "advanced-developer"),
    ("demo-moderator", "Maria (demo moderator)", "moderator"),
    ("demo-operator", "Tycho (demo operator)", "operator"),
    ("demo-cecilia", "Cecilia (demo scientist)", "scientist"),
    ("demo-johannes", "Johannes (demo scientist)", "scientist"),
)


@transaction.atomic
def install_roles(*, by: Actor = PREPARE) -> None:
    """Add the roles of a fresh install that are missing, and bring the others up to date with this release.

    A role that an operator changed stays as she left it: the page of roles says what differs.
    """
    allow(by, AccountPermission.MANAGE_PEOPLE)
    for name, shipped in settings.ROLES.items():
        role, made = Role.objects.select_for_update().get_or_create(
            name=name, defaults={"permissions": sorted(shipped)}
        )
        if made:
            record(by=by, action="accounts.install-role", subject=f"role:{name}")
        elif not role.is_changed and set(role.permissions) != set(shipped):
            had, role.permissions = role.permissions, sorted(shipped)
            role.save(update_fields=["permissions"])
            queries.forget_permissions()
            record(by=by, action="accounts.upgrade-role", subject=f"role:{name}", **_difference(had, shipped))


def _difference(before: Iterable[str], after: Iterable[str]) -> dict[str, list[str]]:
    had, has = set(before), set(after)
    return {"added": sorted(has - had), "removed": sorted(had - has)}


@transaction.atomic
def install_demo_people(*, by: Actor = PREPARE) -> None:
    """Add the demo's people who are missing, one for each role and two more scientists; nothing where it is off."""
    allow(by, AccountPermission.MANAGE_PEOPLE)
    if not settings.SPACELAB.demo:
        return
    for username, display_name, role in DEMO_PEOPLE:
        if Person.objects.filter(username=username).exists():
            continue
        email = f"{username}@demo.invalid"
        person = Person(username=username, display_name=display_name, email=email, is_demo=True)
        person.affiliation = "Spacelab demo"
        person.set_unusable_password()
        person.save()
        person.roles.set(Role.objects.filter(name=role))
        record(by=by, action="accounts.install-demo-person", subject=person.audit_name)


@transaction.atomic
def set_role_permissions(*, by: Actor, role: str, permissions: Iterable[str]) -> None:
    """Give a role exactly these permissions; somebody who may manage people has to be left."""
    allow(by, AccountPermission.MANAGE_PEOPLE)
    wanted = sorted(set(permissions))
    if unknown := set(wanted) - set(queries.known_permissions()):
        raise Invalid(f"There is no permission “{min(unknown)}”.", field="permissions")
    before = lock_roles()
    row = Role.objects.filter(name=role).first()
    if row is None:
        raise Invalid(f"There is no role “{role}”.", field="role")
    had = row.permissions
    shipped = settings.ROLES.get(role)
    is_changed = shipped is None or set(wanted) != set(shipped)
    if sorted(had) == wanted and row.is_changed == is_changed:
        return
    row.permissions, row.is_changed = wanted, is_changed
    row.save(update_fields=["permissions", "is_changed"])
    queries.forget_permissions()
    keep_a_manager(before)
    record(by=by, action="accounts.set-role-permissions", subject=f"role:{role}", before=had, after=wanted)


@transaction.atomic
def reset_role(*, by: Actor, role: str) -> None:
    """Give a role the permissions of a fresh install again; from then on upgrades reach it as before."""
    allow(by, AccountPermission.MANAGE_PEOPLE)
    if role not in settings.ROLES:
        raise Invalid(f"No role “{role[:40]}” is shipped.", advice="Choose its permissions one by one.", field="role")
    set_role_permissions(by=by, role=role, permissions=settings.ROLES[role])
