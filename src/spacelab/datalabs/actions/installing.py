"""From packages to entries and versions: what the platform ships, what a person begins to build, what was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.datalabs import rules
from spacelab.datalabs.manifest import Manifest
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.kit.refusals import Invalid
from spacelab.publishing import actions as publishing
from spacelab.publishing.actions import keep
from spacelab.publishing.rules import Facts, Who
from spacelab.publishing.rules.terms import TERMS, Writer


@transaction.atomic
def install_from_manifest(
    *, by: audit.Actor, manifest: Manifest, package_dir: Path, environment: str = "", image: str = ""
) -> DatalabVersion:
    """Publish what the manifest describes, started from `environment` beside the files in `package_dir`, or `image`.

    Of an environment and an image the one that is not given stays what it was. Doing it again with the same content
    writes nothing. A person needs the right to moderate.
    """
    if isinstance(by, Person):
        require(by, DatalabPermission.MODERATE)
    datalab, entry_changed = keep(Datalab.objects, {"slug": manifest.slug}, _entry(manifest))
    wanted = _version(manifest, environment, package_dir)
    if image:
        wanted = {name: value for name, value in wanted.items() if name != "environment" or value} | {"image": image}
    version, version_changed = keep(
        DatalabVersion.objects,
        {"datalab": datalab, "version": manifest.version},
        wanted,
        first={"published_at": timezone.now()},
    )
    if entry_changed or version_changed:
        audit.record(by=by, action="datalabs.install", subject=f"datalab:{datalab.slug}", version=manifest.version)
    return version


@transaction.atomic
def open_version(
    *,
    by: Person,
    manifest: Manifest,
    package_dir: Path,
    content_hash: str,
    derived_from: DatalabVersion | None = None,
) -> DatalabVersion:
    """Begin the build of a version: the entry and the version are made where they are new.

    What authors say of it is what its package says; terms of others stay. The catalogue's entry follows the package
    only until a version is published. Raises `Invalid` when the short name belongs to somebody else or the version was
    published, `Conflict` when it is being built or is with the moderators.
    """
    require(by, DatalabPermission.AUTHOR)
    datalab = Datalab.objects.select_for_update().filter(slug=manifest.slug).first()
    if datalab is None:
        datalab = Datalab.objects.create(slug=manifest.slug, maintainer=by, **_entry(manifest))
    elif datalab.maintainer_id != by.pk:
        raise Invalid(f"There is a datalab “{manifest.slug}” of somebody else.", advice="Choose another short name.")
    elif not datalab.versions.filter(state__in=rules.KEPT).exists():
        keep(Datalab.objects, {"slug": manifest.slug}, _entry(manifest))
    version, _ = DatalabVersion.objects.select_for_update(of=("self",)).get_or_create(
        datalab=datalab, version=manifest.version
    )
    if version.state in rules.KEPT:
        raise Invalid(f"Version {manifest.version} is published already.", advice="Choose a higher version.")
    facts = Facts(frozenset({Who.AUTHOR}))
    return publishing.move(
        by=by,
        version=version,
        transition="build",
        facts=facts,
        content_hash=content_hash,
        started_at=None,
        derived_from=derived_from,
        **_described(manifest, package_dir, version.metadata),
    )


@transaction.atomic
def record_built(
    *,
    by: audit.Actor,
    version: DatalabVersion,
    environment: str = "",
    image: str = "",
    image_digest: str = "",
    command: Sequence[str] = (),
    interface: Mapping[str, Any] | None = None,
    variables: Mapping[str, str] | None = None,
    activity_probe: str = "",
) -> DatalabVersion:
    """Record what the build of an opened version has made: from now on it can be launched by those who may try it."""
    return publishing.move(
        by=by,
        version=version,
        transition="build-done",
        facts=Facts(frozenset({Who.PLATFORM})),
        environment=environment,
        image=image,
        image_digest=image_digest,
        command=list(command),
        interface=dict(interface or {}),
        variables=dict(variables or {}),
        activity_probe=activity_probe,
    )


@transaction.atomic
def replace_made(*, by: audit.Actor, version: DatalabVersion, package_dir: Path, **made: Any) -> DatalabVersion:
    """Have a version, published or not, start from what was made again of its package: nothing else of it changes.

    `made` holds environment or image, command, interface, variables and activity_probe. Of an environment and an image
    the one that was not made stays what it was.
    """
    kept = {name: value for name, value in made.items() if value or name not in {"environment", "image"}}
    again, changed = keep(DatalabVersion.objects, {"pk": version.pk}, {**kept, "package": str(package_dir)})
    if changed:
        names = {name: made[name] for name in ("environment", "image") if made.get(name)}
        subject = f"datalab:{version.datalab.slug}"
        audit.record(by=by, action="datalabs.made-again", subject=subject, version=version.version, **names)
    return again


def _entry(manifest: Manifest) -> dict[str, Any]:
    return {
        "title": manifest.title,
        "abstract": manifest.abstract,
        "description": manifest.description,
        "icon": manifest.icon,
        "author": manifest.author,
        "contact": manifest.contact,
        "tags": manifest.tags,
        "kind": manifest.kind,
    }


def _terms(manifest: Manifest) -> dict[str, Any]:
    """Return the terms that a package's author may write and that can be kept, with those that it must have."""
    kept, _ = rules.authors_terms(manifest.metadata)
    return {
        **kept,
        "title": manifest.title,
        "alternateName": manifest.slug,
        "abstract": manifest.abstract,
        "version": manifest.version,
    }


def _described(manifest: Manifest, package_dir: Path, said_before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a version takes from its package, whatever is made of it; what others than its author wrote stays."""
    others = {
        key: value for key, value in said_before.items() if key in TERMS and TERMS[key].writer is not Writer.AUTHOR
    }
    return {
        "metadata": {**others, **_terms(manifest)},
        "kind": manifest.kind,
        "icon": manifest.icon,
        "package": str(package_dir),
        "licence": manifest.licence,
        "default_volumes": manifest.default_volumes,
        "opens": rules.as_json(manifest.opens),
        "threads": [rules.as_json(one) for one in manifest.threads],
    }


def _version(manifest: Manifest, environment: str, package_dir: Path) -> dict[str, Any]:
    return {
        **_described(manifest, package_dir, {}),
        "state": rules.State.PUBLISHED,
        "visibility": rules.Visibility.EVERYBODY,
        "environment": environment,
        "command": manifest.command,
        "variables": manifest.variables,
        "interface": manifest.interface,
        "activity_probe": manifest.activity_probe,
    }
