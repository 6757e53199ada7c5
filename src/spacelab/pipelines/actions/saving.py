"""Writing documents: a new entry, a new version, other files; each save checks them, which is a pipeline's build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.kit.refusals import Conflict, Forbidden, Invalid
from spacelab.pipelines import documents, queries, rules
from spacelab.pipelines.models import Pipeline, PipelineVersion, StepUse
from spacelab.pipelines.permissions import PipelinePermission
from spacelab.publishing import actions as publishing
from spacelab.publishing.rules import EDITABLE, Facts, State, Who, terms

MOST_VERSIONS = 500
"""Versions of one entry, and entries of one person that were never published."""


@transaction.atomic
def create(
    *,
    by: Person,
    slug: str,
    files: Mapping[str, object],
    main: str = "",
    version: str = "0.1.0",
    title: str = "",
    metadata: Mapping[str, Any] | None = None,
    source: Mapping[str, str] | None = None,
) -> PipelineVersion:
    """Begin a pipeline or step, or a new version of one's own, with these files.

    What the document is decides whether it is a pipeline or a step. `source` tells where the files come from
    (`PipelineVersion.source`). Raises `Invalid` for names and files that can't
    be, or a short name that somebody else has; `Conflict` where there is such a version already.
    """
    require(by, PipelinePermission.AUTHOR)
    slug, number = rules.clean_slug(slug), rules.clean_number(version)
    kept = rules.clean_files(files)
    main = rules.main_of(kept, main, slug)
    entry = check_name(by, slug, number)
    if entry is None:
        entry = Pipeline.objects.create(
            slug=slug, title=(title or slug)[:120], abstract="", author=by.display_name[:120], maintainer=by
        )
        audit.record(by=by, action="pipelines.create", subject=f"pipeline:{slug}")
    made = PipelineVersion.objects.create(
        pipeline=entry,
        version=number,
        metadata=_first_terms(by, entry, number, title, metadata or {}),
        source={**source, "content_hash": rules.content_hash(kept, main)} if source else {},
    )
    return _keep(by=by, version=made, files=kept, main=main)


def check_name(by: Person, slug: str, number: str) -> Pipeline | None:
    """Return the person's entry that a new version would belong to, held; None where that would be a new one.

    Raises `Invalid` for a name that somebody else has, `Conflict` where there is such a version, or too many.
    """
    entry = Pipeline.objects.select_for_update(of=("self",)).filter(slug=slug).first()
    if entry is None:
        _check_number_of_drafts(by)
        return None
    if entry.maintainer_id != by.pk:
        raise Invalid(f"“{slug}” is the name of somebody else's.", advice="Choose another short name.", field="slug")
    if entry.versions.filter(version=number).exists():
        raise Conflict(f"There is a version {number} already.", advice="Choose a higher one.", field="version")
    if entry.versions.count() >= MOST_VERSIONS:
        raise Conflict("There are too many versions of it.", advice="Delete drafts that nobody needs.")
    return entry


@transaction.atomic
def save(
    *, by: Person, version: PipelineVersion, files: Mapping[str, object], main: str = "", was: str = ""
) -> PipelineVersion:
    """Replace all files of a version of one's own, and check them: it is valid afterwards, or not.

    `was` is the content hash that the person began from: if somebody has saved since, nothing is written and she is
    told. Raises `Conflict` as well for a version that can't be changed, `Invalid` and `TooLarge` for bad files.
    """
    kept = rules.clean_files(files)
    version = _own(by, version)
    if was and was != version.content_hash:
        raise Conflict(
            "It was changed since you opened it.",
            advice="Open it again in another window, and bring your change into that.",
        )
    main = rules.main_of(kept, main or (version.main if version.main.partition("#")[0] in kept else ""))
    if kept == version.files and main == version.main and version.state in {State.BUILT, State.BUILD_FAILED}:
        return version
    return _keep(by=by, version=version, files=kept, main=main)


def _own(by: Person, version: PipelineVersion) -> PipelineVersion:
    """Hold a version that the person may change; raise `Forbidden` or `Conflict`."""
    require(by, PipelinePermission.AUTHOR)
    rows = PipelineVersion.objects.select_for_update(of=("self",)).select_related("pipeline")
    version = rows.get(pk=version.pk)
    if version.pipeline.maintainer_id != by.pk:
        raise Forbidden("This is somebody else's pipeline.", advice="Make a copy of your own.")
    if State(version.state) not in EDITABLE:
        words = version.family.words_of(State(version.state))
        raise Conflict(f"A version that is {words} can't be changed.", advice="Begin a new version, or withdraw it.")
    return version


def _keep(*, by: Person, version: PipelineVersion, files: dict[str, str], main: str) -> PipelineVersion:
    """Write the files and what was read from them; move the version only where its state changes by that."""
    reading = documents.reading_of(queries.bundle_of(files, main, by=by, owner=version.pipeline.maintainer), len(files))
    values: dict[str, Any] = {
        "files": files,
        "main": main,
        "reading": reading,
        "content_hash": rules.content_hash(files, main),
    }
    after = State.BUILD_FAILED if reading["errors"] else State.BUILT
    if State(version.state) is after:
        for name, value in values.items():
            setattr(version, name, value)
        version.save()
    else:
        publishing.move(by=by, version=version, transition="build", facts=Facts(frozenset({Who.AUTHOR})), **values)
        done = "build-failed" if reading["errors"] else "build-done"
        publishing.move(by=by, version=version, transition=done, facts=Facts(frozenset({Who.PLATFORM})))
    note_uses(version)
    _note_kind(version, reading)
    audit.record(
        by=by,
        action="pipelines.save",
        subject=version.subject,
        version=version.version,
        content_hash=version.content_hash,
        errors=reading["errors"],
    )
    return version


def note_uses(version: PipelineVersion) -> None:
    """Note which steps of the catalogue a version's own files name."""
    named = {(one.slug, one.version) for path, text in version.files.items() for one in rules.references(text, path)}
    StepUse.objects.filter(user=version).delete()
    StepUse.objects.bulk_create(StepUse(user=version, slug=slug, version=number) for slug, number in sorted(named))


