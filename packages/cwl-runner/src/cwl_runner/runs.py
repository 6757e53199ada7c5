"""One run from its folder: options and inputs in, events and outputs out."""

from __future__ import annotations

import contextlib
import dataclasses
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

from cwltool.process import Process, shortname
from cwltool.workflow import Workflow, WorkflowStep

from cwl_runner import backends, documents, expressions, flows, warm
from cwl_runner.backends import broker
from cwl_runner.backends.protocol import Backend
from cwl_runner.backends.slots import Slots
from cwl_runner.cache import Cache
from cwl_runner.control import Cancelled, Control
from cwl_runner.coordinator import FAILURES, Coordinator, Result, Setting
from cwl_runner.delivery import Delivery
from cwl_runner.events import EventFile
from cwl_runner.folder import Options, RunFolder
from cwl_runner.problems import Problem, Refusal, describe
from cwl_runner.roots import Roots, named_in

EXIT = {"succeeded": 0, "failed": 1, "cancelled": 143}
UNSUPPORTED = 33
INTERMEDIATE = "steps"
"""The folder in the outdir that gets the outputs of every job, when they are to be kept."""


def run_folder(path: Path) -> int:
    """Carry out the run of a folder; its events tell all. Returns 0, 1, 33 (unsupported) or 143 (cancelled)."""
    warm.quiet()
    folder = RunFolder(path.resolve())
    listener = EventFile(folder.events)
    control = Control(folder.control)
    control.listen()
    leavings = contextlib.ExitStack()
    try:
        return _carried_out(folder, listener, control, leavings)
    finally:
        leavings.close()


def _carried_out(folder: RunFolder, listener: EventFile, control: Control, leavings: contextlib.ExitStack) -> int:
    try:
        options = folder.options()
        cache = Cache(Path(options.cache), _identity(folder), limit=int(options.cache_mb * 2**20), label=options.label)
        leavings.callback(cache.close)
        result = Attempt(folder, options, listener, control, cache, leavings).carry_out()
    except Cancelled:
        result = Result("cancelled", problem=Problem("The run was stopped."))
    except FAILURES as failure:
        problem = describe(failure, str(folder.bundle))
        result = Result("failed", problem=problem, unsupported=getattr(failure, "unsupported", False))
        listener.emit("problem", **problem.facts())
    reason = result.problem.message if result.problem else ""
    listener.emit("run-ended", state=result.state, outputs=result.outputs or {}, reason=reason)
    listener.close()
    return UNSUPPORTED if result.unsupported else EXIT[result.state]


def _identity(folder: RunFolder) -> str:
    """Name the run, the same at each of its attempts."""
    path = folder.jobs / ".run"
    folder.jobs.mkdir(exist_ok=True)
    if not path.exists():
        path.write_text(uuid.uuid4().hex)
    return path.read_text()


