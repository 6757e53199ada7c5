"""Writes of the edge: handing out entry codes, trading them for visits, taking visits back."""

from __future__ import annotations

import secrets

from django.contrib.sessions.models import Session as SignIn
from django.db import transaction
from django.utils import timezone

from spacelab.accounts.actions import note_token_use
from spacelab.accounts.models import ApiToken, Person
from spacelab.audit.actions import Actor, record
from spacelab.edge.models import EntryCode, Visit
from spacelab.edge.rules import ACTIVITY_REASON, CODE_LIFETIME, Pass, digest_of, may_enter
from spacelab.kit.refusals import Forbidden, Invalid, NotFound
from spacelab.sessions.actions import note_activity
from spacelab.sessions.models import Session


@transaction.atomic
def issue_code(*, by: Person, session: Session, portal_key: str) -> str:
    """Return a code with which the person's browser may begin one visit; raise `NotFound` to who may not enter.

    `portal_key` is the key of the portal's sign-in, which the visit will not outlive.
    """
    if not may_enter(person_id=by.pk, active=by.is_active, owner_id=session.owner_id):
        raise NotFound("There is no such session.", advice="Look at the list of your sessions.")
    now = timezone.now()
    EntryCode.objects.filter(expires_at__lte=now).delete()
    code = secrets.token_urlsafe(32)
    EntryCode.objects.create(
        digest=digest_of(code),
        session=session,
        person=by,
        portal_key=portal_key,
        auth_hash=by.get_session_auth_hash(),
        expires_at=now + CODE_LIFETIME,
    )
    record(by=by, action="edge.issue-code", subject=f"session:{session.id}")
    return code


def redeem_code(*, code: str, session_id: str, guest: int | None = None) -> str:
    """Trade a code for a visit and return its cookie; raise `Invalid` if it is used, too old, or for another session.

    A code is used up by the first attempt, whatever comes of it. The cookie is empty if the browser's visit goes on:
    `guest` is the id of the person whose visit it carries already, and her other tabs and streams keep it.
    """
    with transaction.atomic():
        entry = EntryCode.objects.select_related("person", "session").filter(digest=digest_of(code)).first()
        burnt = entry is not None and EntryCode.objects.filter(pk=entry.pk).delete()[0] == 1
    if entry is None or not burnt or entry.session_id != session_id or entry.expires_at <= timezone.now():
        raise Invalid("This way in was used already, or is too old.", advice="Open the session from its page again.")
    person = entry.person
    if not may_enter(person_id=person.pk, active=person.is_active, owner_id=entry.session.owner_id):
        raise Forbidden("You may not use this session any more.", advice="Ask its owner.")
    if guest == person.pk:
        return ""
    with transaction.atomic():
        sign_ins = SignIn.objects.values("session_key")
        Visit.objects.filter(person=person).exclude(portal_key__in=sign_ins).delete()
        cookie = secrets.token_urlsafe(32)
        visit = Visit.objects.create(
            digest=digest_of(cookie),
            session=entry.session,
            person=person,
            portal_key=entry.portal_key,
            auth_hash=entry.auth_hash,
        )
        record(by=person, action="edge.enter", subject=f"session:{session_id}", visit=visit.pk)
    return cookie


@transaction.atomic
def revoke_visits(
    *, by: Actor, person: Person | None = None, session: Session | None = None, portal_key: str = ""
) -> int:
    """End the visits of a person, to a session, or of a sign-in (or of what several of these have in common).

    Return how many ended. The edge refuses their next request within 2 s and cuts their streams within 5 s.
    Raise `ValueError` if nothing is named, rather than end everybody's.
    """
    visits, codes = Visit.objects.filter(revoked_at=None), EntryCode.objects.all()
    wanted = {
        name: value for name, value in (("person", person), ("session", session), ("portal_key", portal_key)) if value
    }
    if not wanted:
        raise ValueError("name a person, a session or a sign-in")
    codes.filter(**wanted).delete()
    ended = visits.filter(**wanted).update(revoked_at=timezone.now())
    subject = f"session:{session.id}" if session else f"person:{person.username}" if person else "sign-in"
    record(by=by, action="edge.revoke-visits", subject=subject, ended=ended)
    return ended


def note_use(*, by: Pass) -> None:
    """Note that somebody uses a session, and when the token was last used that let her in; no audit line for each."""
    note_activity(session_id=by.session_id, because=ACTIVITY_REASON)
    token = ApiToken.objects.filter(pk=by.row).first() if by.kind == "token" else None
    if token is not None:
        note_token_use(token=token)