def _note_kind(version: PipelineVersion, reading: Mapping[str, Any]) -> None:
    """Have the entry be what its newest documents are; what was published once stays what it is."""
    entry = version.pipeline
    if not entry.versions.filter(state__in=rules.KEPT).exists():
        entry.kind = documents.kind_of(reading)
        entry.save()


def _check_number_of_drafts(by: Person) -> None:
    if Pipeline.objects.filter(maintainer=by, listed_at=None).count() >= MOST_VERSIONS:
        raise Conflict(
            f"You have {MOST_VERSIONS} pipelines that nobody else sees.", advice="Delete those that you don't need."
        )


def _first_terms(
    by: Person, entry: Pipeline, number: str, title: str, metadata: Mapping[str, Any]
) -> dict[str, terms.Value]:
    """Return the terms that a new version begins with: those of the version before it, those brought, those known."""
    before = entry.versions.order_by("-id").values_list("metadata", flat=True).first() or {}
    known = {"creator.name": [by.display_name], "contactPoint.email": by.email, "title": title or entry.title}
    brought, _ = terms.acceptable(metadata, writer=terms.Writer.AUTHOR, kind=terms.Kind.PIPELINE)
    others = {key: value for key, value in before.items() if terms.writer_of(key) is terms.Writer.AUTHOR}
    first, _ = terms.acceptable(
        {key: value for key, value in {**known, **others, **brought}.items() if value},
        writer=terms.Writer.AUTHOR,
        kind=terms.Kind.PIPELINE,
    )
    return {**first, "displayName": entry.slug, "version": number}
