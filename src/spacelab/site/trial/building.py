"""Builds one package as the platform would: the same plan, the same builder, the same isolation."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import import_string

import datalab_package
from datalab_package import Manifest, PackageProblem
from spacelab.builds.ports import Builder, Order, Result
from spacelab.datalabs.rules import refusal_of
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Unavailable
from spacelab.site.base_building import build_base_images, declared, standings
from spacelab.site.trial.workbench import Say, Workbench
from spacelab.workloads.rules import Seen

COMPANION = "datalabs_base"
"""The base image that accompanies every container, whatever the package builds on."""


@dataclass(frozen=True)
class Built:
    """What came of a package: what it says of itself, its files as they were built, and how a session starts it."""

    manifest: Manifest
    plan: datalab_package.Plan
    package: Path
    result: Result
    reused: bool
    """Whether an earlier build had made the same already."""


class BuildFailed(Unavailable):
    """A build ended without a result: the message says what went wrong, the advice what to try."""


def builder_for(*, images: bool) -> Builder:
    """Return the platform's builder of images, or of environments."""
    made: Builder = import_string(settings.BUILDERS["image" if images else "environment"])()
    return made


def plan_of(folder: Path, name: str, *, accept: bool = False) -> tuple[Manifest, datalab_package.Plan]:
    """Read a package and plan its build; raise `Invalid`, naming file and line, for one that can't be used.

    One without metadata is called `name`. With `accept`, what is proposed is installed as well.
    """
    try:
        if datalab_package.meta_file(folder):
            manifest = datalab_package.read_manifest(folder)
        else:
            stands_in = {"title": name, "alternateName": name, "abstract": "Not described.", "version": "0"}
            manifest = datalab_package.manifest_of(folder, stands_in)
        plan = datalab_package.make_plan(folder, manifest)
        if accept and plan.proposals:
            accepted = tuple(one.package for one in plan.proposals)
            plan = datalab_package.make_plan(folder, manifest, answers=datalab_package.Answers(accepted=accepted))
    except PackageProblem as problem:
        raise refusal_of(problem) from problem
    return manifest, plan


def provide_bases(names: set[str], say: Say) -> None:
    """Build the base images among these that the engine lacks, and those that they start from."""
    known = {image.name for image in declared()}
    current = {one.image.name for one in standings() if one.state == "current"}
    wanted = sorted((names & known) - current)
    if not wanted:
        return
    for built in build_base_images(wanted, progress=lambda image, text: say(f"{image.name}: {text}"), describe=False):
        if built.seconds is not None:
            say(f"{built.reference}: {built.size / 1e6:.0f} MB in {built.seconds:.0f} s")


@contextmanager
def _work_folder() -> Iterator[Path]:
    folder: Path = settings.SPACELAB.state / "builds" / f"trial-{new_id()}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def snapshot(folder: Path) -> tuple[Path, str]:
    """Copy a package's files to where nobody changes them; return that folder, and the hash that names it."""
    root: Path = settings.SPACELAB.state / "packages"
    root.mkdir(parents=True, exist_ok=True)
    fresh = root / f".{new_id()}"
    try:
        datalab_package.copy_folder(folder, fresh)
        digest = datalab_package.package_hash(fresh)
        target = root / digest
        if not target.exists():
            fresh.rename(target)
    except PackageProblem as problem:
        raise refusal_of(problem) from problem
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target, digest


@dataclass(frozen=True)
class Wanted:
    """What is to be built, for whom, and who hears of it: of the plan first, then of each line of output."""

    folder: Path
    owner: str
    say: Say
    told: Callable[[Manifest, datalab_package.Plan], None] = lambda _manifest, _plan: None
    accept: bool = False


def build(bench: Workbench, wanted: Wanted) -> Built:
    """Build a package; raise `BuildFailed` with what to try, or what the package is refused for."""
    package, digest = snapshot(wanted.folder)
    manifest, plan = plan_of(package, wanted.folder.resolve().name, accept=wanted.accept)
    wanted.told(manifest, plan)
    images = bench.runtime.capabilities().images
    builder = builder_for(images=images)
    with _work_folder() as work:
        order = Order(
            build_id=work.name,
            workload_id=new_id(),
            owner=wanted.owner,
            slug=manifest.slug,
            version=manifest.version,
            number=1,
            package=package,
            package_hash=digest,
            manifest=manifest,
            plan=plan,
            work=work,
        )
        if images:
            provide_bases({plan.base, COMPANION}, wanted.say)
        builder.check(order)
        made = builder.ready_made(order)
        result = made or _run(bench, builder, order, wanted.say)
    return Built(manifest, plan, package, result, reused=made is not None)


def _run(bench: Workbench, builder: Builder, order: Order, say: Say) -> Result:
    spec = builder.spec(order)
    seen, printed = bench.run(replace(spec, id=order.workload_id), say)
    if seen.seen is Seen.EXITED and seen.exit_code == 0:
        return builder.finish(order)
    failure = datalab_package.explain_failure(printed, order.plan)
    step = f"{failure.step}: " if failure.step else ""
    raise BuildFailed(f"{step}{failure.message or seen.reason}", advice=failure.advice)
