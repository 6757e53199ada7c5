"""What operators do with whole images: carry them from platform to platform, and keep what is known about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.images import queries
from spacelab.images.actions import scanning
from spacelab.images.credentials import read_credentials, registry_of
from spacelab.images.oci_archive import Archive, check_archive, renamed
from spacelab.images.permissions import ImagePermission
from spacelab.images.ports import ImageStore, Progress, StoredImage
from spacelab.images.rules.report import Database, Report
from spacelab.kit.refusals import Conflict, Invalid, NotFound

NAME = re.compile(
    r"[a-z0-9]+(?:[.-][a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}",
    re.ASCII,
)
"""An image's whole name: host, path, tag (the grammar of the OCI distribution specification)."""
ORIGIN_LABELS = ("org.spacelab.builder",)
"""What an image says that a platform of this kind has built."""


@dataclass(frozen=True)
class Taken:
    """An image that was taken in: its name and id here, the digest that it came with, and what was found in it."""

    name: str
    id: str
    digest: str
    report: Report
    said: str


def _allow(by: audit.Actor) -> None:
    if isinstance(by, Person):
        require(by, ImagePermission.MANAGE_ANY)


def _note(by: audit.Actor, action: str, name: str, **details: str) -> None:
    with transaction.atomic():
        audit.record(by=by, action=f"builds.{action}", subject=f"image:{name}", **details)


def _existing(store: ImageStore, name: str) -> StoredImage:
    found = store.find(name)
    if found is None:
        raise NotFound(f"There is no image “{name}”.", advice="`spacelab images list` shows what there is.")
    return found


def _named(name: str) -> str:
    if not NAME.fullmatch(name):
        raise Invalid(
            f"“{name[:120]}” is no whole name of an image.",
            advice="Write host, path and tag in lower case: registry.example.org/lab/sky:v1.",
            field="name",
        )
    return name


def _own_name(name: str) -> str:
    """Return the name that an image from elsewhere gets here: the same path below this platform's registry."""
    first, slash, rest = name.partition("/")
    path = rest if slash and ("." in first or ":" in first or first == "localhost") else name
    return f"{settings.SPACELAB.image_registry}/{path}"


def _origin_known(labels: Mapping[str, str], *, foreign: bool) -> None:
    missing = [label for label in ORIGIN_LABELS if not labels.get(label)]
    if missing and not foreign:
        raise Invalid(
            f"The image does not say that a platform of this kind has built it: it has no label {missing[0]}.",
            advice="If you know where it comes from and trust it, say --foreign.",
        )


def _expected(digest: str, wanted: str) -> None:
    if wanted and digest != wanted:
        raise Invalid(
            f"The image has the digest {digest}, not {wanted}.", advice="Compare with what the export or push said."
        )


def _free_name(store: ImageStore, name: str, image_id: str) -> None:
    other = store.find(name)
    if other is not None and other.id != image_id:
        raise Conflict(
            f"There is another image called {name} already.", advice="Say --as NAME to give this one its own name."
        )


def _looked_into(store: ImageStore, name: str, progress: Progress, *, known: bool) -> tuple[Report, str]:
    """List and look up what came in; take it away again where the gate stops it, unless it was `known` before."""
    report = scanning.look_up(scanning.describe_image(name, progress), progress)
    decision = queries.judge(report)
    said = queries.sentences(report, decision)
    if not queries.passes(report, decision):
        if not known:
            store.remove(name)
        raise Conflict(f"{name} does not pass the gate. {said}", advice="It was not kept.")
    return report, said


