"""The pipelines, steps and steps' software of the shipped catalogue, and installing them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from spacelab.audit.actions import System
from spacelab.builds import actions as builds
from spacelab.kit.refusals import Invalid
from spacelab.pipelines import actions as pipelines
from spacelab.pipelines.rules import Kind
from spacelab.workloads.queries import capabilities

SYSTEM = System("prepare")
VERSION = re.compile(r"^#\s*version:\s*(\S+)\s*$", re.MULTILINE)


def install_documents(progress: Callable[[str], None]) -> None:
    """Publish the catalogue's steps, then its pipelines; quick where nothing has changed."""
    for kind in (Kind.STEP, Kind.PIPELINE):
        for folder in _folders(f"{kind.value}s"):
            progress(folder.name)
            pipelines.install_folder(by=SYSTEM, folder=folder, kind=kind)


def software() -> list[Path]:
    """List the folders of the environments that the catalogue's steps name; none where steps are containers."""
    if capabilities().images:
        return []
    return [one for one in _folders("software") if (one / "requirements.txt").is_file()]


def install_software(folder: Path, progress: Callable[[str], None]) -> None:
    """Make an environment that steps name, unless it is there, and offer it to them."""
    requirements = folder / "requirements.txt"
    text = requirements.read_text("utf-8")
    version = VERSION.search(text)
    if version is None:
        raise Invalid(f"{requirements} has no version.", advice="Write “# version: 1.0” into its first line.")
    environment = builds.build_environment(slug=folder.name, requirements=requirements, progress=progress)
    packages = "\n".join(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    pipelines.offer_software(
        by=SYSTEM, name=folder.name, version=version[1], environment=environment, packages=packages
    )


def _folders(name: str) -> list[Path]:
    place: Path = settings.CATALOGUE_DIRECTORY / name
    return sorted(one for one in place.iterdir() if one.is_dir()) if place.is_dir() else []
