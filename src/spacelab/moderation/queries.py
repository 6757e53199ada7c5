"""Reads of reviews: the queue, one version with its evidence, its comments and its checklist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.queries import MODERATED, may_moderate, moderators, require_moderator
from spacelab.kit.refusals import NotFound
from spacelab.moderation import rules
from spacelab.moderation.differences import Differences, compare
from spacelab.moderation.models import ReviewComment, Tick
from spacelab.moderation.papers import Papers
from spacelab.publishing.rules import (
    KEPT,
    REVIEWABLE,
    Facts,
    Need,
    State,
    Transition,
    Who,
    obstacles,
    open_to,
)
from spacelab.publishing.rules import terms as metadata
from spacelab.testing import queries as testing

MOST_EVIDENCE = 5
"""Tests that the page shows."""
COMMENTS_BY_LINES = 200
"""Open remarks on lines that stand beside the files; all of them are in the list of comments."""


def queue(person: Person, shown: rules.Shown = rules.Shown.ALL) -> QuerySet[DatalabVersion]:
    """List what is with the moderators, the oldest submission first; raise `Forbidden` for anybody else."""
    require_moderator(person)
    found = DatalabVersion.objects.filter(state__in=REVIEWABLE).select_related(
        "datalab", "datalab__maintainer", "reviewer"
    )
    if shown is rules.Shown.FREE:
        found = found.filter(state=State.SUBMITTED)
    if shown is rules.Shown.MINE:
        found = found.filter(state=State.IN_REVIEW, reviewer=person)
    return found.order_by("submitted_at", "pk")


def waiting() -> int:
    """Count the versions that wait for a moderator."""
    return DatalabVersion.objects.filter(state=State.SUBMITTED).count()


def load() -> list[tuple[Person, int]]:
    """List every moderator with the number of versions that she has under review."""
    rows = DatalabVersion.objects.filter(state=State.IN_REVIEW).order_by().values_list("reviewer").annotate(Count("pk"))
    held: dict[int | None, int] = dict(rows)
    return [(one, held.get(one.pk, 0)) for one in moderators()]


def version_for(person: Person, slug: str, number: str) -> DatalabVersion:
    """Find a version that was handed to the moderators; raise `Forbidden` or `NotFound`."""
    require_moderator(person)
    return _found(Q(state__in=MODERATED), slug, number)


def own_version(person: Person, slug: str, number: str) -> DatalabVersion:
    """Find a version of the person's own; raise `NotFound` for anybody else's."""
    return _found(Q(datalab__maintainer=person), slug, number)


def talk_about(person: Person, slug: str, number: str) -> DatalabVersion:
    """Find a version that the person may comment on, as its author or as a moderator; raise `NotFound` otherwise."""
    whose = Q(datalab__maintainer=person)
    if may_moderate(person):
        whose |= Q(state__in=MODERATED)
    return _found(whose, slug, number)


def _found(which: Q, slug: str, number: str) -> DatalabVersion:
    still_open = Q(review_comments__answers=None, review_comments__resolved_at=None)
    rows = DatalabVersion.objects.select_related("datalab", "datalab__maintainer", "reviewer").annotate(
        open_comments=Count("review_comments", filter=still_open)
    )
    found = rows.filter(which, datalab__slug=slug, version=number).first()
    if found is None:
        raise NotFound("There is no such review.", advice="Look for it in the queue; it may have been withdrawn.")
    return found


def published_before(version: DatalabVersion) -> DatalabVersion | None:
    """Find the version of the same datalab that was published last."""
    others = version.datalab.versions.filter(state__in=KEPT, published_at__isnull=False).exclude(pk=version.pk)
    return others.order_by("-published_at", "-pk").first()


def comments(version: DatalabVersion) -> QuerySet[ReviewComment]:
    """List the comments on a version, each followed by its answers, oldest first."""
    rows = version.review_comments.select_related("author", "resolved_by")
    return rows.order_by(Coalesce("answers_id", "id"), "id")


def comments_by_lines(version: DatalabVersion) -> dict[str, list[ReviewComment]]:
    """Gather the open remarks on files as they are now, by path."""
    open_ones = version.review_comments.filter(answers=None, resolved_at=None, content_hash=version.content_hash)
    rows = open_ones.exclude(path="").select_related("author").order_by("line", "pk")[:COMMENTS_BY_LINES]
    found: dict[str, list[ReviewComment]] = {}
    for one in rows:
        found.setdefault(one.path, []).append(one)
    return found


@dataclass(frozen=True)
class Ticked:
    """One point of the checklist, and who found it in order, if anybody has."""

    point: rules.Point
    tick: Tick | None


def checklist(version: DatalabVersion) -> list[Ticked]:
    """List the points of the checklist with the ticks of this submission."""
    rows = version.ticks.filter(submitted_at=version.submitted_at) if version.submitted_at else Tick.objects.none()
    ticks = {one.point: one for one in rows.select_related("person")}
    return [Ticked(point, ticks.get(point.name)) for point in rules.CHECKLIST.values()]


def evidence_of(version: DatalabVersion) -> list[testing.Shown]:
    """List what the last tests of a version found, newest first."""
    return [testing.shown(one) for one in testing.evidence_of(version)[:MOST_EVIDENCE]]


def missing_of(points: Iterable[Ticked], papers: Papers) -> frozenset[Need]:
    """Name what only a review knows to be missing: points of the checklist, and what the gate doesn't let through."""
    found = set()
    if any(one.tick is None for one in points):
        found.add(Need.CHECKLIST)
    if not papers.passed:
        found.add(Need.GATE)
    return frozenset(found)


