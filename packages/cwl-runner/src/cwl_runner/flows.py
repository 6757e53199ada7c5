"""`cwltool`'s workflows with our order of things: what a failure doesn't touch goes on, plain scatters are quick."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Generator, Iterable
from typing import Any, cast

from cwl_utils.types import CWLObjectType
from cwltool.context import LoadingContext, RuntimeContext
from cwltool.errors import WorkflowException
from cwltool.process import Process, shortname
from cwltool.utils import JobsGeneratorType, OutputCallbackType, WorkflowStateItem, aslist
from cwltool.workflow import Workflow, WorkflowStep, default_make_tool
from cwltool.workflow_job import ReceiveScatterOutput, WorkflowJob, WorkflowJobStep, object_from_state
from ruamel.yaml.comments import CommentedMap
from schema_salad.exceptions import ValidationException

from cwl_runner.problems import Refusal
from cwl_runner.tools import Context, Expression, Tool, Where


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
        lines = {step["id"]: getattr(step.lc, "line", None) or 0 for step in self.tool.get("steps", [])}
        self.steps.sort(key=lambda step: lines.get(step.id, 0))

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

    def try_make_job(
        self,
        step: WorkflowJobStep,
        final_output_callback: OutputCallbackType,
        runtimeContext: RuntimeContext,  # noqa: N803 - cwltool's name
    ) -> JobsGeneratorType:
        if self.engine.plans and is_plain_scatter(step):
            return self._scatter(step, final_output_callback, cast("Context", runtimeContext))
        return super().try_make_job(step, final_output_callback, runtimeContext)

    def _scatter(
        self, step: WorkflowJobStep, final: OutputCallbackType, context: Context
    ) -> Generator[Any, None, None]:
        """Scatter over one input, or several in step, without what cwltool does anew for each element."""
        multiple = bool(self.workflow.get_requirement("MultipleInputFeatureRequirement")[0])
        inputs = object_from_state(self.state, step.tool["inputs"], False, multiple, "source")
        if inputs is None or step.submitted:
            return
        keys = aslist(step.tool["scatter"])
        lists = [cast("list[Any]", inputs[key]) for key in keys]
        count = len(lists[0])
        if any(len(each) != count for each in lists):
            raise Refusal("The inputs that are scattered together have different lengths.", "Give lists of one length.")
        step.submitted = True
        outputs = step.tool["outputs"]
        callback = functools.partial(self.receive_output, step, outputs, final)
        receiver = ReceiveScatterOutput(callback, {entry["id"]: [None] * count for entry in outputs}, count)
        receiver.setTotal(count, [])
        yield from self._elements(step, inputs, dict(zip(keys, lists, strict=True)), receiver, context)

    def _elements(
        self,
        step: WorkflowJobStep,
        inputs: CWLObjectType,
        lists: dict[str, list[Any]],
        receiver: ReceiveScatterOutput,
        context: Context,
    ) -> Generator[Any, None, None]:
        maker = cast("Step", step.step)
        tool = cast("Tool", maker.embedded_tool)
        below = self.where.inside(shortname(step.id), ())
        connected = [entry["id"] for entry in step.tool["inputs"] if not entry.get("not_connected")]
        for index in range(receiver.total):
            if context.on_error == "stop" and receiver.processStatus not in ("success", "skipped"):
                break
            order = {**inputs, **{key: values[index] for key, values in lists.items()}}
            element = cast("Context", context.copy())
            element.where = dataclasses.replace(below, index=(*below.index, index))
            callback = functools.partial(receiver.receive_scatter_output, index)
            short = {shortname(name): order[name] for name in connected}
            if index == 0:
                self.engine.scattered(below, receiver.total)
            job = tool.quick(short, functools.partial(maker.receive_output, callback), element)
            if job is not None:
                yield job
            else:
                yield from step.job(order, callback, context)
        while receiver.completed < receiver.total:
            yield None

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
        for entry in self.tool["inputs"]:
            name = shortname(entry["id"])
            if name not in joborder and "default" not in entry:
                raise WorkflowException(f"Missing required input parameter '{name}'")
            value = joborder[name] if name in joborder else entry["default"]
            self.state[entry["id"]] = WorkflowStateItem(entry, value, "success")
        for step in self.steps:
            for output in step.tool["outputs"]:
                self.state[output["id"]] = None


def is_plain_scatter(step: WorkflowJobStep) -> bool:
    """Say whether a step scatters a tool, element by element, without expressions on the way in."""
    tool = step.tool
    return (
        "scatter" in tool
        and isinstance(step.step.embedded_tool, Tool)
        and (tool.get("scatterMethod") == "dotproduct" or len(aslist(tool["scatter"])) == 1)
        and not ({"when", "loop"} & set(tool))
        and not any("valueFrom" in entry or entry.get("loadContents") for entry in tool["inputs"])
    )


def make(toolpath_object: CommentedMap, loadingContext: LoadingContext) -> Process:  # noqa: N803 - cwltool's name
    """Make the process of a document's object."""
    kinds: dict[Any, type[Process]] = {"CommandLineTool": Tool, "ExpressionTool": Expression, "Workflow": Flow}
    kind = kinds.get(toolpath_object.get("class"))
    return kind(toolpath_object, loadingContext) if kind else default_make_tool(toolpath_object, loadingContext)


def walk(process: Process, where: Where | None = None) -> Iterable[tuple[Where, Process, WorkflowStep | None]]:
    """Go through a process and all steps below it."""
    where = where or Where()
    if isinstance(process, Workflow):
        for step in process.steps:
            below = where.inside(shortname(step.id), ())
            yield below, step.embedded_tool, step
            yield from walk(step.embedded_tool, below)
