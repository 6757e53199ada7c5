"""Reads about builds: whose they are, what is in the queue, what a page shows of one."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db.models import Max, Q, QuerySet
from django.utils.module_loading import import_string

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may
from spacelab.builds import installed, rules
from spacelab.builds.models import Build, BuildChange
from spacelab.builds.permissions import BuildPermission
from spacelab.builds.ports import Builder
from spacelab.builds.rules import AT_WORK, FINAL, State
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.queries import launchable_by, may_author, trouble_of
from spacelab.kit.refusals import NotFound
from spacelab.workloads.queries import capabilities, lacks

NO_SUCH_BUILD = NotFound("There is no such build.", advice="Look at the list of your builds.")
LOGS = ("fetch.log", "build.log")
"""The logs of one build, in the order in which they are written."""


def builds() -> QuerySet[Build]:
    """List all builds, newest first, with what pages show of them."""
    return Build.objects.select_related("person", "workload", "datalab_version__datalab", "previous").order_by(
        "-created_at"
    )


def of_person(person: Person) -> QuerySet[Build]:
    """List a person's builds, newest first."""
    return builds().filter(person=person)


def find_own(person: Person, build_id: str) -> Build:
    """Find one of the person's own builds; raise `NotFound` for anything else."""
    found = builds().filter(pk=build_id, person=person).first()
    if found is None:
        raise NO_SUCH_BUILD
    return found


def find_seen(person: Person, build_id: str) -> Build:
    """Find a build that the person may see: her own, or any for an operator; raise `NotFound` for anything else."""
    found = builds().filter(pk=build_id).first()
    if found is None or (found.person_id != person.pk and not may(person, BuildPermission.MANAGE_ANY)):
        raise NO_SUCH_BUILD
    return found


def of_version(version: DatalabVersion, *, unsent: bool = True) -> QuerySet[Build]:
    """List the builds of a version, and if `unsent` those of it that wait for their author, the newest first."""
    if not unsent:
        return builds().filter(datalab_version=version)
    waiting = Q(
        state=State.PLANNED,
        person=version.datalab.maintainer_id,
        slug=version.datalab.slug,
        version=version.version,
    )
    return builds().filter(Q(datalab_version=version) | waiting)


def working_copy(version: DatalabVersion) -> Build | None:
    """Find the build that holds the newest files of a version, built or planned; None where none is kept."""
    kept = of_version(version).exclude(package="").exclude(state=State.CANCELLED, number=None)
    newest = kept.filter(person=version.datalab.maintainer_id).first()
    return newest if newest and is_package_kept(newest) else None


def files_folder(version: DatalabVersion, *, unsent: bool = True) -> Path | None:
    """Return the folder of the newest files of a version that may change, of what was built of any other; or None.

    Without `unsent` it is always what was built: what its author still changes is nobody else's to see.
    """
    copy = working_copy(version) if unsent and version.is_editable else None
    return package_folder(copy.package) if copy else package_of(version)


def unfinished(person: Person) -> int:
    """Count the builds that count against the person's quota."""
    return Build.objects.filter(person=person).exclude(state__in=FINAL).count()


def changes(build: Build) -> list[BuildChange]:
    """List a build's changes of state, oldest first."""
    return list(BuildChange.objects.filter(build=build).order_by("id"))


def to_attend() -> QuerySet[Build]:
    """List the builds that the controller has something to do for, oldest first."""
    return builds().filter(cleaned=False).exclude(state=State.PLANNED).order_by("created_at")


def queue() -> list[str]:
    """List the ids of the builds that wait, in the order in which they will be built."""
    waiting = [
        rules.Waiting(pk, person, queued_at or created_at)
        for pk, person, queued_at, created_at in Build.objects.filter(state=State.QUEUED).values_list(
            "pk", "person_id", "queued_at", "created_at"
        )
    ]
    if not waiting:
        return []
    at_work = Counter(Build.objects.filter(state__in=AT_WORK).values_list("person_id", flat=True))
    begun: dict[int, datetime] = dict(
        Build.objects.filter(begun_at__isnull=False).values_list("person_id").annotate(last=Max("begun_at"))
    )
    return rules.in_turn(waiting, at_work, begun)


def free_places() -> int:
    """Say how many builds may begin now."""
    busy = Build.objects.filter(state__in=AT_WORK).count()
    return max(0, int(settings.SPACELAB.builds_at_once) - busy)


def build_folder(build_id: str) -> Path:
    """Return the folder that keeps a build's log and reports."""
    folder: Path = settings.SPACELAB.state / "builds" / build_id
    return folder


def work_folder(build_id: str) -> Path:
    """Return the folder that a build's workload writes into; it goes when the build has ended."""
    folder: Path = settings.SPACELAB.state / "builds" / "work" / build_id
    return folder


def cache_folder(username: str) -> Path:
    """Return the folder that keeps what was fetched for a person's builds."""
    folder: Path = settings.SPACELAB.state / "builds" / "cache" / username
    return folder


def may_fetch(build: Build) -> bool:
    """Say whether a repository may be fetched now: nobody takes a second place while somebody else waits for one."""
    if not free_places():
        return False
    if not at_work_of(build.person):
        return True
    waiting = Build.objects.filter(state=State.QUEUED) | Build.objects.filter(state=State.RECEIVED, source="git")
    return not waiting.exclude(person=build.person_id).exists()


