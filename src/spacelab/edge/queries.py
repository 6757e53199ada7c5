"""Reads of the edge: whose visit or token a request carries, whether that still holds, and where the session lives.

A visit holds as long as the portal's sign-in that it came from. That is decided when it is read, not by telling the
edge of a sign-out: `portal_key` is the key of the sign-in's row in Django's session table, so signing out, or the
sign-in's expiry, ends the visit with the row, and `auth_hash` does the same when the password changes. (The key stands
as plainly in Django's own table; whoever can read one can read the other.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.sessions.models import Session as SignIn
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from spacelab.accounts.models import Person
from spacelab.accounts.queries import acting_people, token_for, valid_tokens
from spacelab.accounts.rules import Scope
from spacelab.edge import rules
from spacelab.edge.models import Visit
from spacelab.edge.rules import Pass, digest_of, upstream_of
from spacelab.sessions.models import Session
from spacelab.workloads.rules import Phase


@dataclass(frozen=True)
class Found:
    """A request's pass and how its session stands; `upstream` is empty unless the session runs."""

    by: Pass
    phase: Phase
    reason: str
    upstream: str


def may_enter(person: Person, session: Session) -> bool:
    """Say whether the person may use this session's application."""
    return rules.may_enter(person_id=person.pk, active=person.is_active, owner_id=session.owner_id)


def start_path(session: Session) -> str:
    """Return the path at which the session's application begins."""
    interface = session.workload.spec.get("interface") or {}
    return str(interface.get("path", "/")).replace("{id}", session.id)


def _visits() -> QuerySet[Visit]:
    sign_in = SignIn.objects.filter(session_key=OuterRef("portal_key"), expire_date__gt=timezone.now())
    return Visit.objects.filter(Exists(sign_in), revoked_at=None, person__in=acting_people())


def _holds(visit: Visit) -> bool:
    return may_enter(visit.person, visit.session) and constant_time_compare(
        visit.auth_hash, visit.person.get_session_auth_hash()
    )


def find_visit(session_id: str, cookie: str) -> Found | None:
    """Find the visit of a cookie on a session's origin, unless it was revoked or its sign-in is over."""
    rows = _visits().select_related("person", "session__workload")
    visit = rows.filter(digest=digest_of(cookie), session=session_id).first()
    if visit is None or not _holds(visit):
        return None
    return _found(Pass("visit", visit.pk, session_id, visit.person_id), visit.session)


def find_token(session_id: str, token: str) -> Found | None:
    """Find a token that may be used with this session: a person's, or the session's own, of which no other is opened.

    What runs in a session is a stranger's program: its token leads into no other session of the same person.
    """
    row = token_for(token, scope=Scope.SESSIONS)
    if row is None or row.workload not in {"", session_id}:
        return None
    session = Session.objects.select_related("workload").filter(pk=session_id).first()
    if session is None or not may_enter(row.person, session):
        return None
    return _found(Pass("token", row.pk, session_id, row.person_id), session)


def _found(by: Pass, session: Session) -> Found:
    workload = session.workload
    phase = Phase(workload.phase)
    upstream = upstream_of(workload.address) if phase is Phase.RUNNING else ""
    return Found(by, phase, workload.reason, upstream)


def still_valid(passes: Iterable[Pass]) -> frozenset[Pass]:
    """Return those passes that still hold and whose session still runs: one query for visits, one for tokens."""
    asked = frozenset(passes)
    visits = {one.row: one for one in asked if one.kind == "visit"}
    tokens = [one for one in asked if one.kind == "token"]
    valid: set[Pass] = set()
    if visits:
        rows = _visits().select_related("person", "session")
        running = Q(session__workload__phase=Phase.RUNNING)
        valid.update(visits[row.pk] for row in rows.filter(running, pk__in=list(visits)) if _holds(row))
    if tokens:
        sessions = Session.objects.filter(
            owner=OuterRef("person"), pk__in={one.session_id for one in tokens}, workload__phase=Phase.RUNNING
        )
        rows_of_tokens = valid_tokens().filter(pk__in={one.row for one in tokens})
        pairs = set(rows_of_tokens.filter(Exists(sessions)).values_list("pk", "person__lab_sessions__workload_id"))
        valid.update(one for one in tokens if (one.row, one.session_id) in pairs)
    return frozenset(valid)
