"""From a package to a plan: what was detected, what its metadata lack and what is suggested, and the order to build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import datalab_package
from datalab_package import Answers, Manifest, PackageProblem, Plan, Proposal
from spacelab.accounts.models import Person
from spacelab.builds import form_terms, packages, queries
from spacelab.builds.models import Build
from spacelab.builds.ports import Order
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.rules import authors_terms, refusal_of
from spacelab.kit.refusals import Invalid
from spacelab.publishing.rules.terms import TERMS
from spacelab.workloads.queries import capabilities


@dataclass(frozen=True)
class Planned:
    """What is known of a package: its plan, and its manifest or what the manifest lacks."""

    plan: Plan
    manifest: Manifest | None
    lacking: Invalid | None = None

    offers: tuple[Proposal, ...] = ()
    """Everything that is imported and not installed, whether the person took it or not."""

    def row(self) -> dict[str, Any]:
        """Return what a build's row keeps of it."""
        proposals = [{**packages.as_json(one), "reason": one.reason} for one in self.offers]
        steps = [packages.as_json(one) for one in queries.builder().steps(self.plan)]
        known: dict[str, Any] = {"plan": {**packages.as_json(self.plan), "proposals": proposals, "steps": steps}}
        if self.manifest:
            known |= {"slug": self.manifest.slug, "title": self.manifest.title, "version": self.manifest.version}
        return known


NEEDED = ("title", "alternateName", "abstract")
"""Metadata without which there is no datalab; the form asks for what a package leaves out."""

MOST_LEFT_OUT = 20
LEFT_OUT = " It is left out; you can fill it in once it is built."


def plan(package: str, answers: Mapping[str, Any]) -> Planned:
    """Plan how a package is built with these answers; raise `Invalid` for one that can't be."""
    folder = packages.folder_of(package)
    try:
        manifest, lacking = _manifest(folder)
        kind = datalab_package.make_plan(folder, manifest, answers=Answers(layered=capabilities().images)).kind
        provided = queries.builder().provided(kind)
        layered = capabilities().images
        bare = datalab_package.make_plan(folder, manifest, answers=Answers(provided=provided, layered=layered))
        accepted = answers.get("requirements")
        if accepted is None:
            accepted = [one.package for one in bare.proposals]
        taken = Answers(accepted=tuple(accepted), provided=provided, layered=layered)
        made = datalab_package.make_plan(folder, manifest, answers=taken) if accepted else bare
    except PackageProblem as problem:
        raise refusal_of(problem) from problem
    made = replace(made, warnings=(*made.warnings, *_left_out(manifest)))
    return Planned(made, None if lacking else manifest, lacking, bare.proposals)


def _left_out(manifest: Manifest) -> list[str]:
    """Say which metadata of the package won't be taken over, and why."""
    _, problems = authors_terms(manifest.metadata)
    told = [(TERMS[one.key].label if one.key in TERMS else one.key, one) for one in problems[:MOST_LEFT_OUT]]
    return [f"Metadata, {label}: {one.message} {one.advice}".strip() + LEFT_OUT for label, one in told]


def _manifest(folder: Path) -> tuple[Manifest, Invalid | None]:
    """Read the manifest; where metadata are missing, stand in for them and say what is missing."""
    try:
        return datalab_package.read_manifest(folder), None
    except PackageProblem as problem:
        if datalab_package.meta_file(folder) and problem.key not in NEEDED:
            raise
        stands_in = {"title": "Untitled", "alternateName": "untitled", "abstract": "Not described."}
        known = {key: value for key, value in packages.metadata(folder).items() if value and key not in NEEDED}
        return datalab_package.manifest_of(folder, {**known, **stands_in}), refusal_of(problem)


def order_of(
    build: Build, planned: Planned, *, number: int | None = None, origin: DatalabVersion | None = None
) -> Order:
    """Return what a builder is to do for this build, on the image of `origin`, or of what its version derives from."""
    if planned.manifest is None:
        raise planned.lacking or Invalid("The package's metadata are not complete.")
    if build.datalab_version is not None:
        origin = build.datalab_version.derived_from
    return Order(
        build_id=build.pk,
        workload_id=build.workload_id or "",
        owner=build.person.username,
        slug=planned.manifest.slug,
        version=planned.manifest.version,
        number=number or build.number or 0,
        package=packages.folder_of(build.package),
        package_hash=build.package,
        manifest=planned.manifest,
        plan=planned.plan,
        work=queries.work_folder(build.pk),
        git_url=build.git_url,
        git_commit=build.git_commit,
        origin_image=origin.image if origin and planned.plan.builds_on else "",
    )


def suggestions(build: Build, person: Person) -> dict[str, str]:
    """Suggest metadata: what the form of its metadata, an answer or the package says, else what its notebooks tell."""
    folder = packages.folder_of(build.package)
    name = _name_of(build)
    if not name and not any(folder.rglob("*.ipynb")):
        name = "My application"  # the folder's own name is its hash
    drafted = datalab_package.suggest_metadata(folder, name)
    guessed = {field: drafted.get(key, "") for field, key in packages.META_KEYS.items()}
    guessed |= {"creator": person.display_name, "email": person.email}
    answered = {key: str(build.answers[key]) for key in guessed if build.answers.get(key)}
    return {**guessed, **packages.said_of(folder), **answered, **form_terms.as_answers(form_terms.changes(build))}


def _name_of(build: Build) -> str:
    """Return what the upload or the repository was called, where that says anything."""
    if build.source == "git":
        return build.brought.removesuffix(" from Git")
    if build.brought.endswith(" files"):
        return build.brought.rpartition(", ")[0]
    return PurePosixPath(build.brought).stem
