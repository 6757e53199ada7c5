"""Reads about launch tests: which are due, how far one is, where its files lie, and what a page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from spacelab.accounts.models import Person
from spacelab.builds import queries as build_queries
from spacelab.datalabs import queries as datalab_queries
from spacelab.datalabs.models import DatalabVersion, Evidence
from spacelab.datalabs.rules import KEPT
from spacelab.datalabs.rules import State as VersionState
from spacelab.images import queries as images
from spacelab.kit.refusals import NotFound
from spacelab.publishing.rules import RUNNABLE
from spacelab.sessions import queries as session_queries
from spacelab.testing import rules
from spacelab.testing.models import LaunchTest
from spacelab.workloads.queries import capabilities
from spacelab.workloads.rules import Profile, profile_named

SCREENSHOT, LOG = "screenshot.png", "log.txt"
FILES = {SCREENSHOT: "image/png", LOG: "text/plain; charset=utf-8"}
"""What evidence may keep as files, with the type in which each is sent."""
SHOWN = 10
"""Results that the page lists."""


def tests() -> QuerySet[LaunchTest]:
    """List all launch tests, oldest first."""
    return LaunchTest.objects.select_related("version__datalab__maintainer", "workload").order_by("id")


def to_attend() -> QuerySet[LaunchTest]:
    """List the tests of which something is left to do."""
    return tests().filter(cleaned=False)


def left_over() -> QuerySet[LaunchTest]:
    """List the tests whose versions were deleted, and of which only files are left."""
    return tests().filter(cleaned=True, version=None)


def free_places() -> int:
    """Say how many tests may begin now."""
    return max(0, settings.SPACELAB.launch_tests_at_once - tests().filter(state__in=rules.AT_WORK).count())


def untested() -> QuerySet[DatalabVersion]:
    """List the versions that were built, or count as being tested, and whose launch test has not begun."""
    begun = LaunchTest.objects.filter(version=OuterRef("pk"), content_hash=OuterRef("content_hash"))
    lost = Q(state=VersionState.TESTING) & ~Exists(begun)
    found = DatalabVersion.objects.filter(Q(state=VersionState.BUILT) | lost, datalab__maintainer__isnull=False)
    return found.order_by("pk")


def to_preserve(now: datetime, most: int) -> QuerySet[DatalabVersion]:
    """List published and archived versions of which nobody has looked for long enough whether they still start.

    A look counts whatever came out, so that what is broken is looked at again after as many days, and not at once.
    """
    days = settings.SPACELAB.preservation_days
    if not days:
        return DatalabVersion.objects.none()
    recent = LaunchTest.objects.filter(version=OuterRef("pk")).filter(
        ~Q(state__in=rules.FINAL) | Q(ended_at__gt=now - timedelta(days=days))
    )
    kept = DatalabVersion.objects.filter(state__in=KEPT).filter(~Exists(recent))
    fresh = Evidence.objects.filter(version=OuterRef("pk"), passed=True, at__gt=now - timedelta(days=days))
    return kept.filter(~Exists(fresh)).select_related("datalab__maintainer").order_by("pk")[: max(most, 0)]


def waiting() -> int:
    """Count the tests that wait for a place."""
    return LaunchTest.objects.filter(state=rules.State.WAITING).count()


def open_test(version: DatalabVersion) -> LaunchTest | None:
    """Return the version's test that has not ended."""
    return tests().filter(version=version).exclude(state__in=rules.FINAL).first()


def is_awaited(version: DatalabVersion) -> bool:
    """Say whether the version's launch test begins by itself, or is at work."""
    if open_test(version) is not None:
        return True
    known = version.evidence.filter(content_hash=version.content_hash).exists()
    return not known and untested().filter(pk=version.pk).exists()


def last_test(version: DatalabVersion) -> LaunchTest | None:
    """Return the version's newest test."""
    return tests().filter(version=version).last()


def is_outdated(test: LaunchTest) -> bool:
    """Say whether the version was deleted, changed or built anew since the test began."""
    version = test.version
    if version is None or version.content_hash != test.content_hash:
        return True
    return version.state in {VersionState.DRAFT, VersionState.BUILDING, VersionState.BUILD_FAILED}


