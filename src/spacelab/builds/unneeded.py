"""What is left of builds and nobody needs: looked for in the database, in the state directory and in the engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from spacelab.builds import queries
from spacelab.builds.models import Build
from spacelab.builds.rules import FINAL, Retention, State, Unneeded
from spacelab.datalabs.models import DatalabVersion
from spacelab.images import queries as images
from spacelab.kit.folders import disk_used
from spacelab.kit.refusals import Refusal
from spacelab.workloads.models import Workload
from spacelab.workloads.queries import capabilities
from spacelab.workloads.rules import FINAL as ENDED

MARK = ".complete"
"""The file that a finished environment holds."""
GOING = ".going-"
"""How the names of folders begin that are about to be removed."""
PACKAGE_LABEL = "org.spacelab.package"


@dataclass
class Needed:
    """The names of what something needs now, by kind; packages by their hash, caches by their person."""

    environment: set[str] = field(default_factory=set)
    image: set[str] = field(default_factory=set)
    package: set[str] = field(default_factory=set)
    cache: set[str] = field(default_factory=set)
    papers: set[str] = field(default_factory=set)

    def __contains__(self, one: object) -> bool:
        return isinstance(one, Unneeded) and one.name in getattr(self, one.kind, ())


def needed() -> Needed:
    """Collect what any version, published or not, any session or other workload at work, and any build needs."""
    found = Needed()
    for environment, image, package in DatalabVersion.objects.values_list("environment", "image", "package"):
        found.environment.add(environment)
        found.image.add(image)
        found.package.add(Path(package).name)
    _add_sources(found)
    for build in Build.objects.exclude(state__in=FINAL).select_related("person"):
        found.package.add(build.package)
        found.environment.add(build.result.get("environment", ""))
        found.image.add(build.result.get("image", ""))
        found.cache.add(build.person.username)
    for spec in Workload.objects.exclude(phase__in=ENDED).values_list("spec", flat=True):
        found.environment.add(spec.get("environment", ""))
        found.image |= {spec.get("image", ""), (spec.get("build") or {}).get("tag", "")}
        names = [part for mount in spec.get("mounts", ()) for part in Path(mount["source"]).parts]
        found.environment.update(names)
        found.package.update(names)
    found.papers |= {images.key_of(environment=name) for name in found.environment}
    return found


def _add_sources(found: Needed) -> None:
    """Add what versions were made of: by their newest builds, down to the first of which the files are kept."""
    made = Build.objects.filter(state=State.BUILT, datalab_version__isnull=False).order_by("-number")
    complete = set()
    for version, package, result in made.values_list("datalab_version_id", "package", "result"):
        if version in complete:
            continue
        found.package.add(package)
        found.papers.add(images.key_of(image_id=result.get("image_id", "")))
        if package and queries.package_folder(package).is_dir():
            complete.add(version)


@dataclass(frozen=True)
class Traces:
    """What the builds that have come out tell of a name: the newest one's rank, and when it was used last."""

    rank: int | None
    since: datetime


class _History:
    """When each outcome and package was used last, and how many later ones there are of the same person's datalab."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Traces] = {}
        self.packages: dict[str, Traces] = {}
        self.images: dict[str, str] = {}
        later: dict[tuple[int, str], int] = {}
        columns = ("person_id", "slug", "state", "package", "result", "ended_at", "created_at")
        for person, slug, state, package, result, ended, created in Build.objects.order_by("-number").values_list(
            *columns
        ):
            at, rank = ended or created, None
            if state == State.BUILT:
                rank = later.get((person, slug), 0)
                later[person, slug] = rank + 1
                image = result.get("image", "")
                if image:
                    self.images.setdefault(image, result.get("image_id", ""))
                for name in {image, result.get("environment", "")} - {""}:
                    self._note(self.outcomes, name, rank, at)
            if package:
                self._note(self.packages, package, rank, at)

    def _note(self, into: dict[str, Traces], name: str, rank: int | None, at: datetime) -> None:
        before = into.get(name, Traces(rank, at))
        ranks = [one for one in (rank, before.rank) if one is not None]
        into[name] = Traces(min(ranks, default=None), max(at, before.since))


def retention() -> Retention:
    """Read the settings."""
    wanted = settings.SPACELAB
    return Retention(wanted.builds_kept, wanted.build_days, wanted.disk_floor_mb * 2**20)


def free_bytes() -> int:
    """Return what is free on the state directory's disk."""
    return shutil.disk_usage(settings.SPACELAB.state).free


