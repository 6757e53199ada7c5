"""Visitors' requests for access and operators' decisions on them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial

from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from spacelab.accounts import rules
from spacelab.accounts.actions.allowing import allow
from spacelab.accounts.actions.people import (
    checked_affiliation,
    checked_email,
    checked_roles,
    create,
    refuse_more_than_own,
)
from spacelab.accounts.actions.sign_in import new_password_link
from spacelab.accounts.models import AccessRequest, Person
from spacelab.accounts.permissions import AccountPermission
from spacelab.audit.actions import System, record
from spacelab.kit.refusals import Conflict, NotFound, TooMany

log = logging.getLogger(__name__)
VISITOR = System("visitor")


@transaction.atomic
def request_access(
    *, username: str, email: str, display_name: str, affiliation: str, purpose: str, address: str
) -> None:
    """Keep a visitor's wish for an account; a second open one for the same mail address changes nothing."""
    wish = AccessRequest(
        username=rules.username(username),
        email=checked_email(email),
        display_name=rules.one_line(display_name, field="display_name", longest=rules.LONGEST_NAME),
        affiliation=checked_affiliation(affiliation),
        purpose=rules.several_lines(purpose, field="purpose", what="The purpose"),
        address=address[:64],
    )
    since = timezone.now() - rules.ACCESS_REQUEST_WINDOW
    recent = AccessRequest.objects.filter(address=wish.address, created_at__gte=since).count()
    if recent >= rules.ACCESS_REQUESTS_PER_ADDRESS:
        raise TooMany("There were many requests from your address.", advice="Try again in an hour.")
    if AccessRequest.objects.filter(email__iexact=wish.email, state=AccessRequest.State.OPEN).exists():
        return
    wish.save()
    record(by=VISITOR, action="accounts.request-access", subject=f"access-request:{wish.pk}")


def _open_request(request_id: int) -> AccessRequest:
    found = AccessRequest.objects.select_for_update().filter(pk=request_id).first()
    if found is None:
        raise NotFound("There is no such request.")
    if found.state != AccessRequest.State.OPEN:
        raise Conflict(f"This request has been {found.get_state_display().lower()} already.")
    return found


def _decide(found: AccessRequest, by: Person, state: AccessRequest.State, reason: str) -> None:
    found.state, found.reason, found.decided_by, found.decided_at = state, reason, by, timezone.now()
    found.save(update_fields=["state", "reason", "decided_by", "decided_at"])


def _tell(email: str, subject: str, text: str) -> None:
    """Send the mail of a decision; one that can't be sent is logged, the decision stays."""
    try:
        send_mail(subject, text, None, [email])
    except OSError:
        log.exception("The mail of an access decision could not be sent")


@transaction.atomic
def grant_access(*, by: Person, request_id: int, roles: Iterable[str], username: str = "") -> tuple[Person, str]:
    """Grant a request: return the new person and the secret of her password link, which nothing can show again.

    `username` overrides the wished one. The mail holds no secret: the operator hands the link over.
    """
    allow(by, AccountPermission.DECIDE_ACCESS_REQUESTS)
    found = _open_request(request_id)
    given = checked_roles(roles)
    refuse_more_than_own(by, given)
    person = create(
        by,
        username=username or found.username,
        email=found.email,
        display_name=found.display_name,
        affiliation=found.affiliation,
        roles=given,
    )
    secret = new_password_link(by=by, person=person)
    _decide(found, by, AccessRequest.State.GRANTED, "")
    record(by=by, action="accounts.grant-access", subject=f"access-request:{found.pk}", person=person.username)
    text = (
        f"Hello {person.display_name},\n\nyou now have an account on Spacelab, with the username “{person.username}”.\n"
        "An operator will give you a link with which you set your password.\n"
    )
    transaction.on_commit(partial(_tell, person.email, "Your Spacelab account", text))
    return person, secret


@transaction.atomic
def decline_access(*, by: Person, request_id: int, reason: str) -> None:
    """Decline a request with a reason, which the visitor reads in a mail."""
    allow(by, AccountPermission.DECIDE_ACCESS_REQUESTS)
    found = _open_request(request_id)
    why = rules.several_lines(reason, field="reason", what="The reason")
    _decide(found, by, AccessRequest.State.DECLINED, why)
    record(by=by, action="accounts.decline-access", subject=f"access-request:{found.pk}")
    text = f"Hello {found.display_name},\n\nyour request for a Spacelab account was declined:\n\n{why}\n"
    transaction.on_commit(partial(_tell, found.email, "Your request for a Spacelab account", text))
