"""Beginning a draft on another version: derived from it as it is, or from what somebody made of it in a session."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

from django.db import transaction

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.builds import deriving, origins, packages, planning
from spacelab.builds.actions.following import move
from spacelab.builds.actions.ordering import allow, create
from spacelab.builds.models import Build
from spacelab.builds.packages import Brought
from spacelab.builds.rules import State
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.queries import launchable_by, trouble_of
from spacelab.datalabs.rules import SLUG, SLUG_ADVICE
from spacelab.kit.refusals import Conflict, Invalid, NotFound

LONGEST_TITLE = 120
MOST_NUMBERS = 1000


def derive(
    *,
    by: Person,
    version: DatalabVersion,
    title: str,
    short_name: str,
    pins: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    whole: bool = True,
    brought: str = "",
) -> Build:
    """Plan a new draft whose package is based on a version that the person may launch; it then waits for `start`.

    `pins` are the lines that install more, by project; `files`, path → content, stand beside or in place of the
    origin's, which are copied if `whole`. Raises `Forbidden` without the right to author, or for an unreviewed image
    of somebody else's, `NotFound` for a version that she may not launch, `Invalid` with the field at fault.
    """
    allow(by)
    if not launchable_by(by).filter(pk=version.pk).exists():
        raise NotFound("There is no such version that you may launch.", advice="Look at the datalab's page.")
    if trouble := trouble_of(version):
        raise Conflict(f"Nothing can be built on {version} here. {trouble}", advice="Choose another version.")
    origins.check_reviewed(by, version)
    terms = _terms(by, title, short_name)
    more = [Brought(path, io.BytesIO(content)) for path, content in (files or {}).items()]
    wanted = deriving.Derived(terms=terms, pins=pins or {}, files=more, whole=whole)
    with packages.staging() as room:
        package = deriving.compose(version, wanted, room)
    planned = planning.plan(package, {"requirements": []})
    words = brought or str(version)
    with transaction.atomic():
        build = create(by, source="upload", brought=words[:200], answers={"requirements": []}, package=package)
        move(by=by, build=build, state=State.PLANNED, reason="Ready to be built.", **planned.row())
        audit.record(
            by=by,
            action="builds.derive",
            subject=f"build:{build.pk}",
            datalab=version.datalab.slug,
            version=version.version,
        )
    return build


def _terms(by: Person, title: str, short_name: str) -> dict[str, str]:
    """Check the two names that a person gives, and return what the package says of itself."""
    title, short_name = " ".join(title.split()), short_name.strip()
    if not title or len(title) > LONGEST_TITLE:
        raise Invalid("A datalab needs a title.", advice=f"Up to {LONGEST_TITLE} characters.", field="title")
    if not re.fullmatch(SLUG, short_name):
        raise Invalid(f"“{short_name[:60]}” is no short name.", advice=SLUG_ADVICE, field="short_name")
    datalab = Datalab.objects.filter(slug=short_name).first()
    if datalab is not None and datalab.maintainer_id != by.pk:
        raise Invalid(
            f"There is a datalab “{short_name}” of somebody else.", advice="Choose another.", field="short_name"
        )
    known = {"title": title, "alternateName": short_name, "version": _free_number(datalab)}
    return known | {"creator.name": by.display_name, "contactPoint.email": by.email}


def _free_number(datalab: Datalab | None) -> str:
    """Return a version number that the datalab does not have."""
    taken = set(datalab.versions.values_list("version", flat=True)) if datalab else set()
    return next(one for number in range(1, MOST_NUMBERS) if (one := f"0.{number}.0") not in taken)
