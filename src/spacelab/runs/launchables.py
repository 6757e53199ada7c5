"""What can be launched and what keeps it from that: a pipeline's documents, read as a graph, with its inputs."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import cwl_graph
from cwl_graph import Document, Field, Node, Problem
from spacelab.accounts.models import Person
from spacelab.kit.refusals import Conflict, Invalid, NotFound, Refusal, Unavailable
from spacelab.pipelines import queries as pipelines
from spacelab.pipelines.models import PipelineVersion
from spacelab.pipelines.rules import Reference
from spacelab.runs.choosing import Source
from spacelab.runs.job_order import UnfitJobError, normalised
from spacelab.runs.models import Run
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import Mount, volume_and_team
from spacelab.workloads import queries as workloads
from spacelab.workloads.rules import Network, Profile

MOST_HINDRANCES = 50


@dataclass(frozen=True)
class Launchable:
    """Documents that somebody wants to run; `only_step` where she wants one step of them alone."""

    source: Source
    missing: tuple[Reference, ...] = ()
    only_step: str = ""
    version: PipelineVersion | None = None
    previous: Run | None = None
    """The run of which this is another one with changes."""
    _seen: dict[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def whole(self) -> Document:
        """The documents as they were read."""
        return cwl_graph.read(self.source.files, self.source.main)

    @cached_property
    def document(self) -> Document:
        """The documents with the inputs that are asked for: the pipeline's, or those of the one step."""
        if not self.only_step:
            return self.whole
        node = self.whole.graph.node(self.only_step)
        if node is None or node.kind != "step":
            raise NotFound(f"There is no step “{self.only_step[:100]}”.", advice="Look at the pipeline's steps.")
        return dataclasses.replace(self.whole, inputs=_inputs_of(node))

    @cached_property
    def hindrances(self) -> tuple[Problem, ...]:
        """What keeps the documents from running here, with file and line where that is known."""
        found = [_missing(one) for one in self.missing]
        known = {one.path for one in self.missing}
        found += [
            one
            for one in self.whole.problems
            if one.severity == "error" and not any(path in one.message for path in known)
        ]
        for image in self.whole.images:
            if image.required and image.name not in self.source.environments:
                advice = "It needs a container runtime, or software that the platform knows by that name."
                if workloads.capabilities().images:
                    advice = "Ask an operator to allow the image (SPACELAB_PIPELINE_IMAGES) and to pull it."
                told = f"The software {image.name} is not available here."
                found.append(Problem("error", told, advice, image.file, image.line, 0, image.node))
        return tuple(found[:MOST_HINDRANCES])

    def check(self) -> None:
        """Raise `Conflict` if something keeps the documents from running."""
        if self.hindrances:
            first = self.hindrances[0]
            where = f" ({first.file}, line {first.line})" if first.line else ""
            more = f" There are {len(self.hindrances) - 1} more problems." if len(self.hindrances) > 1 else ""
            advice = f"{first.advice}{more}".strip()
            raise Conflict(f"{self.source.title} can't be run: {first.message}{where}", advice=advice)

    def check_leave(self, profile: Profile) -> None:
        """Raise `Invalid` if a step asks for the network and the profile has none."""
        if Network(profile.network) is not Network.NONE:
            return
        for one in self.whole.problems:
            if one.message == cwl_graph.ASKS_NETWORK and self.only_step in {"", one.node}:
                where = f"{one.file}, line {one.line}"
                who = f"The step {one.node}" if one.node else self.source.title
                told = f"{who} asks for the network ({where}), and the profile “{profile.title}” has none."
                advice = "Choose another profile, or take NetworkAccess out if the step works without."
                raise Invalid(told, advice=advice, field="profile")

    def findings(self, by: Person, job: Mapping[str, Any], text: str = "") -> list[Problem]:
        """Return what is wrong with a job order; `node` names the input, `line` counts in `text`."""
        return cwl_graph.check_job(self.document, job, text=text, exists=_seen_by(by))


def _missing(one: Reference) -> Problem:
    told = f"The step {one.slug} {one.version} is not in the catalogue, or not for you."
    return Problem("error", told, "Ask the pipeline's author, or use another version.", file=one.path)


def _inputs_of(node: Node) -> tuple[Field, ...]:
    return tuple(
        Field(
            name=port.id,
            type=port.type,
            label=port.label,
            doc=port.doc,
            optional=port.optional or port.default is not None,
            has_default=port.has_default or port.default is not None,
            default=port.default,
            format=port.format,
        )
        for port in node.ports_in
        if port.known
    )


def _seen_by(by: Person) -> Callable[[str], str]:
    """Make what says to `check_job` what stands at a path, of all that the person may use."""
    known: dict[tuple[str, str], tuple[Mount, ...]] = {}

    def look(path: str) -> str:
        try:
            place = volume_and_team(posixpath.join(path, "x") if path.count("/") < 3 else path)  # noqa: PLR2004  a root
            if place not in known:
                volume, team = place
                wanted = {"volumes": [volume] if volume else [], "teams": [team] if team else []}
                known[place] = volume_queries.mounts_for(by, **wanted)
        except (Invalid, NotFound, Unavailable):
            return ""
        return volume_queries.kind_at(known[place], path)

    return look


def of_catalogue(by: Person, slug: str, version: str = "", *, only_step: str = "") -> Launchable:
    """Find what the person may launch; raise `NotFound` or `Conflict` as the catalogue does."""
    pipelines.require_launch(by)
    found = pipelines.find_launchable(by, slug, version)
    bundle = pipelines.bundle(found, by)
    source = Source(
        slug=found.pipeline.slug,
        title=found.pipeline.title,
        files=bundle.files,
        main=bundle.main,
        version=found.version,
        is_test=not found.is_frozen,
        environments=pipelines.environments_for(by, bundle.files),
    )
    return Launchable(source, tuple(bundle.missing), only_step, found)


def of_run(by: Person, run: Run, *, only_step: str = "") -> Launchable:
    """Take the documents of a run that the person sees, just as they were run."""
    pipelines.require_launch(by)
    source = Source(
        slug=run.pipeline_slug,
        title=run.pipeline_title,
        files=run.bundle.files,
        main=run.main,
        version=run.version_number,
        is_test=run.is_test,
        environments=pipelines.environments_for(by, run.bundle.files),
    )
    return Launchable(source, (), only_step, None, run)


def refusal_of(problem: Problem, others: int = 0) -> Refusal:
    """Make what is wrong with a job order a refusal, at its input and with its line."""
    line = f" (line {problem.line})" if problem.line else ""
    more = f" There {'is one more problem' if others == 1 else f'are {others} more problems'}." if others else ""
    return Invalid(f"{problem.message}{line}", advice=f"{problem.advice}{more}".strip(), field=f"inputs.{problem.node}")


def check_job(by: Person, wanted: Launchable, job: Mapping[str, Any], text: str = "") -> dict[str, Any]:
    """Return the job order as it is run; raise `Invalid` at the first input that is wrong, with its line."""
    errors = [one for one in wanted.findings(by, job, text) if one.severity == "error"]
    if errors:
        raise refusal_of(errors[0], len(errors) - 1)
    try:
        return normalised(job)
    except UnfitJobError as unfit:
        raise Invalid(unfit.message, advice=unfit.advice, field=f"inputs.{unfit.where}") from unfit
