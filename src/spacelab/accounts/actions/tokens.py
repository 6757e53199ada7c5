"""Tokens for the API: personal ones, and those that a workload gets for as long as it runs."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from spacelab.accounts import queries, rules
from spacelab.accounts.actions.allowing import allow
from spacelab.accounts.models import ApiToken, Person
from spacelab.accounts.permissions import AccountPermission
from spacelab.audit.actions import System, record
from spacelab.kit.refusals import Invalid, NotFound

WORKLOADS = System("workloads")


def _make(
    person: Person, *, name: str, scopes: Iterable[str], expires_at: datetime, workload: str = ""
) -> tuple[ApiToken, str]:
    wanted = sorted({str(scope) for scope in scopes})
    if not wanted or set(wanted) - set(rules.Scope):
        known = ", ".join(rules.Scope)
        raise Invalid("A token needs scopes.", advice=f"Choose among: {known}.", field="scopes")
    secret = rules.TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        person=person,
        name=name,
        prefix=secret[: rules.TOKEN_SHOWN],
        digest=queries.digest_of(secret),
        scopes=wanted,
        workload=workload,
        expires_at=expires_at,
    )
    return row, secret


@transaction.atomic
def create_token(*, by: Person, name: str, lifetime_days: int, scopes: Iterable[str]) -> tuple[ApiToken, str]:
    """Make a personal token; return its row and the token itself, which nothing can show again."""
    allow(by, AccountPermission.MANAGE_OWN_TOKENS)
    if lifetime_days not in rules.TOKEN_LIFETIMES_DAYS:
        days = ", ".join(str(one) for one in rules.TOKEN_LIFETIMES_DAYS)
        raise Invalid("A token can't last that long.", advice=f"Choose among: {days} days.", field="lifetime_days")
    tidy = rules.one_line(name, field="name", longest=100)
    expires_at = timezone.now() + timedelta(days=lifetime_days)
    row, secret = _make(by, name=tidy, scopes=scopes, expires_at=expires_at)
    record(by=by, action="accounts.create-token", subject=f"token:{row.pk}", name=tidy, scopes=row.scopes)
    return row, secret


@transaction.atomic
def revoke_token(*, by: Person, token_id: int) -> None:
    """End one's own token at once."""
    ended = by.tokens.filter(pk=token_id, revoked_at=None, workload="").update(revoked_at=timezone.now())
    if not ended:
        raise NotFound("You have no such token, or it has been revoked already.")
    record(by=by, action="accounts.revoke-token", subject=f"token:{token_id}")


def note_token_use(*, token: ApiToken) -> None:
    """Remember when a token was last used, to the minute; no audit line for each request."""
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - rules.TOKEN_USE_NOTED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - rules.TOKEN_USE_NOTED_EVERY:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


@transaction.atomic
def issue_workload_token(*, person: Person, workload: str, scopes: Iterable[str]) -> str:
    """Make the token with which a workload talks to the platform for its owner; it ends with the workload."""
    expires_at = timezone.now() + rules.WORKLOAD_TOKEN_LIFETIME
    row, secret = _make(person, name=f"session {workload}", scopes=scopes, expires_at=expires_at, workload=workload)
    record(by=WORKLOADS, action="accounts.issue-workload-token", subject=f"workload:{workload}", token=row.pk)
    return secret


@transaction.atomic
def end_workload_tokens(*, workload: str) -> None:
    """End the tokens of a workload that has ended; doing it again changes nothing."""
    if not workload:
        return
    ended = ApiToken.objects.filter(workload=workload, revoked_at=None).update(revoked_at=timezone.now())
    if ended:
        record(by=WORKLOADS, action="accounts.end-workload-tokens", subject=f"workload:{workload}", ended=ended)
