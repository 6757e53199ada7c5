"""What has to be there before the platform starts: tables, roles, people, archives, environments, datalabs."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from spacelab import __version__
from spacelab.accounts import actions as accounts
from spacelab.builds import actions as builds
from spacelab.images.base_images import BaseImage
from spacelab.kit.refusals import Invalid, Unavailable
from spacelab.site import shipped, shipped_pipelines
from spacelab.volumes import actions as volumes
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.queries import capabilities

Progress = Callable[[str], None]
BASES = ("jl_base", "web_base")
"""The base images of what is installed before the platform is ready; others are built when something needs them."""


@dataclass(frozen=True)
class Task:
    """One thing to prepare. `needed` says quickly whether there is anything to do."""

    title: str
    needed: Callable[[], bool]
    work: Callable[[Progress], None]


def check_disk() -> None:
    """Raise `Unavailable` when the state directory's disk is too full to prepare anything."""
    free = shutil.disk_usage(settings.SPACELAB.state).free // 2**20
    if free < settings.SPACELAB.disk_reserve_mb:
        raise Unavailable(
            f"Only {free} MiB are free at {settings.SPACELAB.state}.",
            advice="Free some space, or set SPACELAB_STATE to a roomier disk.",
        )


def _migrations_pending() -> bool:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _migrate(_progress: Progress) -> None:
    call_command("migrate", interactive=False, verbosity=0)


def _static_mark() -> str:
    """Name the static files as they are in the tree, so that a change of any collects them again."""
    digest = hashlib.sha256(__version__.encode())
    for file in sorted(Path(__file__).parents[1].glob("*/static/**/*")):
        if file.is_file():
            digest.update(f"{file}{file.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def _static_needed() -> bool:
    mark = settings.STATIC_ROOT / ".mark"
    return not mark.exists() or mark.read_text() != _static_mark()


def _collect_static(_progress: Progress) -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    (settings.STATIC_ROOT / ".mark").write_text(_static_mark())


def _people(_progress: Progress) -> None:
    accounts.install_roles()
    if settings.SPACELAB.demo:
        accounts.install_demo_people()


def _declare_archives(_progress: Progress) -> None:
    volumes.apply_declarations(settings.SPACELAB.state / "volumes.d")


def _unprotected() -> bool:
    return capabilities().isolation == "none"


def _seal_archives(_progress: Progress) -> None:
    volumes.seal_archives()


def _install_datalab(package: Path) -> Callable[[Progress], None]:
    def work(progress: Progress) -> None:
        try:
            shipped.install(package, progress)
        except RuntimeFault as fault:
            if not shipped.is_installed(package):
                raise _no_engine(fault) from fault
            progress(f"left as it is: {fault}")

    return work


def _install_software(folder: Path) -> Callable[[Progress], None]:
    return lambda progress: shipped_pipelines.install_software(folder, progress)


def _no_engine(fault: RuntimeFault) -> Unavailable:
    return Unavailable(str(fault), advice="Or run without one: SPACELAB_RUNTIME=process.")


def _bases_missing() -> bool:
    from spacelab.site.base_building import standings  # noqa: PLC0415  the engine's client is slow to load

    try:
        return any(one.state != "current" for one in standings() if one.image.name in BASES)
    except RuntimeFault as fault:
        if all(shipped.is_installed(package) for package in shipped.at_start()):
            return False
        raise _no_engine(fault) from fault


def _build_bases(progress: Progress) -> None:
    from spacelab.site.base_building import build_base_images  # noqa: PLC0415  as above

    def tell(image: BaseImage, text: str) -> None:
        progress(f"{image.name}: {text}")

    for _built in build_base_images(BASES, progress=tell, describe=False):
        pass


def _something_absent() -> bool:
    return bool(builds.absent_versions())


def _build_absent(progress: Progress) -> None:
    """Queue the builds; the controller makes them as soon as it runs, and nobody waits for them here."""
    begun, refused = builds.build_absent(by=shipped.SYSTEM)
    for build in begun:
        progress(f"{build.title} {build.version} is built again once the platform runs")
    for version, refusal in refused:
        progress(f"{version} can't be built again: {refusal.message}")


def _check_catalogue(_progress: Progress) -> None:
    names = shipped.unknown()
    if names:
        known = ", ".join(one.name for one in shipped.shipped())
        raise Invalid(f"The catalogue has no datalab “{names[0]}”.", advice=f"catalogue_datalabs may name {known}.")


def _always() -> bool:
    return True


def tasks() -> Iterator[Task]:
    """List what to prepare, in order; each later task may rely on the ones before it."""
    yield Task("Creating the tables", _migrations_pending, _migrate)
    yield Task("Roles and people", _always, _people)
    yield Task("Collecting pages' files", _static_needed, _collect_static)
    yield Task("Making the archives from real data", volumes.archives_missing, volumes.make_archives)
    yield Task("Sealing the archives", _unprotected, _seal_archives)
    yield Task("Declared archives", _always, _declare_archives)
    yield Task("The catalogue's datalabs", _always, _check_catalogue)
    if capabilities().images:
        yield Task("The base images", _bases_missing, _build_bases)
    for package in shipped.at_start():
        yield Task(f"The datalab {package.name}", _always, _install_datalab(package))
    yield Task("The catalogue's pipelines", _always, shipped_pipelines.install_documents)
    for folder in shipped_pipelines.software():
        yield Task(f"The software {folder.name}", _always, _install_software(folder))
    yield Task("What has to be built again here", _something_absent, _build_absent)
