"""One run from its folder: options and inputs in, events and outputs out."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

from cwltool.process import Process, shortname
from cwltool.workflow import Workflow, WorkflowStep

from cwl_runner import documents, removal, tools, warm
from cwl_runner.backends.local import Local
from cwl_runner.control import Control
from cwl_runner.coordinator import FAILURES, Coordinator, Result, Setting
from cwl_runner.delivery import deliver
from cwl_runner.events import EventFile
from cwl_runner.folder import Options, RunFolder
from cwl_runner.problems import Problem, Refusal, describe
from cwl_runner.roots import Roots, local_path

EXIT = {"succeeded": 0, "failed": 1, "cancelled": 143}
UNSUPPORTED = 33


def run_folder(path: Path) -> int:
    """Carry out the run of a folder; its events tell all. Returns 0, 1, 33 (unsupported) or 143 (cancelled)."""
    warm.quiet()
    folder = RunFolder(path.resolve())
    listener = EventFile(folder.events)
    control = Control(folder.control)
    control.listen()
    try:
        result = _attempt(folder, listener, control)
    except FAILURES as failure:
        result = Result("failed", problem=describe(failure, str(folder.bundle)))
        listener.emit("problem", **(result.problem or Problem("")).facts())
    reason = result.problem.message if result.problem else ""
    listener.emit("run-ended", state=result.state, outputs=result.outputs or {}, reason=reason)
    listener.close()
    return UNSUPPORTED if result.unsupported else EXIT[result.state]


def _attempt(folder: RunFolder, listener: EventFile, control: Control) -> Result:
    options = folder.options()
    order = folder.order()
    roots = Roots([folder.bundle, *(options.roots or _named_in(order))])
    context = documents.plain_context(roots, network=options.fetch)
    work = Path(tempfile.mkdtemp(prefix="run-", dir=options.cache or None))
    try:
        process = documents.load(str(folder.bundle / options.main), context)
        _tell_start(process, options, listener)
        if options.only_step:
            process, order = only(process, options.only_step, order)
        complete = documents.complete_order(process, order, roots)
        backend = Local(work / "places", options.parallel)
        try:
            setting = Setting(
                backend=backend,
                listener=listener,
                control=control,
                roots=roots,
                work=work,
                base=str(folder.bundle),
                logs=folder.jobs,
                environments=options.environments,
                network=options.network,
                cores=options.cores,
                memory_mb=options.memory_mb,
                on_error=options.on_error,
                expression_seconds=options.expression_seconds,
                attempt=listener.attempt,
            )
            result = Coordinator(setting).run(process, dict(complete))
        finally:
            backend.close()
        if result.state == "succeeded" and result.outputs is not None:
            return Result("succeeded", deliver(result.outputs, Path(options.outdir)))
        return Result(result.state, None, result.problem, result.unsupported)
    finally:
        removal.remove(work)


def _named_in(order: Any) -> list[str]:
    """Allow exactly the folders that the job order's files lie in, when the options name no roots."""
    found: list[str] = []
    if isinstance(order, dict):
        location = order.get("location") or order.get("path")
        if order.get("class") in ("File", "Directory") and isinstance(location, str):
            path = local_path(location)
            found += [path if order["class"] == "Directory" else os.path.dirname(path)] if path else []  # noqa: PTH120 - text only
        for value in order.values():
            found += _named_in(value)
    elif isinstance(order, list):
        for value in order:
            found += _named_in(value)
    return found


def _tell_start(process: Process, options: Options, listener: EventFile) -> None:
    steps = []
    for where, tool, step in tools.walk(process):
        scatter = bool(step and "scatter" in step.tool)
        label = str((step and step.tool.get("label")) or tool.tool.get("label") or "")
        run = Path(urldefrag(str(tool.tool.get("id", ""))).url).name
        parent = where.step.rpartition("/")[0]
        steps.append({"id": where.step, "label": label, "run": run, "scatter": scatter, "parent": parent})
    if not isinstance(process, Workflow):
        steps.append(
            {
                "id": "main",
                "label": str(process.tool.get("label") or ""),
                "run": options.main,
                "scatter": False,
                "parent": "",
            }
        )
    listener.emit("run-started", cwl_version=documents.version_of(process), main=options.main, steps=steps)


def only(process: Process, step: str, order: dict[str, Any]) -> tuple[Process, dict[str, Any]]:
    """Find a step's own process and its inputs: named as the step names them, else taken from the workflow's."""
    found: WorkflowStep | None = None
    for name in step.split("/"):
        if not isinstance(process, Workflow):
            raise Refusal(f"There is no step {step}.")
        found = next((one for one in process.steps if shortname(one.id) == name), None)
        if found is None:
            raise Refusal(f"There is no step {step}.", "Choose one of the steps of this pipeline.")
        process = found.embedded_tool
    given: dict[str, Any] = {}
    for entry in found.tool["inputs"] if found else []:
        name, source = shortname(entry["id"]), entry.get("source")
        if name in order:
            given[name] = order[name]
        elif isinstance(source, str) and shortname(source) in order:
            given[name] = order[shortname(source)]
        elif "default" in entry:
            given[name] = entry["default"]
    return process, given
