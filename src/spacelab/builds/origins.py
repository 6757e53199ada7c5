"""The versions that packages are based on: which one a package names, and who may build on it."""

from __future__ import annotations

from datalab_package import Manifest
from spacelab.accounts.models import Person
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.queries import launchable_by, may_author
from spacelab.kit.refusals import Forbidden, Invalid
from spacelab.workloads.queries import capabilities


def origin_of(manifest: Manifest) -> DatalabVersion | None:
    """Find the version that a package says it builds on; None where it names none, or there is none."""
    named = manifest.based_on
    if named is None:
        return None
    versions = DatalabVersion.objects.select_related("datalab")
    return versions.filter(datalab__slug=named.datalab, version=named.version).first()


def allowed_origin(person: Person, manifest: Manifest) -> DatalabVersion | None:
    """Return the version that a package is based on; raise `Invalid` or `Forbidden` if the person may not build on it.

    Of what was published, which never changes, she may build again upon what she once built upon, also when it has gone
    to the archive.
    """
    if manifest.based_on is None:
        return None
    if (manifest.based_on.datalab, manifest.based_on.version) == (manifest.slug, manifest.version):
        raise Invalid("The package builds on itself.", advice="Name another version under `base`.", field="base")
    found = origin_of(manifest)
    before = DatalabVersion.objects.filter(
        datalab__slug=manifest.slug, datalab__maintainer=person, derived_from=found, derived_from__isnull=False
    )
    again = found is not None and found.is_frozen and before.exists()
    if found is None or not (again or launchable_by(person).filter(pk=found.pk).exists()):
        raise Invalid(
            f"The package builds on “{manifest.based_on}”, which is no version that you can use.",
            advice="Name another one under `base` in spacelab.yml, or take `base` out.",
            field="base",
        )
    check_reviewed(person, found)
    return found


def check_reviewed(person: Person, origin: DatalabVersion) -> None:
    """Raise `Forbidden` for an image that nobody has reviewed, unless the person made it, or may make such herself."""
    if origin.is_frozen or origin.datalab.maintainer_id == person.pk or not capabilities().images:
        return
    if not may_author(person, dockerfile=True):
        raise Forbidden(
            f"{origin} was not reviewed yet: to build on its image needs the role of an advanced developer.",
            advice="Wait until it is published, or ask an operator for that role.",
        )
