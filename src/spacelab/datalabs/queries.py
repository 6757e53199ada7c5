"""Reads of the app store: what is published, and what a maintainer may try before that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, OuterRef, Prefetch, Q, QuerySet, Subquery

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, require
from spacelab.datalabs import rules
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.kit.refusals import Forbidden, NotFound
from spacelab.workloads.queries import capabilities

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


NEWEST_FIRST = (F("published_at").desc(nulls_last=True), "-id")
"""The order of versions: published ones come before drafts, on every database."""


def launchable_by(person: Person | AnonymousUser) -> QuerySet[DatalabVersion]:
    """List the versions that the person may launch: published ones, and drafts of datalabs that she maintains."""
    allowed = Q(state=rules.State.PUBLISHED)
    if isinstance(person, Person):
        allowed |= Q(state=rules.State.DRAFT, datalab__maintainer=person)
    return DatalabVersion.objects.filter(allowed).order_by(*NEWEST_FIRST)


def _with_versions(versions: QuerySet[DatalabVersion]) -> QuerySet[Datalab]:
    newest = versions.filter(datalab=OuterRef("pk")).order_by(*NEWEST_FIRST)
    return (
        Datalab.objects.annotate(
            latest_version=Subquery(newest.values("version")[:1]), latest_at=Subquery(newest.values("published_at")[:1])
        )
        .filter(latest_version__isnull=False)
        .prefetch_related(
            Prefetch("versions", queryset=versions.filter(state=rules.State.PUBLISHED), to_attr="published_versions"),
            Prefetch("versions", queryset=versions.filter(state=rules.State.DRAFT), to_attr="drafts"),
        )
        .order_by("search_text", "slug")
    )


def published() -> QuerySet[Datalab]:
    """List datalabs that have a published version, each with its `latest_version` and `latest_at`."""
    return _with_versions(DatalabVersion.objects.filter(state=rules.State.PUBLISHED).order_by(*NEWEST_FIRST))


def shown_to(person: Person | AnonymousUser) -> QuerySet[Datalab]:
    """List datalabs that have a version the person may launch, with her own `drafts` beside the published versions."""
    return _with_versions(launchable_by(person))


def with_drafts_of(person: Person | AnonymousUser) -> QuerySet[Datalab]:
    """List the datalabs of which the person maintains a draft."""
    if not isinstance(person, Person):
        return Datalab.objects.none()
    drafts = DatalabVersion.objects.filter(state=rules.State.DRAFT, datalab__maintainer=person)
    return shown_to(person).filter(pk__in=drafts.values("datalab"))


def drafts_of(datalab: Datalab) -> list[DatalabVersion]:
    """List the drafts in what `shown_to` found."""
    return list(datalab.drafts)  # type: ignore[attr-defined]


def versions_of(datalab: Datalab) -> list[DatalabVersion]:
    """List the versions in what `shown_to` found: published ones, the newest first, then drafts."""
    return [*datalab.published_versions, *drafts_of(datalab)]  # type: ignore[attr-defined]


def is_published(datalab: Datalab) -> bool:
    """Say of what `shown_to` found whether everybody may see it."""
    return bool(datalab.published_versions)  # type: ignore[attr-defined]


def trouble_of(version: DatalabVersion) -> str:
    """Say why this platform's runtime can't carry the version; nothing where it can."""
    return rules.trouble_here(image=version.image, environment=version.environment, images=capabilities().images)


def preferred(versions: Sequence[DatalabVersion]) -> DatalabVersion:
    """Return the first of these versions that can run here, else the first."""
    return next((one for one in versions if not trouble_of(one)), versions[0])


def threads_of(version: DatalabVersion) -> list[rules.Thread]:
    """List the version's predefined processing threads."""
    return [rules.Thread.from_json(one) for one in version.threads]


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


def datalab(slug: str, person: Person | AnonymousUser) -> Datalab:
    """Find one datalab that the person may see, or raise `NotFound`, alike for none and for somebody else's draft."""
    found = shown_to(person).filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no datalab “{slug}”.", advice="Look for it in the catalogue.")
    return found


def require_author(person: Person | AnonymousUser) -> None:
    """Raise `NotSignedIn` or `Forbidden` unless the person may write datalabs."""
    if isinstance(person, Person) and not may_author(person):
        raise Forbidden(
            "Bringing an application needs the role of a developer, which you don't have.",
            advice="Ask an operator for it.",
        )
    require(person, DatalabPermission.AUTHOR)


def may_author(person: Person | AnonymousUser, *, dockerfile: bool = False) -> bool:
    """Say whether the person may write datalabs, with a Dockerfile of her own where asked for."""
    return may(person, DatalabPermission.AUTHOR_DOCKERFILE if dockerfile else DatalabPermission.AUTHOR)
