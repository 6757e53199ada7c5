"""What the controller does for news at regular times: sends mail, tells what accounts made, removes what is old."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.urls import reverse
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may_act, people_with
from spacelab.kit.background import Background
from spacelab.notifications import actions, mails, queries
from spacelab.notifications.actions import SYSTEM
from spacelab.notifications.models import Notification
from spacelab.notifications.rules import KINDS, Kind

logger = logging.getLogger(__name__)

BATCH = 100
"""Mails over one connection to the server."""
PERMANENT = 500
"""A mail server's answers from this one on are no different later (RFC 5321, 4.2.1)."""


def send_due_mail() -> int:
    """Send the mail that is due, at most `BATCH` of them; return how many went.

    A server that can't be reached, or refuses the sign-in, ends the batch: all that is left of it waits. A refused
    recipient or content fails alone: for good when the server says so.
    """
    due = _due()
    if not due:
        return 0
    server = get_connection()
    sent = 0
    try:
        server.open()
        while due:
            sent += _send(server, *due[0])
            due.pop(0)
    except (OSError, ValueError) as error:
        logger.warning("The mail server can't be used: %s", _reason(error))
        for _, news in due:
            actions.note_failure(by=SYSTEM, news=news, trouble=_reason(error))
    finally:
        _close(server)
    return sent


def _due() -> list[tuple[Person, list[Notification]]]:
    now = timezone.now()
    due = []
    for person in queries.people_with_mail_due(now)[:BATCH]:
        news = queries.mail_due(person, now)
        if may_act(person):
            due.append((person, news))
        else:
            actions.drop_mail(by=SYSTEM, news=news)
    return due


def _send(server: BaseEmailBackend, person: Person, news: Sequence[Notification]) -> bool:
    """Send one mail and note how it went; raises `OSError` when the fault is not this mail's."""
    try:
        mail = mails.compose(person, news)
    except Exception as error:
        logger.exception("The mail for %s can't be written", person.username)
        actions.note_failure(by=SYSTEM, news=news, trouble=f"The mail can't be written: {error}")
        return False
    try:
        server.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        trouble = _answer(code, said)
    except smtplib.SMTPDataError as error:
        code, trouble = error.smtp_code, _answer(error.smtp_code, error.smtp_error)
    else:
        actions.mark_mailed(by=SYSTEM, news=news)
        return True
    logger.warning("The mail for %s was refused: %s", person.username, trouble)
    actions.note_failure(by=SYSTEM, news=news, trouble=trouble, final=code >= PERMANENT)
    return False


def _close(server: BaseEmailBackend) -> None:
    try:
        server.close()
    except OSError as error:
        logger.info("The mail server did not say goodbye: %s", error)


def _answer(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"The mail server answered {code} {text}"


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    return f"{type(error).__name__}: {error}"


_postman = Background("mail", send_due_mail)


def attend_mail() -> None:
    """Send the mail that is due, in a thread of its own; the controller calls this again and again."""
    _postman.look()


def tell_of_accounts() -> None:
    """Tell people of invitations, and those who decide of requests for access: accounts know nothing of news."""
    for invitation in queries.untold_invitations():
        if invitation.person is not None:
            actions.tell(
                people=[invitation.person],
                kind=Kind.TEAM_INVITATION,
                title=f"{invitation.invited_by.display_name} invites you into the team {invitation.team.name}",
                url=reverse("accounts:teams"),
                subject=f"invitation:{invitation.pk}",
            )
    for request in queries.untold_access_requests():
        actions.tell(
            people=people_with(KINDS[Kind.ACCESS_REQUEST].permission),
            kind=Kind.ACCESS_REQUEST,
            title=f"{request.display_name} asks for an account",
            text=request.purpose,
            url=reverse("accounts:access-request", args=[request.pk]),
            subject=f"access-request:{request.pk}",
        )


def remove_old() -> None:
    """Remove what was read long ago."""
    actions.prune(by=SYSTEM, days=settings.SPACELAB.notification_days)
