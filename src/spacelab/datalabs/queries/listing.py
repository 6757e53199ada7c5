"""The entries of the app store as pages show them, with their versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, Window

from spacelab.accounts.models import Person
from spacelab.datalabs import rules
from spacelab.datalabs.models import Datalab, DatalabVersion, Evidence
from spacelab.datalabs.queries.people import may_author
from spacelab.datalabs.queries.seeing import offered_to, seen_by
from spacelab.feedback import queries as feedback
from spacelab.kit.refusals import NotFound
from spacelab.publishing.rules import (
    KEPT,
    RUNNABLE,
    Visibility,
)
from spacelab.publishing.rules.facets import facet_entry, facet_title, file_type
from spacelab.workloads.queries import capabilities

SORTS = {
    "name": ("sort_key", "slug"),
    "newest": (F("listed_at").desc(nulls_last=True), "sort_key", "slug"),
    "popularity": ("-popularity", "sort_key", "slug"),
}
"""The `sort` of a query string → the columns it orders by."""


VISITOR = AnonymousUser()
SUBJECT = feedback.named("datalab", "slug")
"""How feedback names the datalab of an outer query."""


@dataclass(frozen=True)
class Filters:
    """What a visitor asked the catalogue for."""

    words: str = ""
    tag: str = ""
    kind: str = ""
    sort: str = "name"
    mission: str = ""
    domain: str = ""
    opens: str = ""
    """The name or an ending of a file type."""
    official: bool = False

    @property
    def facets(self) -> list[tuple[str, str]]:
        """The facets asked for, each with its value."""
        opens, official = file_type(self.opens), "yes" if self.official else ""
        asked = {"mission": self.mission.strip(), "domain": self.domain.strip(), "opens": opens, "official": official}
        return [(facet, value) for facet, value in asked.items() if value]

    @property
    def active(self) -> bool:
        """Whether anything is left out of the list."""
        return bool(self.words.strip() or self.tag or self.kind or self.facets)


MOST_WORDS = 12
"""Words of a search that count; more would only make the query slow."""


def _entries(seen: QuerySet[DatalabVersion]) -> QuerySet[Datalab]:
    """List datalabs with the versions that are `seen` of them; facts of the newest are the entry's properties."""
    return (
        Datalab.objects.annotate(rating=feedback.average_of(SUBJECT), ratings=feedback.number_of(SUBJECT))
        .prefetch_related(Prefetch("versions", queryset=seen, to_attr="seen_versions"))
        .order_by(*SORTS["name"])
    )


def _listed_for(person: Person | AnonymousUser) -> Q:
    """Fit the datalabs in the person's catalogue, without a look at the versions that are for everybody."""
    listed = Q(listed_at__isnull=False)
    if not isinstance(person, Person):
        return listed
    others = offered_to(person).filter(visibility__in=set(Visibility) - {Visibility.EVERYBODY}).order_by()
    return listed | Q(pk__in=others.values("datalab"))


def published(person: Person | AnonymousUser = VISITOR) -> QuerySet[Datalab]:
    """List datalabs with a version in the person's catalogue, each with its `latest_version` and `latest_at`."""
    return _entries(seen_by(person).filter(state__in=RUNNABLE | KEPT)).filter(_listed_for(person))


def shown_to(person: Person | AnonymousUser) -> QuerySet[Datalab]:
    """List datalabs of which the person may see something that was built, or is archived."""
    seen = seen_by(person).filter(state__in=RUNNABLE | KEPT)
    folder = Subquery(_last_passed(OuterRef("pk"), OuterRef("content_hash"))[:1])
    found = _entries(seen.annotate(last_passed_in=folder))
    return found.filter(Exists(seen.filter(datalab=OuterRef("pk")).order_by()))


def tested_in(version: DatalabVersion) -> str:
    """Return the folder with the files of the last test that the version's content passed; empty if there is none."""
    if hasattr(version, "last_passed_in"):
        return version.last_passed_in or ""
    return _last_passed(version.pk, version.content_hash).first() or ""


def _last_passed(version: Any, content_hash: Any) -> QuerySet[Evidence, str]:
    passed = Evidence.objects.filter(version=version, content_hash=content_hash, passed=True)
    return passed.exclude(folder="").values_list("folder", flat=True)


def with_drafts_of(person: Person | AnonymousUser) -> QuerySet[Datalab]:
    """List the datalabs of which the person maintains a version that is not published."""
    if not isinstance(person, Person) or not may_author(person):
        return Datalab.objects.none()
    drafts = DatalabVersion.objects.filter(state__in=RUNNABLE, datalab__maintainer=person)
    found = Datalab.objects.filter(pk__in=drafts.order_by().values("datalab")).order_by(*SORTS["name"])
    return found.prefetch_related(Prefetch("versions", queryset=drafts, to_attr="seen_versions"))


def drafts_of(datalab: Datalab) -> list[DatalabVersion]:
    """List what may be tried before it is published, in what `shown_to` found."""
    return datalab.drafts


def archived_of(datalab: Datalab) -> list[DatalabVersion]:
    """List what is in the archive, in what `shown_to` found."""
    return datalab.archived_versions


def versions_of(datalab: Datalab) -> list[DatalabVersion]:
    """List the versions in what `shown_to` found: published ones, the newest first, then drafts, then the archive."""
    return [*datalab.published_versions, *drafts_of(datalab), *archived_of(datalab)]


