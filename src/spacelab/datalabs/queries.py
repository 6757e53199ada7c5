"""Reads of the app store: only what is published."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from spacelab.datalabs import rules
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.kit.refusals import NotFound

SORTS = {"name": ("search_text", "slug"), "newest": ("-latest_at", "search_text")}
"""The `sort` of a query string → the columns it orders by; `search_text` starts with the title, without accents."""

MOST_WORDS = 12
"""Words of a search that count; more would only make the query slow."""


@dataclass(frozen=True)
class Filters:
    """What a visitor asked the catalogue for."""

    words: str = ""
    tag: str = ""
    kind: str = ""
    sort: str = "name"

    @property
    def active(self) -> bool:
        """Whether anything is left out of the list."""
        return bool(self.words.strip() or self.tag or self.kind)


def published() -> QuerySet[Datalab]:
    """List datalabs that have a published version, each with its `latest_version` and `latest_at`."""
    newest = DatalabVersion.objects.filter(datalab=OuterRef("pk"), state=rules.State.PUBLISHED).order_by(
        "-published_at", "-id"
    )
    versions = DatalabVersion.objects.filter(state=rules.State.PUBLISHED).order_by("-published_at", "-id")
    return (
        Datalab.objects.annotate(
            latest_version=Subquery(newest.values("version")[:1]), latest_at=Subquery(newest.values("published_at")[:1])
        )
        .filter(latest_version__isnull=False)
        .prefetch_related(Prefetch("versions", queryset=versions, to_attr="published_versions"))
        .order_by("search_text", "slug")
    )


def catalogue(filters: Filters) -> QuerySet[Datalab]:
    """List what fits all words (in title, abstract, tags or author), the tag and the kind."""
    found = published()
    for word in rules.fold(filters.words).split()[:MOST_WORDS]:
        found = found.filter(search_text__contains=word)
    if filters.tag:
        found = found.filter(tag_index__contains=rules.tag_index([filters.tag]))
    if filters.kind:
        found = found.filter(kind=filters.kind)
    return found.order_by(*SORTS.get(filters.sort, SORTS["name"]))


def preselecting(volume: str) -> list[Datalab]:
    """List the published datalabs whose newest version has the volume among its defaults."""
    return [one for one in published() if volume in one.published_versions[0].default_volumes]  # type: ignore[attr-defined]


def tags() -> list[tuple[str, int]]:
    """Count the tags of published datalabs, the most frequent first."""
    rows = published().prefetch_related(None).values_list("tags", flat=True)
    counted = Counter(tag for row in rows for tag in row)
    return sorted(counted.items(), key=lambda one: (-one[1], rules.fold(one[0])))


def datalab(slug: str) -> Datalab:
    """Find one published datalab, or raise `NotFound`."""
    found = published().filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no datalab “{slug}”.", advice="Look for it in the catalogue.")
    return found
