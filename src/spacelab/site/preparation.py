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
from spacelab.audit.actions import System
from spacelab.builds import actions as builds
from spacelab.datalabs import actions as datalabs
from spacelab.datalabs.manifest import read_manifest
from spacelab.kit.refusals import Unavailable
from spacelab.volumes import actions as volumes
from spacelab.workloads.queries import capabilities

Progress = Callable[[str], None]
SYSTEM = System("prepare")


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
        manifest = read_manifest(package)
        requirements = package / "requirements.txt"
        environment = (
            builds.build_environment(slug=package.name, requirements=requirements, progress=progress)
            if requirements.exists()
            else ""
        )
        datalabs.install_from_manifest(by=SYSTEM, manifest=manifest, environment=environment, package_dir=package)

    return work


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
    for package in sorted((settings.CATALOGUE_DIRECTORY / "datalabs").iterdir()):
        if package.is_dir():
            yield Task(f"The datalab {package.name}", _always, _install_datalab(package))