@dataclasses.dataclass
class Attempt:
    """One start of a run."""

    folder: RunFolder
    options: Options
    listener: EventFile
    control: Control
    cache: Cache
    leavings: contextlib.ExitStack
    """Ends what was started, once all is told: nobody needs to wait for the end of empty places."""

    def carry_out(self) -> Result:
        """Load, run, deliver; no job runs any more at the end."""
        folder, options = self.folder, self.options
        order = folder.order()
        folder.literals.mkdir(exist_ok=True)
        roots = Roots([folder.bundle, folder.literals, *(options.roots or named_in(order))])
        roots.own.add(str(folder.literals))
        visible = [*roots, *options.environments.values(), self.cache.jobs]
        backend = backends.choose(options.backend, self.places, self.count, visible, [folder.path])
        engine = expressions.Engine(isolated=backend.isolated)
        self.leavings.callback(engine.close)
        self.leavings.callback(backend.close)
        expressions.install(engine)
        backend.prepare(1)
        if expressions.wanted(folder.bundle):
            engine.start()
        process = documents.load(
            str(folder.bundle / options.main), documents.plain_context(roots, network=options.fetch)
        )
        _tell_start(process, options, self.listener)
        backend = self._working(backend)
        if isinstance(process, Workflow) and not options.only_step:
            backend.prepare(self.count)
        if options.only_step:
            process, order = only(process, options.only_step, order)
        complete = documents.complete_order(process, order, roots, literals=folder.literals, assume_formats=True)
        working: broker.Broker | Slots = backend
        if self.brokered:
            working = broker.Broker(backend, options.images)
            self.leavings.callback(working.close)
        result = Coordinator(self._setting(working, roots, engine)).run(process, dict(complete))
        if result.state == "succeeded" and result.outputs is not None:
            delivery = Delivery(Path(options.outdir), roots, self.cache.digests)
            return dataclasses.replace(result, outputs=delivery.deliver(result.outputs))
        return dataclasses.replace(result, outputs=None)

    @property
    def places(self) -> Path:
        """Where places are made."""
        return broker.PLACES if self.brokered else self.cache.work / "places"

    @property
    def brokered(self) -> bool:
        """Whether some jobs run as containers."""
        return bool(self.options.images) and broker.places() > 0

    @property
    def count(self) -> int:
        """How many places there are: one more than jobs run at a time, so that the next is always laid out."""
        wanted = max(1, self.options.parallel) + 1
        return min(wanted, broker.places()) if self.brokered else wanted

    def _working(self, backend: Slots) -> Slots:
        """Give the backend back if it works here, else plain processes, and say so."""
        complaint = backend.complaint()
        if not complaint:
            return backend
        backend.close()
        told = "This machine has no sandboxes for steps: they run as plain processes of this run."
        advice = f"What hindered them: {complaint[:300]}"
        self.listener.emit("problem", **Problem(told, advice, severity="warning").facts())
        fallen = backends.fall_back(self.places, self.count)
        self.leavings.callback(fallen.close)
        return fallen

    def _setting(self, backend: Backend, roots: Roots, engine: expressions.Engine) -> Setting:
        options = self.options
        return Setting(
            backend=backend,
            listener=self.listener,
            control=self.control,
            roots=roots,
            work=self.cache.work,
            digests=self.cache.digests,
            parallel=max(1, options.parallel),
            expressions=engine,
            cache=self.cache,
            base=str(self.folder.bundle),
            logs=self.folder.jobs,
            environments=options.environments,
            images=options.images if self.brokered else (),
            image_digests=broker.image_digests() if self.brokered else {},
            network=options.network,
            cores=options.cores,
            memory_mb=options.memory_mb,
            on_error=options.on_error,
            expression_seconds=options.expression_seconds,
            attempt=self.listener.attempt,
            plans=options.plans,
            reuse=options.reuse,
            intermediate=Path(options.outdir, INTERMEDIATE) if options.keep_intermediate else None,
        )


def _tell_start(process: Process, options: Options, listener: EventFile) -> None:
    steps = []
    for where, tool, step in flows.walk(process):
        label = str((step and step.tool.get("label")) or tool.tool.get("label") or "")
        run = Path(urldefrag(str(tool.tool.get("id", ""))).url).name
        told = {"id": where.step, "label": label, "run": "" if run.startswith("_:") else run}
        parent = where.step.rpartition("/")[0]
        steps.append({**told, "scatter": bool(step and "scatter" in step.tool), "parent": parent})
    if not isinstance(process, Workflow):
        label = str(process.tool.get("label") or "")
        steps.append({"id": "main", "label": label, "run": options.main, "scatter": False, "parent": ""})
    listener.emit("run-started", cwl_version=documents.version_of(process), main=options.main, steps=steps)


def only(process: Process, step: str, order: dict[str, Any]) -> tuple[Process, dict[str, Any]]:
    """Find a step's own process and its inputs: named as the step names them, else taken from the workflow's."""
    found: WorkflowStep | None = None
    for name in step.split("/"):
        steps = process.steps if isinstance(process, Workflow) else []
        found = next((one for one in steps if shortname(one.id) == name), None)
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