@dataclass(frozen=True)
class Step:
    """A transition that a person may make from the review page, with what still hinders her beyond a reason."""

    transition: Transition
    hindered: str


def steps(moderator: Person, version: DatalabVersion, missing: Iterable[Need]) -> list[Step]:
    """List what a moderator may do with the version now, given what `missing_of` found to be missing."""
    lacks = set(missing)
    if version.datalab.maintainer_id == moderator.pk:
        lacks.add(Need.OTHER_EYES)
    facts = Facts(frozenset({Who.MODERATOR}), frozenset(lacks))
    rows = [row for row in open_to(State(version.state), facts) if row.name in rules.STEPS]
    rows.sort(key=lambda row: rules.STEPS.index(row.name))
    return [Step(row, " ".join(obstacles(row, facts))) for row in rows]


@dataclass(frozen=True)
class TermChange:
    """One metadata term as it is now, and as it was in the version that was published last."""

    term: metadata.Term
    now: Any
    before: Any
    changed: bool


def terms_of(version: DatalabVersion, before: DatalabVersion | None) -> list[TermChange]:
    """List every term that either version has, private ones as well: moderators see them all."""
    old = before.metadata if before else {}
    rows = []
    for term in metadata.terms_of("datalab"):
        now, was = version.metadata.get(term.key), old.get(term.key)
        if now not in (None, "", []) or was not in (None, "", []):
            rows.append(TermChange(term, _words(now), _words(was), before is not None and now != was))
    return rows


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)


def differences(version: DatalabVersion, before: DatalabVersion | None) -> Differences:
    """Compare the files of a version with those of the one that was published last."""
    folder = Path(before.package) if before and before.package else None
    return compare(folder, Path(version.package) if version.package else None)


def entries_of(subjects: Iterable[str]) -> dict[str, Datalab]:
    """Find the datalabs that reports are about, by how the reports name them."""
    slugs = {subject: subject.partition(":")[2] for subject in subjects if subject.startswith("datalab:")}
    found = {one.slug: one for one in Datalab.objects.filter(slug__in=slugs.values()).select_related("maintainer")}
    return {subject: found[slug] for subject, slug in slugs.items() if slug in found}