def owner_of(version: DatalabVersion) -> Person | None:
    """Return in whose name a test runs: the author's, and an operator's for what the platform ships."""
    if version.datalab.maintainer is not None:
        return version.datalab.maintainer
    return next(iter(datalab_queries.keepers()), None)


def profile() -> Profile:
    """Return the profile with which tests run."""
    offered = session_queries.profiles()
    wanted = settings.SPACELAB.launch_test_profile
    return profile_named(wanted, offered) if wanted else offered[0]


def work_folder(test: LaunchTest, workload_id: str = "") -> Path:
    """Return the folder with the areas that the test's workloads write into."""
    return Path(settings.SPACELAB.state) / "tests" / str(test.pk) / workload_id


def evidence_folder(name: str) -> Path:
    """Return where a piece of evidence keeps its files."""
    return Path(settings.SPACELAB.state) / "evidence" / name


def package_of(version: DatalabVersion) -> Path | None:
    """Return the folder of the version's package on this host; None where there is none."""
    return build_queries.package_of(version)


def notebooks_of(version: DatalabVersion) -> list[str]:
    """Name the notebooks of a version's package, as paths in it; hidden ones and saved checkpoints don't count."""
    package = package_of(version)
    if package is None:
        return []
    found = [file.relative_to(package) for file in sorted(package.rglob("*.ipynb")) if file.is_file()]
    shown = [one.as_posix() for one in found if not any(part.startswith(".") for part in one.parts)]
    return shown[: rules.MOST_NOTEBOOKS]


def size_of(version: DatalabVersion) -> int | None:
    """Return the bytes of the version's image, or of its environment where they were counted when it was made."""
    if capabilities().images:
        found = images.image_store().find(version.image) if version.image else None
        return found.size if found else None
    mark = Path(settings.ENVIRONMENTS_DIRECTORY) / version.environment / ".complete"
    try:
        text = mark.read_text().strip() if version.environment else ""
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def may_test(person: Person, version: DatalabVersion) -> bool:
    """Say whether the person may have the version tested: its author, and moderators where they see it."""
    if version.datalab.maintainer_id == person.pk:
        return datalab_queries.may_author(person)
    return datalab_queries.may_moderate(person)


def can_test(person: Person, version: DatalabVersion) -> bool:
    """Say whether the person may have the version tested, and something was built."""
    return VersionState(version.state) in RUNNABLE | KEPT and may_test(person, version)


def can_launch(person: Person, version: DatalabVersion) -> bool:
    """Say whether the person may launch the version herself."""
    return datalab_queries.launchable_by(person).filter(pk=version.pk).exists()


def find_version(person: Person, slug: str, number: str) -> DatalabVersion:
    """Find a version whose authoring pages the person may open; raise `NotFound` for any other."""
    return datalab_queries.find_authored(person, slug, number)


@dataclass(frozen=True)
class Shown:
    """A piece of evidence with what its page shows of its files."""

    row: Evidence
    log: str
    screenshot: bool


def shown(evidence: Evidence) -> Shown:
    """Read what a page shows of a piece of evidence."""
    folder = evidence_folder(evidence.folder) if evidence.folder else None
    kept = folder / LOG if folder else None
    log = kept.read_text(encoding="utf-8", errors="replace") if kept and kept.is_file() else ""
    return Shown(evidence, log, bool(folder and (folder / SCREENSHOT).is_file()))


def evidence_of(version: DatalabVersion) -> QuerySet[Evidence]:
    """List what was found out about a version, newest first."""
    return version.evidence.all()


def find_file(version: DatalabVersion, evidence_id: int, name: str) -> Path:
    """Find a file of a version's evidence; raise `NotFound` if there is none."""
    evidence = version.evidence.filter(pk=evidence_id).exclude(folder="").first()
    file = evidence_folder(evidence.folder) / name if evidence and name in FILES else None
    if file is None or not file.is_file():
        raise NotFound("There is no such file.", advice="Look at the page of the test.")
    return file
