"""Where a version stands, as whom a person may act on it, and what hinders its next step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.rules import KEPT, Facts, Need, State, Who, terms
from spacelab.publishing.rules.wording import version_key, words


def facts_of(
    person: Person,
    version: PublishedVersion,
    lacks: Mapping[Need, bool],
    *,
    reason: str = "",
    details: tuple[tuple[Need, str], ...] = (),
) -> Facts:
    """Gather as whom a person may act on a version, and which needs do not hold: `lacks` is what its domain knows."""
    newer, missing = newer_than(version), missing_terms(version)
    known = {
        Need.OTHER_EYES: version.entry.maintainer_id == person.pk,
        Need.REASON: not reason.strip(),
        Need.NEWER: bool(newer),
        Need.METADATA: bool(missing),
        **lacks,
    }
    told = ((Need.NEWER, f"The newest is {newer}."), (Need.METADATA, f"Fill in: {', '.join(missing)}."), *details)
    return Facts(_acting(person, version), frozenset(need for need, lacks_it in known.items() if lacks_it), told)


def _acting(person: Person, version: PublishedVersion) -> frozenset[Who]:
    family = version.family
    holds = {
        Who.AUTHOR: version.entry.maintainer_id == person.pk and may(person, family.author),
        Who.MODERATOR: may(person, family.moderate),
        Who.OPERATOR: may(person, family.archive_any),
    }
    return frozenset(who for who, acts in holds.items() if acts)


def newer_than(version: PublishedVersion) -> str:
    """Return the number of a published version that is as high or higher, or an empty text."""
    published = version.entry.versions.filter(state__in=KEPT).exclude(pk=version.pk)
    numbers = list(published.values_list("version", flat=True))
    mine = version_key(version.version)
    return max((one for one in numbers if version_key(one) >= mine), key=version_key, default="")


def missing_terms(version: PublishedVersion) -> list[str]:
    """Name the mandatory terms that a version lacks."""
    return [term.label for term in terms.missing(version.metadata, version.family.kind)]


def entry_of(version: PublishedVersion) -> dict[str, Any]:
    """Return what the catalogue's entry says once this version is published."""
    said = version.metadata
    author = said.get("creator.name", "")
    return {
        "title": str(said.get("title") or version.entry.title)[:120],
        "abstract": said.get("abstract") or version.entry.abstract,
        "description": said.get("description", ""),
        "author": (", ".join(author) if isinstance(author, list) else author)[:120],
        "contact": _first(said.get("contactPoint.email", "")),
        "tags": words(said.get("keywords", [])),
    }


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else str(value or "")


def state_of(version: PublishedVersion) -> State:
    """Return where a version stands."""
    return State(version.state)


def has_passed(version: PublishedVersion, kind: str) -> bool:
    """Say whether the version's present content has passed its last test of a kind."""
    last = version.evidence.filter(kind=kind).order_by("-id").first()
    return last is not None and last.passed and last.content_hash == version.content_hash
