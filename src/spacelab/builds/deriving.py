"""The package of a datalab that is derived from another one's version: what it takes over, and what is its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

import datalab_package
from datalab_package import INTERFACE_KEYS, PackageProblem, Plan
from spacelab.builds import installed, packages, queries
from spacelab.builds.packages import Brought
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import Conflict
from spacelab.workloads.queries import capabilities

DOCKERFILE = "Dockerfile"
INSTALLS = ("requirements.txt", "environment.yml", "environment.yaml", "packages.txt", "apt.txt")
"""Files that say what is installed: the image has it already, or the new requirements.txt says it with versions."""
TOLD_ON = (
    *("abstract", "description", "keywords", "distribution.license", "instrument", "mission", "domain"),
    *("associatedFileType", "language", "audienceType"),
)
"""Terms that hold for what is derived as well; who made it, whom to ask and how to cite it do not."""
OVERRIDES = "overrides.txt"
ICONS = ("icon.svg", "logo.svg", "icon.png", "logo.png", "thumbnail.png")


@dataclass(frozen=True)
class Derived:
    """What a derived package is to be: its metadata, what it installs beyond its origin, and more files.

    `whole`: whether the origin's files are copied, as far as they may be, and what is said of them.
    """

    terms: Mapping[str, Any]
    pins: Mapping[str, str] = field(default_factory=dict)
    """Project → the line that installs it."""
    files: Sequence[Brought] = ()
    whole: bool = True


def compose(origin: DatalabVersion, wanted: Derived, room: Path) -> str:
    """Make the package in the staging folder `room`, keep it and return its hash; raise `Invalid` for what can't be."""
    source = queries.package_of(origin)
    plan = _plan_of(source)
    if source is None and not capabilities().images and (origin.kind or origin.datalab.kind) != "jupyter":
        raise Conflict(f"The files of {origin} are not kept here.", advice="Choose another version.")
    copied = bool(source) and wanted.whole and _may_copy(origin, plan)
    fresh, checked = room / "fresh", room / "checked"
    with packages.said():
        if source and copied:
            datalab_package.copy_folder(source, fresh)
            packages.make_writable(fresh)
        else:
            fresh.mkdir()
            if source:
                _copy_set_up(origin, source, plan, fresh)
        _write_requirements(fresh, origin, plan if copied else None, wanted.pins)
        datalab_package.write_setup(fresh, _setup(origin, plan, fresh))
        if before := datalab_package.meta_file(fresh):
            (fresh / before).unlink()
        kept = {key: origin.metadata[key] for key in TOLD_ON if wanted.whole and origin.metadata.get(key)}
        datalab_package.write_metadata(fresh, {**kept, **wanted.terms})
        if wanted.files:
            added = [(one.path, one.content) for one in wanted.files]
            datalab_package.take_files(added, room / "added", keep_top=True)
            shutil.copytree(room / "added", fresh, dirs_exist_ok=True)
        datalab_package.copy_folder(fresh, checked)
        return packages.keep(checked)


def _copy_set_up(origin: DatalabVersion, source: Path, plan: Plan | None, target: Path) -> None:
    """Copy what says how the origin looks and is set up, and none of its other files.

    Where notebooks are shown it starts as its base does, and an image of the author's own as that image says.
    """
    own_image = plan is not None and plan.own_dockerfile
    for name in (*ICONS, *(() if is_notebook_base(origin) or own_image else (OVERRIDES,))):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    set_up = packages.set_up(source)
    left_out = {"command", "base"} | ({"interface", "threads"} if not own_image else set())
    datalab_package.write_setup(target, {key: value for key, value in set_up.items() if key not in left_out})


def _plan_of(source: Path | None) -> Plan | None:
    with suppress(PackageProblem):
        return datalab_package.make_plan(source) if source else None
    return None


def is_notebook_base(origin: DatalabVersion) -> bool:
    """Say whether a version is the plain JupyterLab that notebooks are built upon anyhow."""
    return origin.datalab.maintainer_id is None and origin.datalab.slug == settings.NOTEBOOK_BASE


def _may_copy(origin: DatalabVersion, plan: Plan | None) -> bool:
    """Say whether a version's files are what its sessions show: a Dockerfile of its own may leave some of them out."""
    return plan is not None and not plan.own_dockerfile and not is_notebook_base(origin)


def _write_requirements(folder: Path, origin: DatalabVersion, plan: Plan | None, more: Mapping[str, str]) -> None:
    """Write what is installed: what the origin's environment has, with versions, and the new lines in their place."""
    for name in INSTALLS:
        (folder / name).unlink(missing_ok=True)
    there = {_project(line): line for line in queries.builder().pins(origin.environment, origin.kind)}
    others = [line for line in plan.requirements if _project(line) not in there] if plan else []
    others = [line for line in others if not capabilities().images or line.startswith("-")]
    pins = {**there, **more}
    lines = [line for line in others if _project(line) not in pins] + [pins[name] for name in sorted(pins)]
    if lines:
        heading = f"# Beyond the base: what {origin.datalab.slug} {origin.version} has, and what was added."
        (folder / "requirements.txt").write_text("\n".join([heading, *lines, ""]), "utf-8")


def _project(line: str) -> str:
    return installed.project_of(line) or line


def _setup(origin: DatalabVersion, plan: Plan | None, folder: Path) -> dict[str, Any]:
    """Return what `spacelab.yml` says more: on what it builds, and how it starts where its files don't tell that."""
    told = packages.set_up(folder)
    kind = origin.kind or origin.datalab.kind
    more: dict[str, Any] = {"kind": kind, "default_volumes": list(origin.default_volumes)}
    if kind != "jupyter" or (plan and plan.own_dockerfile):
        more["interface"] = {name: str(origin.interface[name]) for name in INTERFACE_KEYS if origin.interface.get(name)}
    base = {"datalab": origin.datalab.slug, "version": origin.version}
    return {"base": base, **{key: value for key, value in more.items() if value and key not in told}}
