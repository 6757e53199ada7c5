"""What the platform ships: pipelines and steps from folders, and the software of steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.kit.refusals import Invalid
from spacelab.pipelines import documents, intake, queries, rules
from spacelab.pipelines.actions.saving import note_uses
from spacelab.pipelines.models import Pipeline, PipelineVersion, Software
from spacelab.pipelines.permissions import PipelinePermission
from spacelab.publishing.actions import keep
from spacelab.publishing.rules.wording import words


@transaction.atomic
def install_folder(*, by: audit.Actor, folder: Path, kind: rules.Kind) -> PipelineVersion:
    """Publish for everybody what a folder holds: documents, and a `pipeline-meta.yml` that says what they are.

    Doing it again with the same content writes nothing. A person needs the right to moderate. Raises `Invalid` for
    documents with errors: what is shipped works.
    """
    if isinstance(by, Person):
        require(by, PipelinePermission.MODERATE)
    files = intake.read_folder(folder)
    metadata = intake.metadata_of(files).values
    slug = rules.clean_slug(str(metadata.get("displayName") or folder.name))
    number = rules.clean_number(str(metadata.get("version", "")))
    main = rules.main_of(files, "", slug)
    entry_values = _entry(metadata, kind)
    entry, entry_changed = keep(Pipeline.objects, {"slug": slug}, entry_values)
    if entry.maintainer_id is not None:
        raise Invalid(f"“{slug}” is a pipeline of {entry.maintainer}.", advice="Ship it under another name.")
    values: dict[str, Any] = {
        "files": files,
        "main": main,
        "content_hash": rules.content_hash(files, main),
        "metadata": {**metadata, "displayName": slug, "version": number},
        "licence": str(metadata.get("distribution.license", ""))[:200],
        "state": rules.State.PUBLISHED,
        "visibility": rules.Visibility.EVERYBODY,
    }
    old = PipelineVersion.objects.filter(pipeline=entry, version=number).first()
    if old is None or old.content_hash != values["content_hash"]:
        values["reading"] = documents.reading_of(queries.bundle_of(files, main), len(files))
        if values["reading"]["errors"]:
            raise Invalid(f"{slug} has errors.", advice="; ".join(values["reading"].get("told", [])))
    version, changed = keep(
        PipelineVersion.objects, {"pipeline": entry, "version": number}, values, first={"published_at": timezone.now()}
    )
    if changed:
        note_uses(version)
        _put_older_aside(version)
    if changed or entry_changed:
        audit.record(by=by, action="pipelines.install", subject=version.subject, version=number)
    return version


def _put_older_aside(version: PipelineVersion) -> None:
    others = version.pipeline.versions.filter(state=rules.State.PUBLISHED).exclude(pk=version.pk)
    others.update(state=rules.State.SUPERSEDED)


@transaction.atomic
def offer_software(*, by: audit.Actor, name: str, version: str, environment: str, packages: str) -> Software:
    """Have steps find this environment as `software/<name>:<version>`; earlier versions stay."""
    if isinstance(by, Person):
        require(by, PipelinePermission.MODERATE)
    row, changed = keep(
        Software.objects,
        {"name": rules.clean_slug(name), "version": rules.clean_number(version)},
        {"environment": environment, "packages": packages},
    )
    if changed:
        said = {"version": version, "environment": environment}
        audit.record(by=by, action="pipelines.offer-software", subject=f"software:{name}", **said)
    return row


def _entry(metadata: dict[str, Any], kind: rules.Kind) -> dict[str, Any]:
    author = metadata.get("creator.name", "")
    contact = metadata.get("contactPoint.email", "")
    return {
        "kind": kind.value,
        "title": str(metadata.get("title", ""))[:120],
        "abstract": metadata.get("abstract", ""),
        "description": metadata.get("description", ""),
        "author": (", ".join(author) if isinstance(author, list) else str(author))[:120],
        "contact": contact[0] if isinstance(contact, list) and contact else contact,
        "tags": words(metadata.get("keywords", [])),
    }