def find() -> list[Unneeded]:
    """List all that nothing needs, whether its time is over or not; without an engine, nothing that is the engine's."""
    wanted, history = needed(), _History()
    engine = _engine_images()
    found = [*_environments(history), *_packages(history), *_caches()]
    found += [*_images(history, engine), *_unnamed(history)] if engine is not None else []
    found += _papers(wanted, history, engine)
    return [one for one in found if one not in wanted]


def moment(path: Path) -> datetime:
    """Say when a file or folder was changed last, or moved to where it is."""
    facts = path.lstat()
    return datetime.fromtimestamp(max(facts.st_mtime, facts.st_ctime)).astimezone()


def _folders(root: Path) -> Iterator[Path]:
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir() and not folder.is_symlink() and not folder.name.startswith("."):
            yield folder


def _used(folder: Path) -> int:
    try:
        return disk_used(folder)
    except Refusal:
        return 0


def _environments(history: _History) -> Iterator[Unneeded]:
    """List finished environments; one that no build made is the catalogue's, from before a change of its packages."""
    for folder in _folders(settings.ENVIRONMENTS_DIRECTORY):
        mark = folder / MARK
        if not mark.exists():
            continue
        text = mark.read_text().strip()
        traces = history.outcomes.get(folder.name, Traces(None, moment(mark)))
        size = int(text) if text.isdigit() else _used(folder)
        since = max(traces.since, moment(mark))
        yield Unneeded("environment", folder.name, size, since, traces.rank, timed=traces.rank is None)


def _packages(history: _History) -> Iterator[Unneeded]:
    """List the packages that builds name; what no build names was never planned, and goes elsewhere."""
    for folder in _folders(queries.package_folder("")):
        traces = history.packages.get(folder.name)
        if traces is not None:
            since = max(traces.since, moment(folder))
            yield Unneeded("package", folder.name, _used(folder), since, traces.rank)


def _caches() -> Iterator[Unneeded]:
    last = dict(Build.objects.values_list("person__username").annotate(Max("created_at")))
    for folder in _folders(queries.cache_folder("")):
        yield Unneeded("cache", folder.name, _used(folder), max(last.get(folder.name, moment(folder)), moment(folder)))


def _engine_images() -> list[images.Stored] | None:
    """List the engine's images; None where there is no engine to ask, or it does not answer."""
    if not capabilities().images:
        return None
    try:
        return list(images.image_store().images())
    except Refusal:
        return None


def _images(history: _History, engine: list[images.Stored]) -> Iterator[Unneeded]:
    """List the images that builds of this platform made, and no other: by their names, ids and labels alike."""
    for one in engine:
        for name in one.names:
            traces = history.outcomes.get(name)
            if traces is not None and history.images.get(name) == one.id and PACKAGE_LABEL in one.labels:
                yield Unneeded("image", name, one.size, traces.since, traces.rank, timed=False, mark=one.id)


def _unnamed(history: _History) -> Iterator[Unneeded]:
    """List images that lost their names to later ones, of packages that this platform's builds name."""
    for one in images.image_store().unnamed():
        if one.labels.get(PACKAGE_LABEL) in history.packages:
            yield Unneeded("image", one.id, one.size, one.created or timezone.now(), mark=one.id)


def _papers(wanted: Needed, history: _History, engine: list[images.Stored] | None) -> Iterator[Unneeded]:
    """List the papers of what builds made and is not here any more; those of images only where the engine says so."""
    gone = {images.key_of(environment=name) for name in history.outcomes if ":" not in name}
    gone -= {images.key_of(environment=one.name) for one in _folders(settings.ENVIRONMENTS_DIRECTORY)}
    if engine is not None:
        gone |= {images.key_of(image_id=one) for one in history.images.values() if one}
        gone -= {images.key_of(image_id=one.id) for one in engine}
    for key, (size, since) in images.papers_kept().items():
        if key in gone - wanted.papers:
            yield Unneeded("papers", key, size, since)
