"""Reads of the app store: what is published, and what a maintainer may try before that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, people_with, require
from spacelab.datalabs import rules
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.images import queries as images
from spacelab.images.rules.gate import Gate
from spacelab.kit.refusals import Forbidden, NotFound, NotSignedIn
from spacelab.publishing.rules import (
    DELETABLE,
    KEPT,
    OFFERED,
    REVIEWABLE,
    RUNNABLE,
    TRANSITIONS,
    Facts,
    Need,
    State,
    Transition,
    Visibility,
    Who,
    obstacles,
    open_to,
    terms,
)
from spacelab.workloads.queries import capabilities

SORTS = {"name": ("sort_key", "slug"), "newest": (F("listed_at").desc(nulls_last=True), "sort_key", "slug")}
"""The `sort` of a query string → the columns it orders by."""

VISITOR = AnonymousUser()
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

MODERATED = frozenset({State.CHANGES_REQUESTED, State.APPROVED, State.REJECTED}) | REVIEWABLE | KEPT
"""What a moderator sees of everybody's: what is, or was, handed to the moderators."""


def _admitted(person: Person | AnonymousUser) -> Q:
    """Fit the versions that `may_see` of the rules lets this person see."""
    everybody = Q(visibility=Visibility.EVERYBODY, state__in=KEPT)
    if not isinstance(person, Person):
        return everybody
    named = Q(visibility=Visibility.PEOPLE) & Exists(
        DatalabVersion.people.through.objects.filter(datalabversion=OuterRef("pk"), person=person)
    )
    in_team = Q(visibility=Visibility.TEAMS) & Exists(
        DatalabVersion.teams.through.objects.filter(datalabversion=OuterRef("pk"), team__memberships__person=person)
    )
    shared = (named | in_team) & Q(state__in=RUNNABLE | KEPT)
    seen = everybody | shared | Q(datalab__maintainer=person)
    return seen | Q(state__in=MODERATED) if may(person, DatalabPermission.MODERATE) else seen


def seen_by(person: Person | AnonymousUser) -> QuerySet[DatalabVersion]:
    """List the versions that exist for the person: her own, those shared with her, those for everybody."""
    return DatalabVersion.objects.filter(_admitted(person)).order_by(*NEWEST_FIRST)


def launchable_by(person: Person | AnonymousUser) -> QuerySet[DatalabVersion]:
    """List the versions that the person may launch, published ones first. The archive has a permission of its own."""
    versions = seen_by(person).filter(state__in=RUNNABLE | KEPT)
    if may(person, DatalabPermission.LAUNCH_ARCHIVED) or may(person, DatalabPermission.MODERATE):
        return versions
    mine = Q(datalab__maintainer=person) if isinstance(person, Person) else Q(pk__in=[])
    return versions.filter(~Q(state=State.ARCHIVED) | mine)


def offered_to(person: Person | AnonymousUser) -> QuerySet[DatalabVersion]:
    """List the versions that stand in the person's catalogue: published for her, not archived."""
    return seen_by(person).filter(state__in=OFFERED)


def _with_versions(person: Person | AnonymousUser, needed: QuerySet[DatalabVersion]) -> QuerySet[Datalab]:
    seen = seen_by(person)
    trial = launchable_by(person).filter(state__in=RUNNABLE)
    return _entries(person, needed).prefetch_related(
        Prefetch("versions", queryset=trial, to_attr="drafts"),
        Prefetch("versions", queryset=seen.filter(state=State.ARCHIVED), to_attr="archived_versions"),
    )


