"""What the authoring pages show of a version, and to whom they open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from spacelab.accounts.models import Person
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.queries.lifecycle import facts_of, terms_of
from spacelab.datalabs.queries.seeing import lineage_of
from spacelab.publishing import queries as publishing
from spacelab.publishing.queries import Step, Told, history_of, home_tab, writer_of

__all__ = ["Step", "Told", "history_of", "home_tab", "writer_of"]


def authored_by(person: Person) -> QuerySet[DatalabVersion]:
    """List every version of the datalabs that the person maintains, by datalab, the newest first."""
    return publishing.authored_by(DatalabVersion, person)


def find_authored(person: Person | AnonymousUser, slug: str, version: str) -> DatalabVersion:
    """Find a version whose authoring pages the person may open; raise `NotSignedIn`, or `NotFound` for all others."""
    return publishing.find_authored(DatalabVersion, person, slug, version)


def authoring_context(person: Person, version: DatalabVersion, tab: str) -> dict[str, Any]:
    """Return what `datalabs/authoring.html` shows around a tab of a version's authoring pages."""
    facts = facts_of(person, version, reason="asked for with the step")
    shared = publishing.authoring_context(person, version, tab, facts)
    return {**shared, "lineage": lineage_of(person, version)}


def steps_of(person: Person, version: DatalabVersion) -> list[Step]:
    """List what the person may do with a version from its head: what has a page of its own is left out."""
    return publishing.steps_of(version, facts_of(person, version, reason="asked for with the step"))


def replacing_terms(
    person: Person, version: DatalabVersion, wanted: Mapping[str, Any], url: str = ""
) -> dict[str, Any]:
    """Return the changes after which a version has exactly the wanted terms, as far as the person writes them."""
    return publishing.replacing_terms(person, version, wanted, terms_of(version, url))