def at_work_of(person: Person) -> bool:
    """Say whether a build of the person's is at work."""
    return Build.objects.filter(person=person, state__in=AT_WORK).exists()


def packages_in_use() -> set[str]:
    """Return the names of the packages' folders that a build or a version names."""
    kept = Build.objects.exclude(package="").values_list("package", flat=True)
    versions = DatalabVersion.objects.values_list("package", flat=True)
    return {*kept, *(Path(one).name for one in versions)}


@dataclass(frozen=True)
class Absence:
    """A version that can't be launched because what it is started from is not on this machine."""

    what: str
    """"image" or "environment"."""
    source: Build | None
    """The build whose package it can be made from again; None where nothing is kept."""
    under_way: Build | None
    """The build that makes it again at the moment."""

    @property
    def in_words(self) -> str:
        """Say what is missing, and whether that can be mended."""
        missing = f"Its {self.what} is not on this machine, as after the restore of a backup."
        if self.under_way:
            return f"{missing} It is being built again."
        if self.source:
            return f"{missing} Its files are kept, so it can be built again as it was."
        return f"{missing} Nothing is kept here that it could be built from: its package has to be brought again."


def absence_of(version: DatalabVersion) -> Absence | None:
    """Say what of a version is not on this machine; None where nothing is missing, or it can't run here anyhow."""
    images = capabilities().images
    lacking = lacks(image=version.image) if images else lacks(environment=version.environment)
    if not lacking or trouble_of(version):
        return None
    under_way = version.builds.exclude(state__in=FINAL).order_by("-number").first()
    return Absence("image" if images else "environment", source_of(version), under_way)


def source_of(version: DatalabVersion) -> Build | None:
    """Find the newest build that made a version and whose package is kept."""
    for build in builds().filter(datalab_version=version, state=State.BUILT).order_by("-number"):
        if is_package_kept(build):
            return build
    return None


def find_version(person: Person, slug: str, version: str) -> DatalabVersion:
    """Find a version that the person may launch, or any for an operator; raise `NotFound` for anything else."""
    versions = DatalabVersion.objects.all() if may(person, BuildPermission.MANAGE_ANY) else launchable_by(person)
    found = versions.filter(datalab__slug=slug, version=version).select_related("datalab").first()
    if found is None:
        raise NotFound(f"There is no such version of “{slug[:60]}”.", advice="Look at the datalab's page.")
    return found


def find_launchable(person: Person, slug: str, version: str) -> DatalabVersion:
    """Find a version that the person may launch, the newest if none is named; raise `NotFound` for anything else."""
    versions = launchable_by(person).filter(datalab__slug=slug).select_related("datalab")
    found = versions.filter(version=version).first() if version else versions.first()
    if found is None:
        raise NotFound(f"There is no such version of “{slug[:60]}”.", advice="Look at the datalab's page.")
    return found


def lines_for(records: Mapping[str, str | None]) -> tuple[dict[str, str], list[str]]:
    """Return the lines that install what stands in these metadata folders, by project, and what can't be had again."""
    return installed.lines_of(records)


def is_outdated(build: Build) -> bool:
    """Say whether a later build has made the version that this one makes again."""
    later = Build.objects.filter(datalab_version=build.datalab_version_id, state=State.BUILT, number__gt=build.number)
    return later.exists()


def may_build_again(person: Person, version: DatalabVersion) -> bool:
    """Say whether the person may have a version built again: its maintainer, or an operator."""
    mine = version.datalab.maintainer_id == person.pk and may_author(person)
    return mine or may(person, BuildPermission.MANAGE_ANY)


def package_folder(package: str) -> Path:
    """Return the folder that keeps a package's files."""
    folder: Path = settings.SPACELAB.state / "packages" / package
    return folder


def is_package_kept(build: Build) -> bool:
    """Say whether a build's files are still here."""
    return bool(build.package) and package_folder(build.package).is_dir()


def is_outcome_gone(build: Build) -> bool:
    """Say whether what a build made is known not to be here any more."""
    made = {name: build.result.get(name, "") for name in ("environment", "image")}
    return build.state == State.BUILT and lacks(**made)


def package_of(version: DatalabVersion) -> Path | None:
    """Return the folder of a version's files on this host, also where the state directory was moved since; or None."""
    if not version.package:
        return None
    told = Path(version.package)
    return next((one for one in (told, package_folder(told.name)) if one.is_dir()), None)


def log_of(build_id: str, limit: int | None = None) -> bytes:
    """Return what was printed for a build so far, or the last `limit` bytes of it."""
    parts = []
    for name in LOGS:
        with contextlib.suppress(OSError), (build_folder(build_id) / name).open("rb") as file:
            if limit is not None:
                file.seek(max(0, os.fstat(file.fileno()).st_size - limit))
            parts.append(file.read())
    text = b"".join(parts)
    return text if limit is None else text[-limit:]


@cache
def _builder_of(name: str) -> Builder:
    made: Builder = import_string(name)()
    return made


def builder() -> Builder:
    """Return what builds for the runtime at work here."""
    return _builder_of(settings.BUILDERS["image" if capabilities().images else "environment"])
