"""Building a version again as it was, where its image or environment is lost: on another machine, after a restore."""

from __future__ import annotations

from django.db import transaction

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.builds import planning, queries
from spacelab.builds.actions.following import move
from spacelab.builds.actions.ordering import next_number
from spacelab.builds.models import Build, BuildChange
from spacelab.builds.rules import ENDS, State
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Conflict, Forbidden, Refusal


def build_again(*, by: audit.Actor, version: DatalabVersion) -> Build:
    """Queue a build of the package that a version was made from, which is started from the outcome afterwards.

    Returns the build that does so already if there is one. A person must maintain the datalab or be an operator.
    Raises `Conflict` where nothing is missing, or nothing is kept to build it from.
    """
    if isinstance(by, Person) and not queries.may_build_again(by, version):
        raise Forbidden(
            "Only its maintainer or an operator may have it built again.", advice="Ask one of them to open this page."
        )
    absence = queries.absence_of(version)
    if absence is None:
        raise Conflict(f"Nothing of {version} is missing here.", advice="Launch it.")
    if absence.under_way:
        return absence.under_way
    source = absence.source
    if source is None:
        raise Conflict(f"{version} can't be built again. {absence.in_words}", advice="Bring its files once more.")
    planned = planning.plan(source.package, source.answers)
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=source.person_id)
        under_way = version.builds.exclude(state__in=ENDS).exclude(state=State.BUILT).first()
        if under_way is not None:  # somebody else asked a moment ago
            return under_way
        build = _copy(source, version)
        queries.builder().check(planning.order_of(build, planned))
        values = {**planned.row(), "number": build.number}
        move(by=by, build=build, state=State.PLANNED, reason=f"As build {source.number}.", **values)
        move(by=by, build=build, state=State.QUEUED, reason="Waiting for its turn.")
        audit.record(
            by=by,
            action="builds.again",
            subject=f"build:{build.pk}",
            datalab=version.datalab.slug,
            version=version.version,
            package=build.package,
        )
    return build


def _copy(source: Build, version: DatalabVersion) -> Build:
    same = ("person", "source", "git_url", "git_ref", "git_commit", "brought", "package", "answers", "slug", "title")
    build = Build.objects.create(
        id=new_id(),
        number=next_number(source.person, source.slug),
        version=version.version,
        previous=source,
        datalab_version=version,
        **{name: getattr(source, name) for name in same},
    )
    reason = f"The {version.datalab.title} of then, to be built again."
    BuildChange.objects.create(build=build, state=State.RECEIVED, reason=reason)
    return build


def absent_versions() -> list[DatalabVersion]:
    """List the versions that are not on this machine, can be built again, and were not tried in vain before."""
    found = []
    for version in DatalabVersion.objects.filter(builds__state=State.BUILT).select_related("datalab").distinct():
        absence = queries.absence_of(version)
        if absence is None or absence.source is None or absence.under_way:
            continue
        if not version.builds.filter(state__in=ENDS, number__gt=absence.source.number or 0).exists():
            found.append(version)
    return found


def build_absent(*, by: audit.Actor) -> tuple[list[Build], list[tuple[DatalabVersion, Refusal]]]:
    """Queue whatever is missing here and can be built again; return those builds, and what was refused with why."""
    begun, refused = [], []
    for version in absent_versions():
        try:
            begun.append(build_again(by=by, version=version))
        except Refusal as refusal:
            refused.append((version, refusal))
    return begun, refused
