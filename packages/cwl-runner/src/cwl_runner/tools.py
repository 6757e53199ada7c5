"""cwltool's processes with our jobs: the semantics stay cwltool's, what runs a command is ours.

Each process gets two things through its runtime context that cwltool doesn't know of: `engine`, which hands out
places and hears of jobs, and `where`, the identity of the step that is being worked on.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Generator, Iterable
from typing import Any, Protocol, cast

from cwl_utils.types import CWLObjectType
from cwltool.command_line_tool import CommandLineTool, ExpressionJob, ExpressionTool
from cwltool.context import LoadingContext, RuntimeContext
from cwltool.errors import UnsupportedRequirement, WorkflowException
from cwltool.job import JobBase
from cwltool.pathmapper import PathMapper
from cwltool.process import Process, shortname
from cwltool.utils import JobsGeneratorType, OutputCallbackType
from cwltool.workflow import Workflow, WorkflowStep, default_make_tool
from cwltool.workflow_job import ReceiveScatterOutput, WorkflowJob, WorkflowJobStep
from ruamel.yaml.comments import CommentedMap
from schema_salad.exceptions import ValidationException

from cwl_runner.backends.protocol import Place
from cwl_runner.jobs import StepJob
from cwl_runner.roots import Roots, local_path

Callback = Callable[[Any, str], None]


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
        """Name a step below this one."""
        return Where(f"{self.step}/{name}" if self.step else name, (*self.index, *index))


class Engine(Protocol):
    """What processes tell and ask while they make jobs."""

    roots: Roots
    place: Place
    network: bool

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
        mapper = type("RunMapper", (Mapper,), {"roots": cast("Context", runtimeContext).engine.roots})
        return cast("PathMapper", mapper(reffiles, runtimeContext.basedir, stagedir, separateDirs))

    def job(
        self,
        job_order: CWLObjectType,
        output_callbacks: OutputCallbackType,
        runtimeContext: RuntimeContext,  # noqa: N803 - cwltool's name
    ) -> Generator[Any, None, None]:
        context = cast("Context", runtimeContext.copy())
        place, where = context.engine.place, context.where
        image, environment = context.engine.environment_for(self)
        context.outdir = f"{place.inside}/out"
        context.tmpdir = f"{place.inside}/tmp"  # noqa: S108 - a folder of its own
        context.stagedir = f"{place.inside}/in"
        context.name = where.job
        context.toplevel = context.toplevel and not where.step
        for job in super().job(job_order, output_callbacks, context):
            if isinstance(job, StepJob):
                job.settle(where=where, place=place, tool=self, image=image, software=environment, context=context)
            yield job


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


class Step(WorkflowStep):
    """A step that knows its place in the workflow and turns what can't begin into a failed job."""

    def job(
        self,
        job_order: CWLObjectType,
        output_callbacks: OutputCallbackType,
        runtimeContext: RuntimeContext,  # noqa: N803 - cwltool's name
    ) -> JobsGeneratorType:
        context = cast("Context", runtimeContext.copy())
        parent = context.where
        index, count = scatter_index(output_callbacks)
        context.where = parent.inside(shortname(self.id), index)
        if index:
            context.engine.scattered(dataclasses.replace(context.where, index=parent.index), count)
        try:
            yield from super().job(job_order, output_callbacks, context)
        except (WorkflowException, ValidationException, OSError, ValueError) as failure:
            context.engine.failed_to_begin(context.where, failure)
            self.receive_output(output_callbacks, {}, "permanentFail")


def scatter_index(callback: Any) -> tuple[tuple[int, ...], int]:
    """Find which element of a scatter a job is, from the callback that its result goes to; and of how many."""
    index: list[int] = []
    count = 1
    while isinstance(callback, functools.partial) and isinstance(
        owner := getattr(callback.func, "__self__", None), ReceiveScatterOutput
    ):
        index.insert(0, callback.args[0])
        count *= max(owner.total, 1)
        callback = owner.output_callback
    return tuple(index), count


class Flow(Workflow):
    """A workflow whose steps come in the document's order and whose jobs are ours."""

    def __init__(self, toolpath_object: CommentedMap, loadingContext: LoadingContext) -> None:  # noqa: N803 - cwltool's name
        super().__init__(toolpath_object, loadingContext)
        order = {step["id"]: number for number, step in enumerate(self.tool.get("steps", []))}
        self.steps.sort(key=lambda step: order.get(step.id, 0))

    def make_workflow_step(
        self,
        toolpath_object: CommentedMap,
        pos: int,
        loadingContext: LoadingContext,  # noqa: N803 - cwltool's name
        parentworkflowProv: Any = None,  # noqa: N803 - cwltool's name
    ) -> WorkflowStep:
        return Step(toolpath_object, pos, loadingContext, parentworkflowProv)

    def job(
        self,
        job_order: CWLObjectType,
        output_callbacks: OutputCallbackType,
        runtimeContext: RuntimeContext,  # noqa: N803 - cwltool's name
    ) -> JobsGeneratorType:
        builder = self._init_job(job_order, runtimeContext)
        context = cast("Context", runtimeContext.copy())
        context.outdir = "/"  # cwltool would make a folder that nothing uses
        job = FlowJob(self, context)
        context.toplevel = False
        yield from job.job(builder.job, output_callbacks, context)


