"""Which versions exist for whom, and which of them are related."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from spacelab.accounts.models import Person
from spacelab.datalabs.models import DatalabVersion
from spacelab.publishing import queries as publishing
from spacelab.publishing.queries import MODERATED, NEWEST_FIRST

__all__ = ["MODERATED", "NEWEST_FIRST"]


def seen_by(person: Person | AnonymousUser) -> QuerySet[DatalabVersion]:
    """List the versions that exist for the person: her own, those shared with her, those for everybody."""
    return publishing.seen_by(DatalabVersion, person)


def launchable_by(person: Person | AnonymousUser) -> QuerySet[DatalabVersion]:
    """List the versions that the person may launch, published ones first. The archive has a permission of its own."""
    return publishing.launchable_by(DatalabVersion, person)


def offered_to(person: Person | AnonymousUser) -> QuerySet[DatalabVersion]:
    """List the versions that stand in the person's catalogue: published for her, not archived."""
    return publishing.offered_to(DatalabVersion, person)


def inside_for(person: Person | AnonymousUser) -> QuerySet[DatalabVersion]:
    """List the versions of which the person sees all: her own, a moderator's to judge, an operator's to archive."""
    return publishing.inside_for(DatalabVersion, person)


def seers_of(version: DatalabVersion, people: QuerySet[Person]) -> QuerySet[Person]:
    """List those of the people for whom the version exists: `seen_by`, asked the other way round."""
    return publishing.seers_of(version, people)


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
    return publishing.find_described(DatalabVersion, person, slug, version)
