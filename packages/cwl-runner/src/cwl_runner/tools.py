"""`cwltool`'s processes with our jobs: the semantics stay cwltool's, what runs a command is ours.

Each process gets two things through its runtime context that cwltool doesn't know of: `engine`, which hands out
places and hears of jobs, and `where`, the identity of the step that is being worked on.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Generator
from typing import Any, Protocol, cast

from cwl_utils.types import CWLObjectType
from cwltool.command_line_tool import CommandLineTool, ExpressionJob, ExpressionTool
from cwltool.context import RuntimeContext
from cwltool.errors import UnsupportedRequirement
from cwltool.job import JobBase
from cwltool.pathmapper import PathMapper
from cwltool.process import Process
from cwltool.utils import OutputCallbackType

from cwl_runner.backends.protocol import Place
from cwl_runner.compiling import compile_tool
from cwl_runner.digests import Digests
from cwl_runner.jobs import SYSTEM_PATH, PlanJob, StepJob
from cwl_runner.plans import Plan
from cwl_runner.problems import Refusal
from cwl_runner.roots import Roots, local_path


@dataclasses.dataclass(frozen=True)
class Where:
    """Which step, and which of its jobs: `step` is "" for the main document itself."""

    step: str = ""
    index: tuple[int, ...] = ()

    @property
    def job(self) -> str:
        """Name the job: the step's name with its indices."""
        return ".".join([self.step or "main", *map(str, self.index)])

    def inside(self, name: str, index: tuple[int, ...]) -> Where:
        """Name a step below this one; raises Refusal for a name that can't be one of a folder."""
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise Refusal(f"“{name[:100]}” can't be the name of a step.", "Give it a word as its id.")
        return Where(f"{self.step}/{name}" if self.step else name, (*self.index, *index))


class Engine(Protocol):
    """What processes tell and ask while they make jobs."""

    roots: Roots
    digests: Digests
    place: Place
    mapper: type[PathMapper]
    plans: bool

    def failed_to_begin(self, where: Where, failure: Exception) -> None:
        """Hear of a job that couldn't be made."""

    def scattered(self, where: Where, count: int) -> None:
        """Hear of a scatter that begins."""

    def step_ended(self, where: Where, state: str) -> None:
        """Hear of a step that is over, with all its jobs."""

    def environment_for(self, tool: Process) -> tuple[str, str]:
        """Give image name and environment folder for a tool; raises UnsupportedRequirement."""


class Context(RuntimeContext):
    """A runtime context that carries our two facts; cwltool copies it with them."""

    def __init__(self, engine: Engine, **settings: Any) -> None:
        super().__init__(settings)
        self.engine = engine
        self.where = Where()


class Mapper(PathMapper):
    """Puts every input below a numbered folder, so that paths are the same each time, and checks the roots."""

    roots: Roots

    def setup(self, referenced_files: Any, basedir: str) -> None:
        stagedir = self.stagedir
        for number, entry in enumerate(referenced_files):
            if self.separateDirs:
                stagedir = f"{self.stagedir}/{number}"
            self.visit(entry, stagedir, basedir, copy=bool(entry.get("writable")), staged=True)

    def visit(self, obj: Any, stagedir: str, basedir: str, copy: bool = False, staged: bool = False) -> None:  # noqa: FBT001, FBT002 - cwltool's signature
        path = local_path(obj.get("location", ""))
        if path:
            self.roots.check(path)
        super().visit(obj, stagedir, basedir, copy=copy, staged=staged)


class Tool(CommandLineTool):
    """A command line tool whose job runs in a place."""

    plan: Plan | None = None
    compiled = False

    def make_job_runner(self, runtimeContext: RuntimeContext) -> type[JobBase]:  # noqa: N803 - cwltool's name
        del runtimeContext
        return StepJob

    def make_path_mapper(
        self,
        reffiles: Any,
        stagedir: str,
        runtimeContext: RuntimeContext,  # noqa: N803 - cwltool's name
        separateDirs: bool,  # noqa: N803, FBT001 - as above
    ) -> PathMapper:
        mapper = cast("Context", runtimeContext).engine.mapper
        return mapper(reffiles, runtimeContext.basedir, stagedir, separateDirs)

    def job(
        self,
        job_order: CWLObjectType,
        output_callbacks: OutputCallbackType,
        runtimeContext: RuntimeContext,  # noqa: N803 - cwltool's name
    ) -> Generator[Any, None, None]:
        context = cast("Context", runtimeContext)
        yield self.quick(job_order, output_callbacks, context) or self.slow(job_order, output_callbacks, context)

    def slow(self, order: CWLObjectType, callback: OutputCallbackType, context: Context) -> StepJob:
        """Let cwltool prepare the job."""
        context = cast("Context", context.copy())
        place, where = context.engine.place, context.where
        image, software = context.engine.environment_for(self)
        context.outdir = f"{place.inside}/out"
        context.tmpdir = f"{place.inside}/tmp"  # noqa: S108 - a folder of its own
        context.stagedir = f"{place.inside}/in"
        context.name = where.job
        context.toplevel = context.toplevel and not where.step
        job = next(super().job(order, callback, context))
        if not isinstance(job, StepJob):  # pragma: no cover - cwltool's own cache is never on
            raise TypeError(job)
        job.settle(where=where, place=place, tool=self, image=image, software=software, context=context)
        return job

    def quick(self, order: CWLObjectType, callback: OutputCallbackType, context: Context) -> PlanJob | None:
        """Prepare the job by the tool's plan, if both are plain enough."""
        if not self.compiled:
            self.plan, self.compiled = compile_tool(self) if context.engine.plans else None, True
        if self.plan is None:
            return None
        place = context.engine.place
        software = context.engine.environment_for(self)
        path = os.environ.get("PATH", SYSTEM_PATH)
        bound = self.plan.bind(order, place.inside, software[1], path)
        if bound is None:
            return None

        def slow() -> StepJob:
            return self.slow(order, callback, context)

        return PlanJob(
            self, bound, where=context.where, context=context, software=software, output_callback=callback, slow=slow
        )


class Expression(ExpressionTool):
    """An expression tool whose job says what failed."""

    def job(
        self,
        job_order: CWLObjectType,
        output_callbacks: OutputCallbackType | None,
        runtimeContext: RuntimeContext,  # noqa: N803 - cwltool's name
    ) -> Generator[ExpressionJob, None, None]:
        for job in super().job(job_order, output_callbacks, runtimeContext):
            job.where = cast("Context", runtimeContext).where  # type: ignore[attr-defined]
            job.process = self  # type: ignore[attr-defined]
            yield job


def docker_image(tool: Process) -> tuple[str, bool]:
    """Name the image that a tool asks for, and say whether it insists."""
    wanted, required = tool.get_requirement("DockerRequirement")
    if not wanted:
        return "", False
    return str(wanted.get("dockerPull") or wanted.get("dockerImageId") or "an image of its own"), bool(required)


def other_folder(tool: Process) -> str:
    """Name the folder of the image in which a tool wants to find its outputs' folder, if it names one."""
    wanted, _ = tool.get_requirement("DockerRequirement")
    return str((wanted or {}).get("dockerOutputDirectory") or "")


def unsupported(image: str) -> UnsupportedRequirement:
    """Say that an image can't be had."""
    return UnsupportedRequirement(f"The software {image} needs a container runtime, or an environment of that name.")
