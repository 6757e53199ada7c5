"""Reads about builds: whose they are, what is in the queue, what a page shows of one."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db.models import Max, QuerySet
from django.utils.module_loading import import_string

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may
from spacelab.builds import rules
from spacelab.builds.models import Build, BuildChange
from spacelab.builds.permissions import BuildPermission
from spacelab.builds.ports import Builder
from spacelab.builds.rules import AT_WORK, FINAL, State
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import NotFound
from spacelab.workloads.queries import capabilities

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
