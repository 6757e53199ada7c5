"""What people and the platform do with a version: test, submit, review, publish, archive, share, describe, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.feedback import actions as feedback
from spacelab.feedback.queries import followers
from spacelab.pipelines import queries
from spacelab.pipelines.models import Pipeline, PipelineEvidence, PipelineVersion
from spacelab.pipelines.rules import EvidenceKind, State
from spacelab.publishing.actions import Life

SYSTEM = audit.System("pipelines")


MOST_NAMED = 5
"""Uses of a version that a refusal names before it says how many more there are."""


def _in_use(version: PipelineVersion) -> str:
    """Say which runs and schedules need a version, as the setting `PIPELINE_USES` finds them, and which pipelines."""
    name: str = settings.PIPELINE_USES
    found: list[str] = [*(import_string(name)(version) if name else []), *queries.needing(version)]
    if not found:
        return ""
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"is used by {', '.join(found[:MOST_NAMED])}{more}"


LIFE = Life(
    kind=PipelineVersion,
    system=SYSTEM,
    facts_of=queries.facts_of,
    entry_of=queries.entry_of,
    followers=followers,
    forget=feedback.forget,
    in_use=_in_use,
)
advance = LIFE.advance
advance_by_platform = LIFE.advance_by_platform
share = LIFE.share
delete_draft = LIFE.delete_draft
edit_metadata = LIFE.edit_metadata


@transaction.atomic
def record_evidence(
    *, by: audit.Actor, version: PipelineVersion, content_hash: str, passed: bool, summary: str, data: dict[str, Any]
) -> PipelineEvidence:
    """Keep what a run of these documents showed: `content_hash` names those that ran.

    A valid draft whose present documents ran is under test from then on. Numbers, ids and addresses stand in `data`.
    """
    kept = LIFE.hold(version)
    evidence = PipelineEvidence.objects.create(
        version=kept,
        kind=EvidenceKind.TEST_RUN,
        passed=passed,
        summary=summary[:300],
        content_hash=content_hash,
        data=data,
    )
    if kept.state == State.BUILT and kept.content_hash == content_hash:
        advance_by_platform(version=kept, transition="test", reason=summary[:300])
    audit.record(
        by=by,
        action="pipelines.evidence",
        subject=kept.subject,
        version=kept.version,
        kind=str(EvidenceKind.TEST_RUN),
        passed=passed,
    )
    return evidence


def record_run(
    *,
    by: audit.Actor,
    owner: Person,
    slug: str,
    number: str,
    files: Mapping[str, str],
    main: str,
    passed: bool,
    summary: str,
    data: dict[str, Any],
) -> PipelineEvidence | None:
    """Keep what a run showed of a version, if it ran the version's present documents for their own author.

    What others run, maybe with inputs that make no sense, says nothing about a draft: then None is returned.
    """
    version = PipelineVersion.objects.filter(
        pipeline__slug=slug, pipeline__maintainer=owner, version=number, main=main
    ).first()
    if version is None or any(files.get(path) != text for path, text in version.files.items()):
        return None
    hashed = version.content_hash
    return record_evidence(by=by, version=version, content_hash=hashed, passed=passed, summary=summary, data=data)


def note_people(*, pipeline: Pipeline, people: int) -> None:
    """Note how many people have run a pipeline, its author apart; whoever knows its runs counts them."""
    Pipeline.objects.filter(pk=pipeline.pk).update(popularity=people)