class FlowJob(WorkflowJob):
    """One run of a workflow: goes on with what a failure doesn't touch."""

    def __init__(self, workflow: Workflow, runtimeContext: Context) -> None:  # noqa: N803 - cwltool's name
        runtimeContext.name = runtimeContext.where.job
        super().__init__(workflow, runtimeContext)
        self.engine = runtimeContext.engine
        self.where = runtimeContext.where

    def receive_output(
        self,
        step: WorkflowJobStep,
        outputparms: list[CWLObjectType],
        final_output_callback: OutputCallbackType,
        jobout: CWLObjectType,
        processStatus: str,  # noqa: N803 - cwltool's name
    ) -> None:
        missing = any(entry["id"] not in jobout for entry in outputparms)
        state = {"success": "succeeded", "skipped": "skipped"}.get(processStatus, "failed")
        self.engine.step_ended(
            self.where.inside(shortname(step.id), ()), "failed" if missing and state != "failed" else state
        )
        super().receive_output(step, outputparms, final_output_callback, jobout, processStatus)

    def _stopped(self, context: RuntimeContext) -> bool:
        return context.on_error == "stop" and self.processStatus != "success"

    def _advance(
        self, step: WorkflowJobStep, output_callback: OutputCallbackType, context: RuntimeContext
    ) -> Generator[Any, None, None]:
        """Yield the jobs that a step can give now."""
        if not step.submitted:
            step.iterable = self.try_make_job(step, output_callback, context)
        if step.iterable is None:
            return
        try:
            for job in step.iterable:
                if job is None or self._stopped(context):
                    return
                self.made_progress = True
                yield job
        except WorkflowException as failure:
            self.engine.failed_to_begin(self.where.inside(shortname(step.id), ()), failure)
            step.submitted = True
            self.receive_output(step, step.tool["outputs"], output_callback, {}, "permanentFail")

    def job(
        self,
        joborder: CWLObjectType,
        output_callback: OutputCallbackType,
        runtimeContext: RuntimeContext,  # noqa: N803 - cwltool's name
    ) -> JobsGeneratorType:
        self.state = {}
        self.processStatus = "success"
        context = runtimeContext.copy()
        context.outdir = None
        self._receive_inputs(joborder)
        while not all(step.completed for step in self.steps):
            self.made_progress = False
            for step in self.steps:
                if self._stopped(context):
                    break
                yield from self._advance(step, output_callback, context)
            if self.made_progress or all(step.completed for step in self.steps):
                continue
            running = any(step.submitted and not step.completed for step in self.steps)
            if self.processStatus != "success" and (not running or self._stopped(context)):
                break
            yield None
        if not self.did_callback:
            self.do_output_callback(output_callback)

    def _receive_inputs(self, joborder: CWLObjectType) -> None:
        from cwltool.utils import WorkflowStateItem  # noqa: PLC0415 - a named tuple of cwltool's

        for entry in self.tool["inputs"]:
            name = shortname(entry["id"])
            if name not in joborder and "default" not in entry:
                raise WorkflowException(f"Missing required input parameter '{name}'")
            value = joborder[name] if name in joborder else entry["default"]
            self.state[entry["id"]] = WorkflowStateItem(entry, value, "success")
        for step in self.steps:
            for output in step.tool["outputs"]:
                self.state[output["id"]] = None


def make(toolpath_object: CommentedMap, loadingContext: LoadingContext) -> Process:  # noqa: N803 - cwltool's name
    """Make the process of a document's object."""
    kinds: dict[Any, type[Process]] = {"CommandLineTool": Tool, "ExpressionTool": Expression, "Workflow": Flow}
    kind = kinds.get(toolpath_object.get("class"))
    return kind(toolpath_object, loadingContext) if kind else default_make_tool(toolpath_object, loadingContext)


def docker_image(tool: Process) -> tuple[str, bool]:
    """Name the image that a tool asks for, and say whether it insists."""
    wanted, required = tool.get_requirement("DockerRequirement")
    if not wanted:
        return "", False
    return str(wanted.get("dockerPull") or wanted.get("dockerImageId") or "an image of its own"), bool(required)


def unsupported(image: str) -> UnsupportedRequirement:
    """Say that an image can't be had."""
    return UnsupportedRequirement(f"The software {image} needs a container runtime, or an environment of that name.")


def walk(process: Process, where: Where | None = None) -> Iterable[tuple[Where, Process, WorkflowStep | None]]:
    """Go through a process and all steps below it."""
    where = where or Where()
    if isinstance(process, Workflow):
        for step in process.steps:
            below = where.inside(shortname(step.id), ())
            yield below, step.embedded_tool, step
            yield from walk(step.embedded_tool, below)


def is_same_file(first: str, second: str) -> bool:
    """Say whether two paths are one file."""
    return os.path.realpath(first) == os.path.realpath(second)
