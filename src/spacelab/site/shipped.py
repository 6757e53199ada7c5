"""The datalabs of the shipped catalogue: which are offered here, and installing them as environments or as images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from django.conf import settings

import datalab_package
from spacelab.audit.actions import System
from spacelab.builds import actions as builds
from spacelab.datalabs import actions as datalabs
from spacelab.datalabs.manifest import read_manifest
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import Refusal
from spacelab.workloads.queries import capabilities

Progress = Callable[[str], None]
SYSTEM = System("prepare")
OWNER = "catalogue"
"""In the names of the catalogue's images, where other images have their author."""
FIRST = ("jupyterlab", "sky-explorer")
"""What is there before the platform says that it is ready; the rest is built afterwards, where building takes long."""


def offered() -> list[Path]:
    """List the folders of the packages that the settings choose."""
    wanted = settings.SPACELAB.catalogue_datalabs
    return [one for one in shipped() if "all" in wanted or one.name in wanted]


def shipped() -> list[Path]:
    """List the folders of all packages in the catalogue."""
    folders = sorted((settings.CATALOGUE_DIRECTORY / "datalabs").iterdir())
    return [one for one in folders if datalab_package.meta_file(one)]


def unknown() -> list[str]:
    """List the names in the settings that the catalogue doesn't have."""
    known = {"all", *(one.name for one in shipped())}
    return [name for name in settings.SPACELAB.catalogue_datalabs if name not in known]


def needs_engine(package: Path) -> bool:
    """Say whether a package can only be an image: it is a desktop, or needs Debian packages or its own Dockerfile."""
    files = any((package / name).is_file() for name in ("Dockerfile", "packages.txt"))
    return files or read_manifest(package).kind == "desktop"


def at_start() -> Iterator[Path]:
    """List what is installed before the platform is ready: without a container engine, all that needs none."""
    images = capabilities().images
    for package in offered():
        if package.name in FIRST if images else not needs_engine(package):
            yield package


def later() -> list[Path]:
    """List what is built while the platform runs already."""
    return [one for one in offered() if one.name not in FIRST] if capabilities().images else []


def left_out() -> list[Path]:
    """List what can't be offered because there is no container engine."""
    return [] if capabilities().images else [one for one in offered() if needs_engine(one)]


def install(package: Path, progress: Progress) -> None:
    """Build what the platform's runtime starts the package from, and publish it; quick when nothing has changed."""
    if capabilities().images:
        _install_image(package, progress)
        return
    requirements = package / "requirements.txt"
    environment = (
        builds.build_environment(slug=package.name, requirements=requirements, progress=progress)
        if requirements.exists()
        else ""
    )
    manifest = read_manifest(package)
    datalabs.install_from_manifest(by=SYSTEM, manifest=manifest, environment=environment, package_dir=package)


def _install_image(package: Path, progress: Progress) -> None:
    from spacelab.site.trial.building import Wanted, build  # noqa: PLC0415  the engine's client is slow to load
    from spacelab.site.trial.workbench import workbench  # noqa: PLC0415  as above

    with workbench() as bench:
        built = build(bench, Wanted(package, OWNER, progress))
    manifest, result = built.manifest, built.result
    # A desktop's command is the program on the screen: its image starts the screen first, and then that.
    command = [] if built.plan.kind == "desktop" else manifest.command
    as_built = replace(
        manifest,
        kind=built.plan.kind,
        command=list(command or result.command),
        interface=dict(manifest.interface or result.interface),
        variables={**result.variables, **manifest.variables},
        activity_probe=manifest.activity_probe or result.activity_probe,
    )
    datalabs.install_from_manifest(by=SYSTEM, manifest=as_built, image=result.image, package_dir=package)


def is_installed(package: Path) -> bool:
    """Say whether some version of the package can be launched already, whatever its present content."""
    slug = datalab_package.read_manifest(package).slug
    return DatalabVersion.objects.filter(datalab__slug=slug).exclude(image="").exists()


def install_rest(progress: Callable[[str, str], None]) -> list[tuple[str, Refusal]]:
    """Install what comes later, one by one; return what could not be, with why."""
    failed = []
    for package in later():
        try:
            install(package, lambda text, name=package.name: progress(name, text))  # type: ignore[misc]
        except Refusal as refusal:
            failed.append((package.name, refusal))
        else:
            progress(package.name, "")
    return failed