def export_image(*, by: audit.Actor, image: str, target: Path, progress: Progress) -> Archive:
    """Write an image into an OCI archive, and check what was written; return its digest and labels.

    Raises `NotFound` without the image and `Conflict` where the file is there already; a failed try leaves no file.
    """
    _allow(by)
    store = queries.image_store()
    found = _existing(store, image)
    if target.exists():
        raise Conflict(f"{target} is there already.", advice="Name another file, or remove it first.")
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        progress("taking the image out of the engine")
        store.save_oci(image, partial, progress)
        archive = check_archive(partial, most_bytes=max(found.size * 2, 2**30), progress=progress)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    _note(by, "export-image", image, digest=archive.digest)
    return archive


def import_image(
    *, by: audit.Actor, source: Path, name: str = "", digest: str = "", foreign: bool = False, progress: Progress
) -> Taken:
    """Take an image in from an OCI archive once it was found whole; look into it, and ask the gate.

    `name` is what it is called here (else the archive's, below this platform's registry), `digest` the one it must
    have, `foreign` allows images without this platform's labels. Raises `Invalid` for what is no such archive,
    `Conflict` for a name that another image has, or if the gate stops it; then nothing is kept.
    """
    _allow(by)
    archive = check_archive(source, most_bytes=settings.SPACELAB.image_import_mb * 2**20, progress=progress)
    _expected(archive.digest, digest)
    _origin_known(archive.labels, foreign=foreign)
    wanted = _named(name or _own_name(archive.name))
    store = queries.image_store()
    _free_name(store, wanted, archive.image_id)
    known = store.find(wanted) is not None
    progress("handing the image to the engine")
    loaded = store.load_oci(renamed(source, wanted), wanted)
    if loaded.id != archive.image_id:
        store.remove(wanted)
        raise Invalid("The engine made another image of the archive than it holds.", advice="Export it again.")
    report, said = _looked_into(store, wanted, progress, known=known)
    _note(by, "import-image", wanted, digest=archive.digest, image=loaded.id)
    return Taken(wanted, loaded.id, archive.digest, report, said)


def push_image(*, by: audit.Actor, image: str, reference: str, progress: Progress) -> str:
    """Send an image to a registry under this name; return the digest by which the registry knows it."""
    _allow(by)
    store = queries.image_store()
    _existing(store, image)
    credentials = read_credentials(settings.SPACELAB.registry_credentials, _named(reference))
    digest = store.push(image, reference, credentials, progress)
    _note(by, "push-image", image, reference=reference, digest=digest, registry=registry_of(reference))
    return digest


def pull_image(
    *, by: audit.Actor, reference: str, digest: str = "", foreign: bool = False, progress: Progress
) -> Taken:
    """Fetch an image from a registry, look into it and ask the gate; see `import_image` for what is refused."""
    _allow(by)
    store = queries.image_store()
    credentials = read_credentials(settings.SPACELAB.registry_credentials, _named(reference))
    before = store.find(reference)
    found = store.pull(reference, credentials, progress)
    known = before is not None and before.id == found.id
    try:
        digests = [one.partition("@")[2] for one in found.digests]
        if digest and digest not in digests:
            _expected(next(iter(digests), "none"), digest)
        _origin_known(found.labels, foreign=foreign)
    except Invalid:
        if not known:
            store.remove(reference)
        raise
    report, said = _looked_into(store, reference, progress, known=known)
    _note(by, "pull-image", reference, image=found.id)
    return Taken(reference, found.id, digest or next(iter(digests), ""), report, said)


def update_vulnerabilities(*, by: audit.Actor, paths: list[Path], progress: Progress) -> Database:
    """Replace the database of vulnerabilities by these OSV records; return what it holds now."""
    _allow(by)
    database = scanning.update_index(paths, progress)
    with transaction.atomic():
        audit.record(
            by=by,
            action="builds.update-vulnerabilities",
            subject="database:vulnerabilities",
            records=database.records,
            newest=database.newest.isoformat() if database.newest else "",
        )
    return database


def look_up_again(*, by: audit.Actor, key: str) -> Report:
    """Look an image's or environment's packages up in the database as it is now, and keep the report."""
    _allow(by)
    return scanning.look_up(key)
