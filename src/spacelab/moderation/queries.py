"""Reads of reviews: the queue, one version with its evidence, its comments and its checklist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, people_with_any, require
from spacelab.kit.refusals import NotFound
from spacelab.moderation import rules
from spacelab.moderation.families import FAMILIES, Reviewed, Version, folder_of
from spacelab.moderation.models import ReviewComment, Tick
from spacelab.moderation.papers import Papers
from spacelab.pipelines.models import PipelineVersion
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.queries import MODERATED, kept_by
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
from spacelab.publishing.rules.differences import Differences, compare
from spacelab.testing import queries as testing

MOST_EVIDENCE = 5
"""Tests that the page shows."""
COMMENTS_BY_LINES = 200
"""Open remarks on lines that stand beside the files; all of them are in the list of comments."""


class Queue:
    """What is with the moderators, of every kind together: counted and cut by keys, the rows of a page read whole."""

    def __init__(self, kinds: list[tuple[Reviewed, Q]]) -> None:
        self._kinds = [one for one, _ in kinds]
        rows = [
            one.kind.objects.filter(which).order_by().annotate(family=Value(number))
            for number, (one, which) in enumerate(kinds)
        ]
        keys = _together([one.values_list("submitted_at", "pk", "family") for one in rows])
        self._keys = sorted(keys, key=lambda one: (one[0] is None, one[0] or 0, one[2], one[1]))

    def count(self) -> int:
        """Count all."""
        return len(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Any]:
        return iter(self[:])

    def __getitem__(self, part: slice) -> list[Any]:
        wanted = self._keys[part]
        found: dict[tuple[int, int], Any] = {}
        for number, one in enumerate(self._kinds):
            entry = one.kind.family.entry
            rows = one.kind.objects.select_related(entry, f"{entry}__maintainer", "reviewer")
            keys = [key for _, key, kind in wanted if kind == number]
            found |= {(number, key): row for key, row in (rows.in_bulk(keys) if keys else {}).items()}
        return [found[kind, key] for _, key, kind in wanted if (kind, key) in found]


def may_moderate(person: Person, version: PublishedVersion) -> bool:
    """Say whether the person may decide about such a version."""
    return may(person, version.family.moderate)


def require_moderator(person: Person, family: str) -> None:
    """Raise `NotSignedIn` or `Forbidden` unless the person may decide about this kind of version."""
    require(person, FAMILIES[family].kind.family.moderate)


def queue(person: Person, shown: rules.Shown = rules.Shown.ALL, families: Iterable[str] = FAMILIES) -> Queue:
    """List what is with the moderators, the oldest submission first; raise `Forbidden` for anybody else."""
    wanted = [FAMILIES[name] for name in families]
    kinds = [one for one in wanted if may(person, one.kind.family.moderate)]
    if not kinds:
        require(person, wanted[0].kind.family.moderate)
    which = Q(state__in=REVIEWABLE)
    if shown is rules.Shown.FREE:
        which &= Q(state=State.SUBMITTED)
    if shown is rules.Shown.MINE:
        which &= Q(state=State.IN_REVIEW, reviewer=person)
    return Queue([(one, which) for one in kinds])


def waiting() -> int:
    """Count the versions that wait for a moderator."""
    rows = [one.kind.objects.filter(state=State.SUBMITTED).order_by().values("pk") for one in FAMILIES.values()]
    number: int = _together(rows).count()
    return number


def load() -> list[tuple[Person, int]]:
    """List every moderator with the number of versions that she has under review."""
    kinds = [one.kind for one in FAMILIES.values()]
    rows = [one.objects.filter(state=State.IN_REVIEW).order_by().values_list("reviewer", "pk") for one in kinds]
    held = Counter(reviewer for reviewer, _ in _together(rows))
    return [(one, held.get(one.pk, 0)) for one in people_with_any([one.family.moderate for one in kinds])]


def _together(rows: list[Any]) -> Any:
    """Return the rows of several tables as those of one query."""
    return rows[0].union(*rows[1:], all=True) if len(rows) > 1 else rows[0]


def version_for(person: Person, slug: str, number: str, family: str = "datalabs") -> Any:
    """Find a version that was handed to the moderators; raise `Forbidden` or `NotFound`."""
    require_moderator(person, family)
    return _found(FAMILIES[family], Q(state__in=MODERATED), slug, number)


def own_version(person: Person, slug: str, number: str, family: str = "datalabs") -> Any:
    """Find a version of the person's own; raise `NotFound` for anybody else's."""
    return _found(FAMILIES[family], kept_by(FAMILIES[family].kind, person), slug, number)


def talk_about(person: Person, slug: str, number: str, family: str = "datalabs") -> Any:
    """Find a version that the person may comment on, as its author or as a moderator; raise `NotFound` otherwise."""
    kind = FAMILIES[family].kind
    whose = kept_by(kind, person)
    if may(person, kind.family.moderate):
        whose |= Q(state__in=MODERATED)
    return _found(FAMILIES[family], whose, slug, number)


def _found(one: Reviewed, which: Q, slug: str, number: str) -> Any:
    entry = one.kind.family.entry
    still_open = Q(review_comments__answers=None, review_comments__resolved_at=None)
    rows = one.kind.objects.select_related(entry, f"{entry}__maintainer", "reviewer").annotate(
        open_comments=Count("review_comments", filter=still_open & Q(review_comments__isnull=False))
    )
    found = rows.filter(which, **{f"{entry}__slug": slug, "version": number}).first()
    if found is None:
        raise NotFound("There is no such review.", advice="Look for it in the queue; it may have been withdrawn.")
    return found


def published_before(version: Version) -> Version | None:
    """Find the version of the same entry that was published last."""
    others = version.entry.versions.filter(state__in=KEPT, published_at__isnull=False).exclude(pk=version.pk)
    found: Version | None = others.order_by("-published_at", "-pk").first()
    return found


def comments(version: Version) -> QuerySet[ReviewComment]:
    """List the comments on a version, each followed by its answers, oldest first."""
    rows = version.review_comments.select_related("author", "resolved_by")
    return rows.order_by(Coalesce("answers_id", "id"), "id")


def comments_by_lines(version: Version) -> dict[str, list[ReviewComment]]:
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


def checklist(version: Version) -> list[Ticked]:
    """List the points of the checklist with the ticks of this submission."""
    rows = version.ticks.filter(submitted_at=version.submitted_at) if version.submitted_at else Tick.objects.none()
    ticks = {one.point: one for one in rows.select_related("person")}
    return [Ticked(point, ticks.get(point.name)) for point in rules.CHECKLIST.values()]


def evidence_of(version: Version) -> list[Any]:
    """List what the last tests of a version found, newest first."""
    if isinstance(version, PipelineVersion):
        return list(version.evidence.all()[:MOST_EVIDENCE])
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


def steps(moderator: Person, version: Version, missing: Iterable[Need]) -> list[Step]:
    """List what a moderator may do with the version now, given what `missing_of` found to be missing."""
    lacks = set(missing)
    if version.entry.maintainer_id == moderator.pk:
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


def terms_of(version: Version, before: Version | None) -> list[TermChange]:
    """List every term that either version has, private ones as well: moderators see them all."""
    old = before.metadata if before else {}
    rows = []
    for term in metadata.terms_of(version.family.kind):
        now, was = version.metadata.get(term.key), old.get(term.key)
        if now not in (None, "", []) or was not in (None, "", []):
            rows.append(TermChange(term, _words(now), _words(was), before is not None and now != was))
    return rows


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)


def differences(version: Version, before: Version | None) -> Differences:
    """Compare the files of a version with those of the one that was published last."""
    with folder_of(before) as old, folder_of(version) as new:
        return compare(old, new)


def entries_of(subjects: Iterable[str]) -> dict[str, Any]:
    """Find the entries that reports are about, by how the reports name them."""
    named = list(subjects)
    found: dict[str, Any] = {}
    for one in FAMILIES.values():
        word = f"{one.kind.family.word}:"
        slugs = {subject: subject.removeprefix(word) for subject in named if subject.startswith(word)}
        rows: Any = one.entry._default_manager  # noqa: SLF001  Django's name for it
        entries = {row.slug: row for row in rows.filter(slug__in=slugs.values()).select_related("maintainer")}
        found |= {subject: entries[slug] for subject, slug in slugs.items() if slug in entries}
    return found
