"""The catalogue of pipelines and steps, as pages and programs show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.feedback import queries as feedback
from spacelab.kit.refusals import NotFound
from spacelab.pipelines import rules
from spacelab.pipelines.models import Pipeline, PipelineVersion
from spacelab.pipelines.queries.seeing import VISITOR, seen_by
from spacelab.publishing.queries import offered_to
from spacelab.publishing.rules import KEPT, Visibility

SORTS = {
    "modified": ("-updated_at", "slug"),
    "name": ("sort_key", "slug"),
    "oldest": ("updated_at", "slug"),
    "author": ("author", "sort_key", "slug"),
    "popularity": ("-popularity", "sort_key", "slug"),
}
"""The `sort` of a query string → the columns it orders by."""
MOST_WORDS = 12
"""Words of a search that count; more would only make the query slow."""
SUBJECT = feedback.named("pipeline", "slug")
"""How feedback names the pipeline of an outer query."""
HEAVY = ("files", "reading", "metadata")
"""Columns of a version that no list shows."""


@dataclass(frozen=True)
class Filters:
    """What somebody asked the catalogue for. `whose` is "system" (shipped), "own", "bookmarked" or empty."""

    words: str = ""
    tag: str = ""
    kind: str = ""
    whose: str = ""
    author: str = ""
    slug: str = ""
    since: date | None = None
    until: date | None = None
    sort: str = "modified"

    @property
    def active(self) -> bool:
        """Whether anything is left out of the list, the kind apart."""
        return bool(self.words.strip() or self.tag or self.whose or self.author or self.since or self.until)


def _entries(seen: QuerySet[PipelineVersion]) -> QuerySet[Pipeline]:
    """List entries with the versions that are `seen` of them; facts of the newest are the entry's properties."""
    rated = Pipeline.objects.annotate(rating=feedback.average_of(SUBJECT), ratings=feedback.number_of(SUBJECT))
    return rated.select_related("maintainer").prefetch_related(
        Prefetch("versions", queryset=seen.defer(*HEAVY), to_attr="seen_versions")
    )


def _listed_for(person: Person | AnonymousUser) -> Q:
    """Fit the entries in the person's catalogue: those for everybody, those shared with her, and all of her own."""
    listed = Q(listed_at__isnull=False)
    if not isinstance(person, Person):
        return listed
    others = offered_to(PipelineVersion, person).filter(visibility__in=set(Visibility) - {Visibility.EVERYBODY})
    return listed | Q(maintainer=person) | Q(pk__in=others.order_by().values("pipeline"))


def listing(person: Person | AnonymousUser = VISITOR, filters: Filters | None = None) -> Found:
    """List for the person what fits all words (in title, abstract, tags, author) and the filters."""
    filters = filters or Filters()
    found = Pipeline.objects.filter(_listed_for(person))
    for word in rules.fold(filters.words).split()[:MOST_WORDS]:
        found = found.filter(search_text__contains=word)
    if filters.tag:
        found = found.filter(tag_index__contains=rules.tag_index([filters.tag]))
    same = {"kind": filters.kind, "slug": filters.slug}
    found = found.filter(**{name: value for name, value in same.items() if value})
    if filters.author.strip():
        found = found.filter(author__icontains=filters.author.strip()[:120])
    if filters.whose == "system":
        found = found.filter(maintainer=None)
    if filters.whose == "own":
        found = found.filter(maintainer=person) if isinstance(person, Person) else found.none()
    if filters.whose == "bookmarked":
        found = found.filter(slug__in=_bookmarked(person)) if isinstance(person, Person) else found.none()
    if filters.since:
        found = found.filter(updated_at__gte=_midnight(filters.since))
    if filters.until:
        found = found.filter(updated_at__lt=_midnight(filters.until) + timedelta(days=1))
    return Found(person, found.order_by(*SORTS.get(filters.sort, SORTS["modified"])))


def _bookmarked(person: Person) -> list[str]:
    """Name what the person bookmarked."""
    kept = feedback.bookmarks_of(person, "pipeline").values_list("subject", flat=True)
    return [subject.partition(":")[2] for subject in kept]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class Found:
    """What fits a search: counted and cut by its keys alone; only the rows of a page are read whole."""

    def __init__(self, person: Person | AnonymousUser, matching: QuerySet[Pipeline]) -> None:
        self._person = person
        self._keys = matching.values_list("pk", flat=True)

    def count(self) -> int:
        """Count all that fit."""
        return self._keys.count()

    def __len__(self) -> int:
        return self.count()

    def __iter__(self) -> Iterator[Pipeline]:
        return iter(self[:])

    def __getitem__(self, part: slice) -> list[Pipeline]:
        keys = list(self._keys[part])
        rows = _entries(seen_by(self._person)).in_bulk(keys)
        return [rows[key] for key in keys if key in rows]


def shown_to(person: Person | AnonymousUser) -> QuerySet[Pipeline]:
    """List the entries of which the person may see something."""
    seen = seen_by(person)
    return _entries(seen).filter(pk__in=seen.order_by().values("pipeline"))


def pipeline(slug: str, person: Person | AnonymousUser) -> Pipeline:
    """Find one entry that the person may see, or raise `NotFound`, alike for none and for somebody else's draft.

    It comes with what is said about it, for `standing_of`.
    """
    found = shown_to(person).annotate(**feedback.standing(SUBJECT, person)).filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no pipeline “{slug[:60]}”.", advice="Look for it in the catalogue.")
    return found


def versions_of(entry: Pipeline) -> list[Any]:
    """List the versions in what `pipeline` found: published ones, the newest first, then drafts, then the archive."""
    return [*entry.published_versions, *entry.drafts, *entry.archived_versions]


def is_published(entry: Pipeline) -> bool:
    """Say of what was found whether anything of it was ever published."""
    return any(one.state in KEPT for one in entry.seen)


def tags(kind: str = "") -> tuple[tuple[str, int], ...]:
    """Count the tags of what is for everybody, the most frequent first."""
    stamp = Pipeline.objects.aggregate(last=Max("updated_at"), number=Count("pk"))
    return _counted(kind, stamp["last"], stamp["number"])


@lru_cache(maxsize=8)
def _counted(kind: str, _changed: datetime | None, _number: int) -> tuple[tuple[str, int], ...]:
    """Count once for each state of the catalogue."""
    rows = Pipeline.objects.filter(listed_at__isnull=False)
    rows = rows.filter(kind=kind) if kind else rows
    counted = Counter(tag for row in rows.values_list("tags", flat=True).iterator() for tag in row)
    return tuple(sorted(counted.items(), key=lambda one: (-one[1], rules.fold(one[0]))))