def is_published(datalab: Datalab) -> bool:
    """Say of what `shown_to` found whether everybody may see it."""
    return any(one.visibility == Visibility.EVERYBODY for one in datalab.published_versions)


def trouble_of(version: DatalabVersion) -> str:
    """Say why this platform's runtime can't carry the version; nothing where it can."""
    return rules.trouble_here(image=version.image, environment=version.environment, images=capabilities().images)


def preferred(versions: Sequence[DatalabVersion]) -> DatalabVersion:
    """Return the first of these versions that can run here, else the first."""
    return next((one for one in versions if not trouble_of(one)), versions[0])


def threads_of(version: DatalabVersion) -> list[rules.Thread]:
    """List the version's predefined processing threads."""
    return [rules.Thread.from_json(one) for one in version.threads]


FIRST_PART = 24
"""Keys that are read together with the count: a page of the catalogue."""


class Found:
    """What fits a search: counted and cut by its keys alone; only the rows of a page are read whole.

    Where everything is looked through, as for a search's words, the first part comes with the count of all: twice would
    take most of the time. Where an index tells both, each is asked for by itself.
    """

    def __init__(self, person: Person | AnonymousUser, matching: QuerySet[Datalab], *, at_once: bool) -> None:
        self._person = person
        self._keys = matching.values_list("pk", flat=True)
        self._at_once = at_once

    @cached_property
    def _first(self) -> list[tuple[int, int]]:
        counted = self._keys.annotate(number=Window(Count("*"))).values_list("pk", "number")
        return list(counted[:FIRST_PART])

    def count(self) -> int:
        """Count all that fit."""
        if not self._at_once:
            return self._keys.count()
        return self._first[0][1] if self._first else 0

    def __len__(self) -> int:
        return self.count()

    def __iter__(self) -> Iterator[Datalab]:
        return iter(self[:])

    def __getitem__(self, part: slice) -> list[Datalab]:
        first = self._at_once and part.stop is not None and part.stop <= FIRST_PART
        keys = [key for key, _ in self._first[part]] if first else list(self._keys[part])
        rows = _entries(offered_to(self._person)).in_bulk(keys)
        return [rows[key] for key in keys if key in rows]


def catalogue(filters: Filters, person: Person | AnonymousUser = VISITOR) -> Found:
    """List for the person what fits all words (in title, abstract, tags, author), the tag, the kind and the facets."""
    found = Datalab.objects.filter(_listed_for(person))
    for word in rules.fold(filters.words).split()[:MOST_WORDS]:
        found = found.filter(search_text__contains=word)
    if filters.tag:
        found = found.filter(tag_index__contains=rules.tag_index([filters.tag]))
    if filters.kind:
        found = found.filter(kind=filters.kind)
    for facet, value in filters.facets:
        found = found.filter(facet_index__contains=facet_entry(facet, value))
    return Found(person, found.order_by(*SORTS.get(filters.sort, SORTS["name"])), at_once=filters.active)


def preselecting(volume: str) -> list[Datalab]:
    """List the published datalabs whose newest version has the volume among its defaults."""
    return [one for one in published() if volume in one.published_versions[0].default_volumes]


@dataclass(frozen=True)
class Value:
    """A value of a facet: as the query string names it, as people read it, and how many datalabs have it."""

    name: str
    title: str
    number: int


def tags() -> list[tuple[str, int]]:
    """Count the tags of the datalabs that are for everybody, the most frequent first."""
    return [(one.name, one.number) for one in facets()["tag"]]


def facets() -> dict[str, tuple[Value, ...]]:
    """Count the tags, missions, fields of science and file types of the datalabs that are for everybody.

    Tags come by their number, the others by their titles.
    """
    stamp = Datalab.objects.aggregate(last=Max("updated_at"), number=Count("pk"))
    return _counted(stamp["last"], stamp["number"])


@lru_cache(maxsize=4)
def _counted(_changed: datetime | None, _number: int) -> dict[str, tuple[Value, ...]]:
    """Count once for each state of the catalogue: with thousands of datalabs, that is most of a page's time."""
    counted: dict[str, Counter[str]] = {"tag": Counter(), "mission": Counter(), "domain": Counter(), "opens": Counter()}
    rows = Datalab.objects.filter(listed_at__isnull=False).values_list("tags", "facets")
    for row_tags, row_facets in rows.iterator():
        counted["tag"].update(row_tags)
        for facet, values in row_facets.items():
            if facet in counted:
                counted[facet].update(values)
    return {facet: _values(facet, number) for facet, number in counted.items()}


def _values(facet: str, counted: Counter[str]) -> tuple[Value, ...]:
    """Put together what differs in its capitals alone, and order it."""
    together: dict[str, Value] = {}
    for name, number in counted.most_common():
        key = name if facet == "tag" else name.casefold()
        before = together.get(key) or Value(name, facet_title(facet, name), 0)
        together[key] = Value(before.name, before.title, before.number + number)
    by_title = sorted(together.values(), key=lambda one: rules.fold(one.title))
    return tuple(sorted(by_title, key=lambda one: -one.number) if facet == "tag" else by_title)


def datalab(slug: str, person: Person | AnonymousUser) -> Datalab:
    """Find one datalab that the person may see, or raise `NotFound`, alike for none and for somebody else's draft.

    It comes with what is said about it, for `standing_of`.
    """
    found = shown_to(person).annotate(**feedback.standing(SUBJECT, person)).filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no datalab “{slug}”.", advice="Look for it in the catalogue.")
    return found