def _entries(person: Person | AnonymousUser, needed: QuerySet[DatalabVersion]) -> QuerySet[Datalab]:
    """List datalabs as the catalogue shows them: with what is published alone."""
    newest = needed.filter(datalab=OuterRef("pk")).order_by(*NEWEST_FIRST)
    return (
        Datalab.objects.annotate(
            latest_version=Subquery(newest.values("version")[:1]), latest_at=Subquery(newest.values("published_at")[:1])
        )
        .prefetch_related(Prefetch("versions", queryset=offered_to(person), to_attr="published_versions"))
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
    return _with_versions(person, offered_to(person)).filter(_listed_for(person))


def shown_to(person: Person | AnonymousUser) -> QuerySet[Datalab]:
    """List datalabs of which the person may see something that was built, or is archived."""
    seen = seen_by(person).filter(state__in=RUNNABLE | KEPT)
    return _with_versions(person, seen).filter(Exists(seen.filter(datalab=OuterRef("pk")).order_by()))


def with_drafts_of(person: Person | AnonymousUser) -> QuerySet[Datalab]:
    """List the datalabs of which the person maintains a version that is not published."""
    if not isinstance(person, Person) or not may_author(person):
        return Datalab.objects.none()
    drafts = DatalabVersion.objects.filter(state__in=RUNNABLE, datalab__maintainer=person)
    return shown_to(person).filter(pk__in=drafts.values("datalab"))


def drafts_of(datalab: Datalab) -> list[DatalabVersion]:
    """List what may be tried before it is published, in what `shown_to` found."""
    return list(getattr(datalab, "drafts", ()))


def archived_of(datalab: Datalab) -> list[DatalabVersion]:
    """List what is in the archive, in what `shown_to` found."""
    return list(getattr(datalab, "archived_versions", ()))


def versions_of(datalab: Datalab) -> list[DatalabVersion]:
    """List the versions in what `shown_to` found: published ones, the newest first, then drafts, then the archive."""
    return [*datalab.published_versions, *drafts_of(datalab), *archived_of(datalab)]  # type: ignore[attr-defined]


def is_published(datalab: Datalab) -> bool:
    """Say of what `shown_to` found whether everybody may see it."""
    return any(one.visibility == Visibility.EVERYBODY for one in datalab.published_versions)  # type: ignore[attr-defined]


def trouble_of(version: DatalabVersion) -> str:
    """Say why this platform's runtime can't carry the version; nothing where it can."""
    return rules.trouble_here(image=version.image, environment=version.environment, images=capabilities().images)


def preferred(versions: Sequence[DatalabVersion]) -> DatalabVersion:
    """Return the first of these versions that can run here, else the first."""
    return next((one for one in versions if not trouble_of(one)), versions[0])


def threads_of(version: DatalabVersion) -> list[rules.Thread]:
    """List the version's predefined processing threads."""
    return [rules.Thread.from_json(one) for one in version.threads]


class Found:
    """What fits a search: counted and cut by its keys alone; only the rows of a page are read whole."""

    def __init__(self, person: Person | AnonymousUser, matching: QuerySet[Datalab]) -> None:
        self._person = person
        self._keys = matching.values_list("pk", flat=True)

    def count(self) -> int:
        """Count all that fit."""
        return self._keys.count()

    def __len__(self) -> int:
        return self.count()

    def __iter__(self) -> Iterator[Datalab]:
        return iter(self[:])

    def __getitem__(self, part: slice) -> list[Datalab]:
        keys = list(self._keys[part])
        rows = _entries(self._person, offered_to(self._person)).in_bulk(keys)
        return [rows[key] for key in keys if key in rows]


def catalogue(filters: Filters, person: Person | AnonymousUser = VISITOR) -> Found:
    """List what fits all words (in title, abstract, tags or author), the tag and the kind, for the person."""
    found = Datalab.objects.filter(_listed_for(person))
    for word in rules.fold(filters.words).split()[:MOST_WORDS]:
        found = found.filter(search_text__contains=word)
    if filters.tag:
        found = found.filter(tag_index__contains=rules.tag_index([filters.tag]))
    if filters.kind:
        found = found.filter(kind=filters.kind)
    return Found(person, found.order_by(*SORTS.get(filters.sort, SORTS["name"])))


def preselecting(volume: str) -> list[Datalab]:
    """List the published datalabs whose newest version has the volume among its defaults."""
    return [one for one in published() if volume in one.published_versions[0].default_volumes]  # type: ignore[attr-defined]


def tags() -> list[tuple[str, int]]:
    """Count the tags of the datalabs that are for everybody, the most frequent first."""
    stamp = Datalab.objects.aggregate(last=Max("updated_at"), number=Count("pk"))
    return list(_counted_tags(stamp["last"], stamp["number"]))


@lru_cache(maxsize=4)
def _counted_tags(_changed: datetime | None, _number: int) -> tuple[tuple[str, int], ...]:
    """Count once for each state of the catalogue: with thousands of datalabs, that is most of a page's time."""
    rows = Datalab.objects.filter(listed_at__isnull=False).values_list("tags", flat=True)
    counted = Counter(tag for row in rows.iterator() for tag in row)
    return tuple(sorted(counted.items(), key=lambda one: (-one[1], rules.fold(one[0]))))


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


def may_moderate(person: Person | AnonymousUser) -> bool:
    """Say whether the person may inspect and decide about what others hand in."""
    return may(person, DatalabPermission.MODERATE)


def keepers() -> list[Person]:
    """List who may archive anybody's datalab: the people behind what the platform itself ships."""
    return people_with(DatalabPermission.ARCHIVE_ANY)


def require_moderator(person: Person | AnonymousUser) -> None:
    """Raise `NotSignedIn` or `Forbidden` unless the person may decide about what is published."""
    require(person, DatalabPermission.MODERATE)


def moderators() -> list[Person]:
    """List the people who may decide about what is published."""
    return people_with(DatalabPermission.MODERATE)


def facts_of(
    person: Person, version: DatalabVersion, *, reason: str = "", lacking: frozenset[Need] = frozenset()
) -> Facts:
    """Gather as whom a person may act on a version, and which needs of its transitions do not hold."""
    newer, missing = newer_than(version), missing_terms(version)
    lacks = {
        Need.OTHER_EYES: version.datalab.maintainer_id == person.pk,
        Need.REASON: not reason.strip(),
        Need.PACKAGE: not version.package,
        Need.BUILD: not (version.image or version.environment),
        Need.NEWER: bool(newer),
        Need.METADATA: bool(missing),
        Need.GATE: not passes_gate(version),
        Need.LAUNCH_TEST: not has_passed(version),
    }
    details = ((Need.NEWER, f"The newest is {newer}."), (Need.METADATA, f"Fill in: {', '.join(missing)}."))
    return Facts(_acting(person, version), lacking | {need for need, lacks_it in lacks.items() if lacks_it}, details)


def _acting(person: Person, version: DatalabVersion) -> frozenset[Who]:
    holds = {
        Who.AUTHOR: version.datalab.maintainer_id == person.pk and may(person, DatalabPermission.AUTHOR),
        Who.MODERATOR: may(person, DatalabPermission.MODERATE),
        Who.OPERATOR: may(person, DatalabPermission.ARCHIVE_ANY),
    }
    return frozenset(who for who, acts in holds.items() if acts)


def newer_than(version: DatalabVersion) -> str:
    """Return the number of a published version that is as high or higher, or an empty text."""
    published = version.datalab.versions.filter(state__in=KEPT).exclude(pk=version.pk)
    numbers = [one.version for one in published]
    mine = rules.version_key(version.version)
    return max((one for one in numbers if rules.version_key(one) >= mine), key=rules.version_key, default="")


def missing_terms(version: DatalabVersion) -> list[str]:
    """Name the mandatory terms that a version lacks."""
    return [term.label for term in terms.missing(version.metadata, terms.Kind.DATALAB)]


def passes_gate(version: DatalabVersion) -> bool:
    """Say whether what is known today about the version's contents passes the platform's rule; without one all do."""
    if images.gate() is Gate.OFF:
        return True
    if not (version.image_digest or version.environment):
        return False
    report = images.last_report(images.key_of(image_id=version.image_digest, environment=version.environment))
    return report is not None and images.passes(report, images.judge(report))


def has_passed(version: DatalabVersion) -> bool:
    """Say whether the version's present content has passed its last launch test."""
    last = version.evidence.filter(kind=rules.EvidenceKind.LAUNCH_TEST).first()
    return last is not None and last.passed and last.content_hash == version.content_hash


def last_started(version: DatalabVersion) -> datetime | None:
    """Say when the platform last started the version's present content, and all went well; None if never."""
    found = version.evidence.filter(passed=True, content_hash=version.content_hash)
    return found.values_list("at", flat=True).first()


def entry_of(version: DatalabVersion) -> dict[str, Any]:
    """Return what the catalogue's entry says once this version is published."""
    said = version.metadata
    author = said.get("creator.name", "")
    return {
        "title": said.get("title") or version.datalab.title,
        "abstract": said.get("abstract") or version.datalab.abstract,
        "description": said.get("description", ""),
        "author": (", ".join(author) if isinstance(author, list) else author)[:120],
        "contact": _first(said.get("contactPoint.email", "")),
        "tags": rules.words(said.get("keywords", [])),
        "kind": version.kind or version.datalab.kind,
        "icon": version.icon or version.datalab.icon,
    }


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else str(value or "")


@dataclass(frozen=True)
class Step:
    """A transition that somebody may make now, what still hinders her, and whether she has to give a reason."""

    transition: Transition
    lacking: list[str]

    @property
    def asks_reason(self) -> bool:
        """Whether its author will want to read why."""
        return Need.REASON in self.transition.needs


def authored_by(person: Person) -> QuerySet[DatalabVersion]:
    """List every version of the datalabs that the person maintains, by datalab, the newest first."""
    mine = DatalabVersion.objects.filter(datalab__maintainer=person).select_related("datalab")
    return mine.order_by("datalab__search_text", "datalab__slug", "-id")


def inside_for(person: Person | AnonymousUser) -> QuerySet[DatalabVersion]:
    """List the versions of which the person sees all: her own, a moderator's to judge, an operator's to archive."""
    if not isinstance(person, Person):
        return DatalabVersion.objects.none()
    opened = Q(datalab__maintainer=person)
    if may(person, DatalabPermission.MODERATE):
        opened |= Q(state__in=MODERATED)
    if may(person, DatalabPermission.ARCHIVE_ANY):
        opened |= Q(state__in=KEPT)
    return DatalabVersion.objects.filter(opened)


def find_authored(person: Person | AnonymousUser, slug: str, version: str) -> DatalabVersion:
    """Find a version whose authoring pages the person may open; raise `NotSignedIn`, or `NotFound` for all others.

    Those are its author, moderators of what is or was handed to them, and operators of what was published.
    """
    if not isinstance(person, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in to see what you wrote.")
    found = inside_for(person).filter(datalab__slug=slug, version=version)
    one = found.select_related("datalab__maintainer", "reviewer").first()
    if one is None:
        raise NotFound(f"There is no such version of “{slug[:60]}”.", advice="Look at the datalab's page.")
    return one


def authoring_context(person: Person, version: DatalabVersion, tab: str) -> dict[str, Any]:
    """Return what `datalabs/authoring.html` shows around a tab of a version's authoring pages."""
    state = State(version.state)
    author = version.datalab.maintainer_id == person.pk
    writes = author and may_author(person)
    return {
        "datalab": version.datalab,
        "version": version,
        "tab": tab,
        "tabs": rules.AUTHORING_TABS,
        "state": state,
        "tone": rules.tone_of(state),
        "steps": steps_of(person, version),
        "is_author": author,
        "can_write": writes and version.is_editable,
        "can_delete": writes and state in DELETABLE,
        "changed_at": version.changes.order_by("-id").values_list("at", flat=True).first(),
    }


def steps_of(person: Person, version: DatalabVersion) -> list[Step]:
    """List what the person may do with a version from its head: what has a page of its own is left out."""
    facts = facts_of(person, version, reason="asked for with the step")
    return [
        Step(one, obstacles(one, facts))
        for one in open_to(State(version.state), facts)
        if one.name in rules.STEPS_OF_THE_HEAD
    ]


def state_of(version: DatalabVersion) -> State:
    """Return where a version stands."""
    return State(version.state)


@dataclass(frozen=True)
class Told:
    """One line of a version's history: a change of its state, or evidence that was found."""

    at: datetime
    title: str
    who: str
    before: str = ""
    after: str = ""
    tone: str = "quiet"
    text: str = ""


def history_of(version: DatalabVersion) -> list[Told]:
    """Tell a version's changes and evidence, the newest first."""
    told = [
        Told(
            at=one.at,
            title=TRANSITIONS[one.transition].title if one.transition in TRANSITIONS else one.transition,
            who=one.person.display_name if one.person else "the platform",
            before=State(one.before).words,
            after=State(one.after).words,
            tone=rules.tone_of(State(one.after)),
            text=one.reason,
        )
        for one in version.changes.select_related("person")
    ]
    told += [
        Told(
            at=one.at,
            title=rules.EVIDENCE_TITLES[rules.EvidenceKind(one.kind)],
            who="the platform",
            after="passed" if one.passed else "not passed",
            tone="ok" if one.passed else "bad",
            text=one.summary,
        )
        for one in version.evidence.all()
    ]
    return sorted(told, key=lambda one: one.at, reverse=True)


def writer_of(person: Person, version: DatalabVersion) -> terms.Writer | None:
    """Say whose terms of a version the person may write now: its author's, the moderators', or none."""
    if version.datalab.maintainer_id == person.pk:
        return terms.Writer.AUTHOR if version.is_editable and may_author(person) else None
    judged = State(version.state) in REVIEWABLE | {State.APPROVED}
    return terms.Writer.MODERATOR if judged and may(person, DatalabPermission.MODERATE) else None


def terms_of(version: DatalabVersion, url: str = "") -> dict[str, Any]:
    """Return all terms of a version, with those that the platform knows; `url` is where its datalab is found."""
    known = {
        "alternateName": version.datalab.slug,
        "version": version.version,
        "datePublished": version.published_at.date().isoformat() if version.published_at else "",
        "datalabImage.id": version.image_digest,
        "url": url,
    }
    return {**version.metadata, **{key: value for key, value in known.items() if value}}


def find_described(person: Person | AnonymousUser, slug: str, version: str) -> tuple[DatalabVersion, bool]:
    """Find a version that the person may see, and say whether she sees what is private in its metadata as well."""
    found = seen_by(person).filter(datalab__slug=slug, version=version).select_related("datalab").first()
    inside = inside_for(person).filter(datalab__slug=slug, version=version).select_related("datalab").first()
    one = inside or found
    if one is None:
        raise NotFound(f"There is no such version of “{slug[:60]}”.", advice="Look at the datalab's page.")
    return one, inside is not None


def home_tab(version: DatalabVersion) -> str:
    """Name the tab that matters most in the version's state."""
    return rules.HOME_TABS.get(State(version.state), "history")
