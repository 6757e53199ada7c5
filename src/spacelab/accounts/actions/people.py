"""Adding people, changing what they may do, ending what they had."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from spacelab.accounts import queries, rules
from spacelab.accounts.actions.allowing import allow, keep_a_manager, lock_roles
from spacelab.accounts.models import Person, Role
from spacelab.accounts.permissions import AccountPermission
from spacelab.audit.actions import Actor, record
from spacelab.kit.refusals import Conflict, Forbidden, Invalid

LONGEST_EMAIL = 254
"""Characters of a mail address (RFC 5321's path without its brackets), as Django's field has it."""


def checked_email(text: str) -> str:
    """Return a mail address of the right form, or raise `Invalid`."""
    tidy = text.strip()
    try:
        validate_email(tidy)
    except ValidationError as error:
        raise Invalid("This is not a mail address.", advice="It looks like name@example.org.", field="email") from error
    if len(tidy) > LONGEST_EMAIL:
        raise Invalid("This mail address is too long.", advice="Use one of up to 254 characters.", field="email")
    return tidy


def refuse_used_email(email: str, *, but: int | None = None) -> None:
    """Raise `Invalid` when another person has the mail address."""
    others = Person.objects.filter(email__iexact=email)
    if (others.exclude(pk=but) if but is not None else others).exists():
        raise Invalid("Another person has this mail address.", advice="Enter another one.", field="email")


def checked_roles(names: Iterable[str]) -> list[Role]:
    """Return the roles of these names, or raise `Invalid`."""
    wanted = set(names)
    found = list(Role.objects.filter(name__in=wanted))
    if unknown := wanted - {role.name for role in found}:
        known = ", ".join(Role.objects.order_by("name").values_list("name", flat=True)) or "none yet"
        raise Invalid(f"There is no role “{min(unknown)}”.", advice=f"The roles are: {known}.", field="roles")
    if not found:
        raise Invalid("A person needs a role.", advice="Choose at least one.", field="roles")
    return found


def refuse_more_than_own(by: Actor, roles: Iterable[Role]) -> None:
    """Raise `Forbidden` when somebody who may not manage people gives away more than she has."""
    if not isinstance(by, Person) or queries.may(by, AccountPermission.MANAGE_PEOPLE):
        return
    given = {permission for role in roles for permission in role.permissions}
    if given - queries.permissions_of(by):
        raise Forbidden("These roles allow more than yours do.", advice="Ask an operator to give them.")


def create(by: Actor, *, username: str, email: str, display_name: str, affiliation: str, roles: list[Role]) -> Person:
    """Add the row of a person who can't sign in yet; the caller has checked who may."""
    name = rules.username(username)
    address = checked_email(email)
    if Person.objects.filter(username=name).exists():
        raise Invalid(f"The username “{name}” is taken.", advice="Choose another one.", field="username")
    refuse_used_email(address)
    person = Person(
        username=name,
        email=address,
        display_name=rules.one_line(display_name, field="display_name", longest=rules.LONGEST_NAME),
        affiliation=checked_affiliation(affiliation),
    )
    person.set_unusable_password()
    person.save()
    person.roles.set(roles)
    given = sorted(role.name for role in roles)
    record(by=by, action="accounts.add-person", subject=person.audit_name, roles=given)
    return person


def checked_affiliation(text: str) -> str:
    """Return a tidy affiliation, which may be empty."""
    return rules.one_line(
        text, field="affiliation", longest=rules.LONGEST_AFFILIATION, what="An affiliation", needed=False
    )


@transaction.atomic
def add_person(
    *, by: Actor, username: str, email: str, display_name: str, roles: Iterable[str], affiliation: str = ""
) -> Person:
    """Add a person, who needs a password link to sign in for the first time."""
    allow(by, AccountPermission.MANAGE_PEOPLE)
    found = checked_roles(roles)
    return create(by, username=username, email=email, display_name=display_name, affiliation=affiliation, roles=found)


@transaction.atomic
def set_roles(*, by: Actor, person: Person, roles: Iterable[str]) -> None:
    """Give a person exactly these roles; the last person who may manage people keeps that."""
    allow(by, AccountPermission.MANAGE_PEOPLE)
    found = checked_roles(roles)
    before = lock_roles()
    had = sorted(person.roles.values_list("name", flat=True))
    person.roles.set(found)
    queries.forget_permissions()
    keep_a_manager(before)
    now = sorted(role.name for role in found)
    record(by=by, action="accounts.set-roles", subject=person.audit_name, before=had, after=now)


@transaction.atomic
def deactivate_person(*, by: Actor, person: Person) -> None:
    """Close an account: its sign-ins, tokens and password links end for good, whatever it owns stays."""
    allow(by, AccountPermission.MANAGE_PEOPLE)
    before = lock_roles()
    Person.objects.filter(pk=person.pk).update(is_active=False, sign_ins_ended=F("sign_ins_ended") + 1)
    person.refresh_from_db()
    keep_a_manager(before)
    now = timezone.now()
    person.tokens.filter(revoked_at=None).update(revoked_at=now)
    person.password_links.filter(used_at=None).update(used_at=now)
    record(by=by, action="accounts.deactivate-person", subject=person.audit_name)


@transaction.atomic
def reactivate_person(*, by: Actor, person: Person) -> None:
    """Open a closed account again; the person signs in anew."""
    allow(by, AccountPermission.MANAGE_PEOPLE)
    if person.is_active:
        raise Conflict("This account is open.", advice="There is nothing to do.")
    person.is_active = True
    person.save(update_fields=["is_active"])
    record(by=by, action="accounts.reactivate-person", subject=person.audit_name)


@transaction.atomic
def change_profile(*, by: Person, display_name: str, email: str, affiliation: str) -> None:
    """Change one's own name, mail address and affiliation."""
    address = checked_email(email)
    refuse_used_email(address, but=by.pk)
    by.display_name = rules.one_line(display_name, field="display_name", longest=rules.LONGEST_NAME)
    by.email = address
    by.affiliation = checked_affiliation(affiliation)
    by.save(update_fields=["display_name", "email", "affiliation"])
    record(by=by, action="accounts.change-profile", subject=by.audit_name)
