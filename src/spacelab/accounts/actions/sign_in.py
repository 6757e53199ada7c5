"""Proving who one is: sign-in with its throttle, the demo's sign-in, passwords and one-time links."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from spacelab.accounts import queries, rules
from spacelab.accounts.actions.allowing import allow
from spacelab.accounts.models import PasswordLink, Person, SignInAttempt
from spacelab.accounts.permissions import AccountPermission
from spacelab.audit.actions import Actor, record
from spacelab.kit.refusals import Conflict, Invalid, NotFound, TooMany


@transaction.atomic
def _count_attempt(username: str, address: str) -> SignInAttempt:
    """Count an attempt before it is decided, so that many at once can't slip through; raise `TooMany`."""
    since = timezone.now() - rules.THROTTLE_WINDOW
    SignInAttempt.objects.filter(at__lt=since).delete()
    recent = SignInAttempt.objects.filter(at__gte=since)
    if rules.throttled(
        failures_for_name=recent.filter(username=username).count(),
        failures_from_address=recent.filter(address=address).count(),
    ):
        minutes = int(rules.THROTTLE_WINDOW.total_seconds() // 60)
        raise TooMany(
            "There were too many attempts to sign in with this name or from this address.",
            advice=f"Wait {minutes} minutes and try again, or ask an operator for a password link.",
        )
    return SignInAttempt.objects.create(username=username, address=address)


def verify_password(*, username: str, password: str, address: str) -> Person:
    """Return whose name and password these are, or raise `Invalid` or `TooMany`.

    A name that nobody has is counted, answered and timed like one with a wrong password.
    """
    name = username.strip().lower().replace("\x00", "")[:150]
    attempt = _count_attempt(name, address[:64])
    person = queries.acting_people().filter(username=name, is_demo=False).first()
    if person is None or not person.has_usable_password():
        make_password(password)
        person = None
    elif not person.check_password(password):
        person = None
    if person is None:
        raise Invalid(
            "That name and password don't belong together.",
            advice="Try again; an operator can give you a link to set a new password.",
        )
    with transaction.atomic():
        SignInAttempt.objects.filter(pk=attempt.pk).delete()
        SignInAttempt.objects.filter(username=name).delete()
        record(by=person, action="accounts.sign-in", subject=person.audit_name, address=address)
    return person


@transaction.atomic
def sign_in_as_demo(*, username: str, is_local: bool) -> Person:
    """Return a demo person without a password; only on this machine (`is_local`) and where the demo is on."""
    person = queries.demo_people().filter(username=username).first() if is_local and settings.SPACELAB.demo else None
    if person is None:
        raise NotFound("There is no such demo person here.", advice="Sign in with your name and password.")
    record(by=person, action="accounts.sign-in-as-demo", subject=person.audit_name)
    return person


@transaction.atomic
def make_password_link(*, by: Actor, person: Person) -> str:
    """Make the secret of a one-time link with which the person sets a password; earlier ones end."""
    allow(by, AccountPermission.MANAGE_PEOPLE)
    return new_password_link(by=by, person=person)


def new_password_link(*, by: Actor, person: Person) -> str:
    """Make a password link's secret; the caller has checked who may."""
    if person.is_demo:
        raise Conflict("Demo people sign in without a password.", advice="Add a person of your own instead.")
    if not person.is_active:
        raise Conflict("This account is deactivated.", advice="Reactivate it first.")
    now = timezone.now()
    person.password_links.filter(used_at=None).update(used_at=now)
    secret = secrets.token_urlsafe(32)
    PasswordLink.objects.create(
        person=person,
        digest=queries.digest_of(secret),
        created_by=by.audit_name,
        expires_at=now + rules.PASSWORD_LINK_LIFETIME,
    )
    record(by=by, action="accounts.make-password-link", subject=person.audit_name)
    return secret


def _set_password(person: Person, password: str) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password") from error
    person.set_password(password)
    person.save(update_fields=["password"])


@transaction.atomic
def set_password_by_link(*, secret: str, password: str) -> Person:
    """Set a password with a one-time link; every earlier sign-in of the person ends."""
    link = queries.open_password_link(secret)
    if link is None:
        raise NotFound(
            "This link was used, has expired, or never was one.", advice="Ask an operator for a new password link."
        )
    used = PasswordLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now())
    if not used:
        raise NotFound("This link was used a moment ago.", advice="Ask an operator for a new password link.")
    _set_password(link.person, password)
    SignInAttempt.objects.filter(username=link.person.username).delete()
    record(by=link.person, action="accounts.set-password", subject=link.person.audit_name)
    return link.person


def change_password(*, by: Person, current: str, password: str, address: str) -> None:
    """Change one's own password; every other sign-in ends. Wrong guesses at the current one count as sign-ins."""
    if not by.has_usable_password():
        raise Conflict("This account has no password to change.", advice="Ask an operator for a password link.")
    attempt = _count_attempt(by.username, address[:64])
    if not by.check_password(current):
        raise Invalid("This is not your present password.", field="current")
    attempt.delete()
    with transaction.atomic():
        _set_password(by, password)
        record(by=by, action="accounts.change-password", subject=by.audit_name)
