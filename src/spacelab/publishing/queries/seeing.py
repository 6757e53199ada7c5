"""Which versions exist for whom: the rules of visibility, as SQL, for every kind of published thing."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from spacelab.accounts.models import Membership, Person
from spacelab.accounts.queries import may, people_with
from spacelab.kit.refusals import NotFound
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.rules import KEPT, OFFERED, REVIEWABLE, RUNNABLE, State, Visibility

Version = TypeVar("Version", bound=PublishedVersion)

NEWEST_FIRST = (F("published_at").desc(nulls_last=True), "-id")
"""The order of versions: published ones come before drafts, on every database."""

MODERATED = frozenset({State.CHANGES_REQUESTED, State.APPROVED, State.REJECTED}) | REVIEWABLE | KEPT
"""What a moderator sees of everybody's: what is, or was, handed to the moderators."""


def _rows(kind: type[Version]) -> QuerySet[Version]:
    return kind._default_manager.all()  # noqa: SLF001  Django's name for it


def kept_by(kind: type[PublishedVersion], person: Person) -> Q:
    """Fit the versions of entries that the person maintains."""
    return Q(**{f"{kind.family.entry}__maintainer": person})


def admitted(kind: type[PublishedVersion], person: Person | AnonymousUser) -> Q:
    """Fit the versions that `may_see` of the rules lets this person see."""
    everybody = Q(visibility=Visibility.EVERYBODY, state__in=KEPT)
    if not isinstance(person, Person):
        return everybody
    through: Any = kind
    column = kind.__name__.lower()
    named = Q(visibility=Visibility.PEOPLE) & Exists(
        through.people.through.objects.filter(**{column: OuterRef("pk"), "person": person})
    )
    in_team = Q(visibility=Visibility.TEAMS) & Exists(
        through.teams.through.objects.filter(**{column: OuterRef("pk"), "team__memberships__person": person})
    )
    shared = (named | in_team) & Q(state__in=RUNNABLE | KEPT)
    seen = everybody | shared | kept_by(kind, person)
    return seen | Q(state__in=MODERATED) if may(person, kind.family.moderate) else seen


def seen_by(kind: type[Version], person: Person | AnonymousUser) -> QuerySet[Version]:
    """List the versions that exist for the person: her own, those shared with her, those for everybody."""
    return _rows(kind).filter(admitted(kind, person)).order_by(*NEWEST_FIRST)


def launchable_by(kind: type[Version], person: Person | AnonymousUser) -> QuerySet[Version]:
    """List the versions that the person may launch, published ones first. The archive has a permission of its own."""
    versions = seen_by(kind, person).filter(state__in=RUNNABLE | KEPT)
    if may(person, kind.family.launch_archived) or may(person, kind.family.moderate):
        return versions
    mine = kept_by(kind, person) if isinstance(person, Person) else Q(pk__in=[])
    return versions.filter(~Q(state=State.ARCHIVED) | mine)


def offered_to(kind: type[Version], person: Person | AnonymousUser) -> QuerySet[Version]:
    """List the versions that stand in the person's catalogue: published for her, not archived."""
    return seen_by(kind, person).filter(state__in=OFFERED)


def inside_for(kind: type[Version], person: Person | AnonymousUser) -> QuerySet[Version]:
    """List the versions of which the person sees all: her own, a moderator's to judge, an operator's to archive."""
    if not isinstance(person, Person):
        return _rows(kind).none()
    opened = kept_by(kind, person)
    if may(person, kind.family.moderate):
        opened |= Q(state__in=MODERATED)
    if may(person, kind.family.archive_any):
        opened |= Q(state__in=KEPT)
    return _rows(kind).filter(opened)


def seers_of(version: PublishedVersion, people: QuerySet[Person]) -> QuerySet[Person]:
    """List those of the people for whom the version exists: `seen_by`, asked the other way round."""
    state, visibility = State(version.state), Visibility(version.visibility)
    if visibility is Visibility.EVERYBODY and state in KEPT:
        return people
    seers = Q(pk=version.entry.maintainer_id)
    if state in RUNNABLE | KEPT and visibility is Visibility.PEOPLE:
        seers |= Q(pk__in=version.people.values("pk"))
    if state in RUNNABLE | KEPT and visibility is Visibility.TEAMS:
        seers |= Q(pk__in=Membership.objects.filter(team__in=version.teams.all()).values("person"))
    if state in MODERATED:
        seers |= Q(pk__in=[one.pk for one in people_with(version.family.moderate)])
    return people.filter(seers)


def find_described(
    kind: type[Version], person: Person | AnonymousUser, slug: str, version: str
) -> tuple[Version, bool]:
    """Find a version that the person may see, and say whether she sees what is private in its metadata as well."""
    entry = kind.family.entry
    wanted = Q(**{f"{entry}__slug": slug, "version": version})
    inside = inside_for(kind, person).filter(wanted).select_related(entry).first()
    one = inside or seen_by(kind, person).filter(wanted).select_related(entry).first()
    if one is None:
        raise NotFound(f"There is no such version of “{slug[:60]}”.", advice=f"Look at the {kind.family.word}'s page.")
    return one, inside is not None
