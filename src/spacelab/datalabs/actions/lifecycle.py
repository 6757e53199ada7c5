"""What people and the platform do with a version: build, test, submit, review, publish, archive, share, delete."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from spacelab.audit import actions as audit
from spacelab.datalabs import queries
from spacelab.datalabs.models import Datalab, DatalabVersion, Evidence
from spacelab.datalabs.rules import EvidenceKind
from spacelab.feedback import actions as feedback
from spacelab.feedback.queries import followers
from spacelab.publishing.actions import Life

SYSTEM = audit.System("datalabs")


def _leave(entry: Datalab, version: DatalabVersion) -> None:
    """Take an entry's icon away with the version that brought it, also where the next one has none."""
    if entry.icon == version.icon:
        entry.icon = ""


def _in_use(version: DatalabVersion) -> str:
    users = {one.who for one in queries.uses_of(version)}
    return f"is running in sessions of {', '.join(sorted(users))}" if users else ""


LIFE = Life(
    kind=DatalabVersion,
    system=SYSTEM,
    facts_of=queries.facts_of,
    entry_of=queries.entry_of,
    followers=followers,
    forget=feedback.forget,
    in_use=_in_use,
    leave=_leave,
)
advance = LIFE.advance
advance_by_platform = LIFE.advance_by_platform
share = LIFE.share
delete_draft = LIFE.delete_draft
edit_metadata = LIFE.edit_metadata


@transaction.atomic
def record_evidence(
    *,
    by: audit.Actor,
    version: DatalabVersion,
    kind: EvidenceKind,
    passed: bool,
    summary: str,
    data: dict[str, Any],
    folder: str = "",
) -> Evidence:
    """Keep what was found out about a version's present content."""
    evidence = Evidence.objects.create(
        version=version,
        kind=kind,
        passed=passed,
        summary=summary[:300],
        content_hash=version.content_hash,
        data=data,
        folder=folder,
    )
    if passed:
        note_start(version=version, at=evidence.at)
    audit.record(
        by=by, action="datalabs.evidence", subject=version.subject, version=version.version, kind=kind, passed=passed
    )
    return evidence


def note_start(*, version: DatalabVersion, at: datetime) -> None:
    """Note that a version started and became ready then; what was known to be later stays."""
    rows = DatalabVersion.objects.filter(pk=version.pk).filter(Q(started_at=None) | Q(started_at__lt=at))
    rows.update(started_at=at)


def note_people(*, datalab: Datalab, people: int) -> None:
    """Note how many people have used a datalab, its author apart; whoever knows its sessions counts them."""
    Datalab.objects.filter(pk=datalab.pk).update(popularity=people)
