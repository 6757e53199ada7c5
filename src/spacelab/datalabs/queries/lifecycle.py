"""Where a version stands, what hinders its next step, and what is known about it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may
from spacelab.datalabs import rules
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.images import queries as images
from spacelab.images.rules.gate import Gate
from spacelab.publishing.rules import (
    KEPT,
    Facts,
    Need,
    State,
    Who,
    terms,
)


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


def uses_of(version: DatalabVersion) -> list[rules.Use]:
    """List what runs of the version now, as the setting `VERSION_USES` finds it: datalabs know nothing of sessions."""
    find = import_string(settings.VERSION_USES)
    found: list[rules.Use] = find(version)
    return found


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


def state_of(version: DatalabVersion) -> State:
    """Return where a version stands."""
    return State(version.state)


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
