"""Which versions exist for whom: the rules of visibility, as SQL."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from spacelab.accounts.models import Membership, Person
from spacelab.accounts.queries import may, people_with
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.kit.refusals import NotFound
from spacelab.publishing.rules import (
    KEPT,
    OFFERED,
    REVIEWABLE,
    RUNNABLE,
    State,
    Visibility,
)

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


def seers_of(version: DatalabVersion, people: QuerySet[Person]) -> QuerySet[Person]:
    """List those of the people for whom the version exists: `seen_by`, asked the other way round."""
    state, visibility = State(version.state), Visibility(version.visibility)
    if visibility is Visibility.EVERYBODY and state in KEPT:
        return people
    admitted = Q(pk=version.datalab.maintainer_id)
    if state in RUNNABLE | KEPT and visibility is Visibility.PEOPLE:
        admitted |= Q(pk__in=version.people.values("pk"))
    if state in RUNNABLE | KEPT and visibility is Visibility.TEAMS:
        admitted |= Q(pk__in=Membership.objects.filter(team__in=version.teams.all()).values("person"))
    if state in MODERATED:
        admitted |= Q(pk__in=[one.pk for one in people_with(DatalabPermission.MODERATE)])
    return people.filter(admitted)


@dataclass(frozen=True)
class Lineage:
    """From which version one was derived, and which were derived from it: as far as a viewer may see them."""

    origin: DatalabVersion | None
    derived: list[DatalabVersion]

    def __bool__(self) -> bool:
        return self.origin is not None or bool(self.derived)


MOST_DERIVED = 20
"""Derived versions that a page names."""


def lineage_of(person: Person | AnonymousUser, *versions: DatalabVersion) -> Lineage:
    """Return the origin of the first of a datalab's versions, and what was derived from any of them."""
    before = versions[0].derived_from_id
    near = Q(pk=before) | Q(derived_from__in=[one.pk for one in versions])
    found = list(seen_by(person).filter(near).select_related("datalab")[: MOST_DERIVED + 1])
    origin = next((one for one in found if one.pk == before), None)
    return Lineage(origin, [one for one in found if one is not origin][:MOST_DERIVED])


def find_described(person: Person | AnonymousUser, slug: str, version: str) -> tuple[DatalabVersion, bool]:
    """Find a version that the person may see, and say whether she sees what is private in its metadata as well."""
    found = seen_by(person).filter(datalab__slug=slug, version=version).select_related("datalab").first()
    inside = inside_for(person).filter(datalab__slug=slug, version=version).select_related("datalab").first()
    one = inside or found
    if one is None:
        raise NotFound(f"There is no such version of “{slug[:60]}”.", advice="Look at the datalab's page.")
    return one, inside is not None
