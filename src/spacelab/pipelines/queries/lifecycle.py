"""Where a version of a pipeline stands: what hinders its next step, and what its authoring pages show."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may
from spacelab.pipelines import documents, rules
from spacelab.pipelines.archives import About
from spacelab.pipelines.models import PipelineVersion
from spacelab.pipelines.permissions import PipelinePermission
from spacelab.pipelines.queries.bundles import bundle
from spacelab.publishing import queries as publishing
from spacelab.publishing.queries import Step
from spacelab.publishing.rules import KEPT, Facts, Need, terms

ASKED = "asked for with the step"
"""Stands for the reason that a person gives when she makes the step."""


def facts_of(
    person: Person, version: PipelineVersion, *, reason: str = "", lacking: frozenset[Need] = frozenset()
) -> Facts:
    """Gather as whom a person may act on a version, and which needs of its transitions do not hold.

    A pipeline's package is its document, its build the check of that, its launch test a run that ended well. Its
    contents need no look at vulnerabilities: what it starts from is named in it, and has its own.
    """
    private = unpublished_steps(version)
    lacks = {
        Need.PACKAGE: not version.files,
        Need.BUILD: not _is_valid(version),
        Need.LAUNCH_TEST: not has_passed(version),
        Need.GATE: False,
        Need.STEPS: bool(private),
        Need.ROLE: not may(person, PipelinePermission.PUBLISH),
    }
    tested = "For a pipeline or step that is a run of its present documents that ended well."
    details = (
        (Need.LAUNCH_TEST, tested),
        (Need.STEPS, f"Not published: {', '.join(private)}."),
        (Need.BUILD, _first_error(version)),
    )
    return publishing.facts_of(person, version, lacks | dict.fromkeys(lacking, True), reason=reason, details=details)


def _is_valid(version: PipelineVersion) -> bool:
    """Say whether its documents have no error as things are today: a step that it uses may have come, or gone."""
    return documents.read(bundle(version)).ok


def _first_error(version: PipelineVersion) -> str:
    errors = [one for one in documents.read(bundle(version)).problems if one.severity == "error"]
    return f"{errors[0].file}, line {errors[0].line}: {errors[0].message}" if errors else ""


def unpublished_steps(version: PipelineVersion) -> list[str]:
    """Name the steps that a version uses and that those whom it is for would not find.

    Steps of the same author which are approved count as published: they are published with it.
    """
    named = list(version.uses.values_list("slug", "version"))
    ready = Q(state__in=KEPT) | Q(state=rules.State.APPROVED, pipeline__maintainer=version.pipeline.maintainer_id)
    asked = Q(pk__in=[])
    for slug, number in named:
        asked |= Q(pipeline__slug=slug, version=number)
    found = set(PipelineVersion.objects.filter(asked).filter(ready).values_list("pipeline__slug", "version"))
    return [f"{slug} {number}" for slug, number in named if (slug, number) not in found]


def has_passed(version: PipelineVersion) -> bool:
    """Say whether a run of the version's present documents has ended well."""
    return publishing.has_passed(version, rules.EvidenceKind.TEST_RUN)


def entry_of(version: PipelineVersion) -> dict[str, Any]:
    """Return what the catalogue's entry says once this version is published."""
    return {**publishing.entry_of(version), "kind": documents.kind_of(version.reading).value}


def terms_of(version: PipelineVersion, url: str = "") -> dict[str, Any]:
    """Return all terms of a version, with those that the platform knows; `url` is where its entry is found."""
    known = {
        "displayName": version.pipeline.slug,
        "version": version.version,
        "datePublished": version.published_at.date().isoformat() if version.published_at else "",
        "url": url,
    }
    return {**version.metadata, **{key: value for key, value in known.items() if value}}


def about(version: PipelineVersion, url: str = "") -> About:
    """Return what an export says of a version beside its files."""
    said = terms.visible(terms_of(version, url), insider=False)
    return About(version.pipeline.slug, version.version, said, url, version.published_at)


def find_authored(person: Person | AnonymousUser, slug: str, version: str) -> PipelineVersion:
    """Find a version whose authoring pages the person may open; raise `NotSignedIn`, or `NotFound` for all others."""
    return publishing.find_authored(PipelineVersion, person, slug, version)


def authoring_context(person: Person, version: PipelineVersion, tab: str) -> dict[str, Any]:
    """Return what `pipelines/authoring.html` shows around a tab of a version's authoring pages."""
    return publishing.authoring_context(person, version, tab, facts_of(person, version, reason=ASKED))


def steps_of(person: Person, version: PipelineVersion) -> list[Step]:
    """List what the person may do with a version from its head: what has a page of its own is left out."""
    return publishing.steps_of(version, facts_of(person, version, reason=ASKED))
