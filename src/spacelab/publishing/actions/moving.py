"""Moving a version along its lifecycle: the one write that every kind of published thing shares."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Manager
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.kit.refusals import Conflict, Invalid
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.rules import Facts, State, check

Version = TypeVar("Version", bound=PublishedVersion)

LONGEST_REASON = 4000
STAMPS = {"submit": "submitted_at", "publish": "published_at", "archive": "archived_at"}
"""The transition → the column that says when it was made last."""


@transaction.atomic
def move(
    *,
    by: audit.Actor,
    version: Version,
    transition: str,
    facts: Facts,
    reason: str = "",
    revision: int | None = None,
    **values: Any,
) -> Version:
    """Move a version on, with these values beside its state; write its history and the trail.

    `revision` is the one that the person looked at: if the version has moved since, nothing is written. Of two who act
    at once one wins, and the other is told. Raises `Conflict`, `Forbidden` or `Invalid`.
    """
    reason = reason.strip()
    if len(reason) > LONGEST_REASON:
        raise Invalid("The reason is too long.", advice=f"Use at most {LONGEST_REASON} characters.", field="reason")
    row = check(transition, State(version.state), facts)
    if revision is not None and revision != version.revision:
        raise _moved_on(version)
    values |= {"state": row.target, "revision": version.revision + 1}
    if row.name in STAMPS:
        values[STAMPS[row.name]] = timezone.now()
    rows: Manager[Any] = version._meta.model._default_manager  # noqa: SLF001  Django's names for it
    if not rows.filter(pk=version.pk, revision=version.revision, state=version.state).update(**values):
        raise _moved_on(version)
    before = version.state
    for name, value in values.items():
        setattr(version, name, value)
    version.changes.create(
        transition=row.name,
        before=before,
        after=row.target,
        revision=version.revision,
        person=by if isinstance(by, Person) else None,
        reason=reason,
    )
    audit.record(
        by=by,
        action=f"{version._meta.app_label}.{row.name}",  # noqa: SLF001  Django's name for it
        subject=version.subject,
        version=version.version,
        before=before,
        after=str(row.target),
        reason=reason[:300],
    )
    return version


def _moved_on(version: PublishedVersion) -> Conflict:
    return Conflict(
        "This version has moved on since you looked at it.",
        advice=f"It was {State(version.state).words}; look at it again and decide then.",
    )
