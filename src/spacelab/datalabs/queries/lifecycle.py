"""Where a version stands, what hinders its next step, and what is known about it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from spacelab.accounts.models import Person
from spacelab.datalabs import rules
from spacelab.datalabs.models import DatalabVersion
from spacelab.images import queries as images
from spacelab.images.rules.gate import Gate
from spacelab.publishing import queries as publishing
from spacelab.publishing.queries import missing_terms, newer_than, state_of
from spacelab.publishing.rules import Facts, Need

__all__ = ["missing_terms", "newer_than", "state_of"]


def facts_of(
    person: Person, version: DatalabVersion, *, reason: str = "", lacking: frozenset[Need] = frozenset()
) -> Facts:
    """Gather as whom a person may act on a version, and which needs of its transitions do not hold."""
    lacks = {
        Need.PACKAGE: not version.package,
        Need.BUILD: not (version.image or version.environment),
        Need.GATE: not passes_gate(version),
        Need.LAUNCH_TEST: not has_passed(version),
    }
    return publishing.facts_of(person, version, lacks | dict.fromkeys(lacking, True), reason=reason)


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
    return publishing.has_passed(version, rules.EvidenceKind.LAUNCH_TEST)


def uses_of(version: DatalabVersion) -> list[rules.Use]:
    """List what runs of the version now, as the setting `VERSION_USES` finds it: datalabs know nothing of sessions."""
    find = import_string(settings.VERSION_USES)
    found: list[rules.Use] = find(version)
    return found


def entry_of(version: DatalabVersion) -> dict[str, Any]:
    """Return what the catalogue's entry says once this version is published."""
    return {
        **publishing.entry_of(version),
        "kind": version.kind or version.datalab.kind,
        "icon": version.icon or version.datalab.icon,
    }


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
