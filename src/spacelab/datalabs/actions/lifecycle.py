"""What people and the platform do with a version: build, test, submit, review, publish, archive, share, delete."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from spacelab.accounts.models import Person, Team
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.datalabs import queries
from spacelab.datalabs.actions.describing import follow
from spacelab.datalabs.actions.telling import followers_of, tell_of, tell_of_opening
from spacelab.datalabs.models import Datalab, DatalabVersion, Evidence
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.datalabs.rules import DELETED, EvidenceKind
from spacelab.feedback import actions as feedback
from spacelab.kit.refusals import Conflict, Forbidden, Invalid
from spacelab.publishing import actions as publishing
from spacelab.publishing.rules import DELETABLE, OFFERED, SHARED, Facts, Need, State, Visibility, Who

SYSTEM = audit.System("datalabs")
MOST_NAMED = 200
"""People and teams whom one version may name."""


@transaction.atomic
def advance(
    *,
    by: Person,
    version: DatalabVersion,
    transition: str,
    reason: str = "",
    revision: int | None = None,
    lacking: Collection[Need] = (),
) -> DatalabVersion:
    """Make a transition as a person: author, moderator or operator, as she may.

    `lacking` adds needs that only the caller can judge, such as a review's checklist. Raises `Conflict`, `Forbidden`,
    `Invalid`; then nothing has changed.
    """
    version = DatalabVersion.objects.select_for_update(of=("self",)).select_related("datalab").get(pk=version.pk)
    facts = queries.facts_of(by, version, reason=reason, lacking=frozenset(lacking))
    values: dict[str, Any] = {}
    if transition in {"take", "request-changes", "reject", "approve"}:
        values["reviewer"] = by
    publishing.move(
        by=by, version=version, transition=transition, facts=facts, reason=reason, revision=revision, **values
    )
    if transition == "publish":
        _publish(version)
    version.datalab.relist()
    tell_of(by=by, version=version, transition=transition, reason=reason)
    return version


@transaction.atomic
def advance_by_platform(*, version: DatalabVersion, transition: str, reason: str = "", **values: Any) -> DatalabVersion:
    """Make a transition that the platform makes by itself: a build began or ended, a test began."""
    facts = Facts(frozenset({Who.PLATFORM}))
    publishing.move(by=SYSTEM, version=version, transition=transition, facts=facts, reason=reason, **values)
    version.datalab.relist()
    tell_of(by=SYSTEM, version=version, transition=transition, reason=reason)
    return version


def _publish(version: DatalabVersion) -> None:
    """Put what is older aside, and have the catalogue's entry say what the new version says, if its readers see it."""
    older = version.datalab.versions.filter(state=State.PUBLISHED).exclude(pk=version.pk)
    for one in older:
        advance_by_platform(version=one, transition="supersede", reason=f"Version {version.version} was published.")
    if version.datalab.speaker() == version:
        follow(version)


@transaction.atomic
def share(
    *,
    by: Person,
    version: DatalabVersion,
    visibility: str,
    people: Collection[Person] = (),
    teams: Collection[Team] = (),
) -> DatalabVersion:
    """Say for whom a version is. Everybody sees it only once it is published; named people and teams may try it before.

    Raises `Forbidden` for anybody but its author, `Invalid` for a visibility that names nobody.
    """
    _own(by, version)
    if visibility not in set(Visibility):
        raise Invalid(f"There is no visibility “{visibility[:20]}”.", field="visibility")
    wanted = Visibility(visibility)
    if wanted in SHARED:
        require(by, DatalabPermission.SHARE)
    named: Collection[Any] = {Visibility.PEOPLE: people, Visibility.TEAMS: teams}.get(wanted, ())
    if wanted in SHARED and not named:
        raise Invalid("Name somebody.", advice="Or keep it private.", field=wanted.value)
    if len(named) > MOST_NAMED:
        raise Invalid(f"At most {MOST_NAMED} can be named.", advice="Make a team of them.", field=wanted.value)
    before = followers_of(version) if version.state in OFFERED else set()
    spoke = version.datalab.speaker()
    DatalabVersion.objects.filter(pk=version.pk).update(visibility=wanted)
    version.visibility = wanted
    if (speaks := version.datalab.speaker()) not in (spoke, None):
        if spoke and version.datalab.icon == spoke.icon:
            version.datalab.icon = ""  # it goes with whose it was, also where the other one has none
        follow(speaks)
    version.datalab.relist()
    version.people.set(people if wanted is Visibility.PEOPLE else [])
    version.teams.set(teams if wanted is Visibility.TEAMS else [])
    audit.record(
        by=by,
        action="datalabs.share",
        subject=version.subject,
        version=version.version,
        visibility=wanted.value,
        people=[one.username for one in version.people.all()],
        teams=[one.slug for one in version.teams.all()],
    )
    if version.state in OFFERED:
        tell_of_opening(by=by, version=version, before=before)
    return version


@transaction.atomic
def delete_draft(*, by: Person, version: DatalabVersion) -> None:
    """Delete a version that was never published and is with nobody; with its last version the datalab goes.

    Raises `Conflict` for any other state (what was published is archived instead, and never deleted), and while a
    session of it runs. Sessions that have ended keep its name.
    """
    _own(by, version)
    version = DatalabVersion.objects.select_for_update(of=("self",)).select_related("datalab").get(pk=version.pk)
    if State(version.state) not in DELETABLE:
        raise Conflict(
            f"A version that is {State(version.state).words} can't be deleted.",
            advice="Withdraw it first, or archive it.",
        )
    datalab, name = version.datalab, version.version
    if uses := queries.uses_of(version):
        raise Conflict(
            f"{version} is running in sessions of {', '.join(sorted({one.who for one in uses}))}.",
            advice="Delete it once they have ended: stop your own, and ask those whom you let in.",
        )
    version.delete()
    audit.record(by=by, action=DELETED, subject=f"datalab:{datalab.slug}", version=name)
    datalab.relist()
    if not datalab.versions.exists():
        feedback.forget(by=by, subject=queries.subject_of(datalab))
        datalab.delete()


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


def _own(by: Person, version: DatalabVersion) -> None:
    require(by, DatalabPermission.AUTHOR)
    if version.datalab.maintainer_id != by.pk:
        raise Forbidden("This is somebody else's datalab.", advice="Ask its author.")
