"""Carries out one run: pulls jobs out of the document's process, starts them in places, tells what happens.

One thread does everything. cwltool's generator gives a job when its inputs are there; it is asked for the next only
while a place is free, so a scatter of thousands of jobs holds no more than `parallel` of them in memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cwltool.command_line_tool import ExpressionJob
from cwltool.errors import UnsupportedRequirement, WorkflowException
from cwltool.mutation import MutationManager
from cwltool.process import Process
from cwltool.utils import normalizeFilesDirs
from schema_salad.exceptions import ValidationException

from cwl_runner import events, tools
from cwl_runner.backends.protocol import Backend, BackendError, Ended, Order, Place
from cwl_runner.control import Cancelled, Control
from cwl_runner.jobs import StepJob
from cwl_runner.problems import Problem, Refusal, describe
from cwl_runner.roots import Roots
from cwl_runner.tools import Context, Where

FAILURES = (WorkflowException, BackendError, ValidationException, OSError, ValueError, KeyError, TypeError)


@dataclasses.dataclass(frozen=True)
class Result:
    """How a run ended: "succeeded", "failed" or "cancelled"; outputs as cwltool gives them."""

    state: str
    outputs: dict[str, Any] | None = None
    problem: Problem | None = None
    unsupported: bool = False


@dataclasses.dataclass
class Setting:
    """All that a run needs beside its process and its job order."""

    backend: Backend
    listener: events.Listener
    control: Control
    roots: Roots
    work: Path
    base: str = ""
    logs: Path | None = None
    environments: dict[str, str] = dataclasses.field(default_factory=dict)
    network: bool = False
    cores: float = 0
    memory_mb: float = 0
    on_error: str = "continue"
    expression_seconds: float = 20
    attempt: int = 1


@dataclasses.dataclass
class Running:
    """A job whose command runs."""

    job: StepJob
    started: float
    kept: str


class Coordinator:
    """One run in progress; also what processes report to (`tools.Engine`)."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.roots = setting.roots
        self.network = setting.network
        self.place = Place(-1, "/nowhere", "/nowhere")
        self._running: dict[int, Running] = {}
        self._waiting: list[StepJob] = []
        self._scattered: set[Where] = set()
        self._told: set[str] = set()
        self._count = 0
        self._results: list[tuple[Any, str]] = []
        self._first: Problem | None = None
        self._unsupported = False
        self._kept = setting.work / "kept"
        self._kept.mkdir(parents=True, exist_ok=True)
        self.roots.add(setting.work)

    # What processes tell

    def failed_to_begin(self, where: Where, failure: Exception) -> None:
        """Tell of a job that couldn't be made."""
        if isinstance(failure, UnsupportedRequirement) or getattr(failure, "unsupported", False):
            self._unsupported = True
        now = time.time()
        self._job_ended(where, "failed", describe(failure, self.setting.base, where.step), started=now)

    def scattered(self, where: Where, count: int) -> None:
        """Tell once how many jobs a scatter has."""
        if where not in self._scattered:
            self._scattered.add(where)
            self.setting.listener.emit("scatter", step=where.step, count=count, index=list(where.index) or None)

    def step_ended(self, where: Where, state: str) -> None:
        """Tell of a step that is over."""
        if state == "skipped":
            self.setting.listener.emit("job-ended", step=where.step, job=where.job, state="skipped", outputs={})
        self.setting.listener.emit("step-ended", step=where.step, state=state, index=list(where.index) or None)

    def environment_for(self, tool: Process) -> tuple[str, str]:
        """Find the software that a tool asks for."""
        image, required = tools.docker_image(tool)
        if not image:
            return "", ""
        software = self.setting.environments.get(image, "")
        if not software and required:
            raise tools.unsupported(image)
        if not software and image not in self._told:
            self._told.add(image)
            message = f"The software {image} isn't available here; its steps run with what the system has."
            self.setting.listener.emit("problem", **Problem(message, severity="warning").facts())
        return image, software

    # The run

    def run(self, process: Process, order: dict[str, Any]) -> Result:
        """Carry out a process to its end; outputs still lie in the work folder."""
        context = Context(
            self,
            basedir=self.setting.base or "/",
            use_container=False,
            compute_checksum=True,
            tmpdir_prefix=f"{self.setting.work}/",
            tmp_outdir_prefix=f"{self.setting.work}/",
            on_error=self.setting.on_error,
            eval_timeout=self.setting.expression_seconds,
            toplevel=True,
        )
        context.mutation_manager = MutationManager()
        self.setting.backend.wake_by(self.setting.control.descriptor)
        try:
            self._refuse_abstract(process)
            self._loop(process.job(order, self._receive, context))
        except Cancelled:
            return self._cancelled()
        except FAILURES as failure:
            self._unsupported |= isinstance(failure, UnsupportedRequirement)
            self._first = self._first or describe(failure, self.setting.base)
            self._end_all()
        return self._result()

    def _refuse_abstract(self, process: Process) -> None:
        def check(tool: Any) -> None:
            if tool["class"] == "Operation":
                raise Refusal(
                    "The workflow has an abstract Operation, which nothing can run.", "Replace it by a real step."
                )

        process.visit(check)

    def _receive(self, outputs: Any, status: str) -> None:
        self._results.append((outputs, status))

    def _result(self) -> Result:
        if not self._results or self._results[0][1] != "success":
            problem = self._first or Problem("The run ended without a result.")
            return Result("failed", self._results[0][0] if self._results else None, problem, self._unsupported)
        return Result("succeeded", self._results[0][0])

    def _loop(self, jobs: Iterator[Any]) -> None:
        """Start jobs while there is room, and wait when there is none."""
        more = True
        while more or self._running or self._waiting:
            self._obey()
            if more and not self._waiting and not self.setting.control.paused and self._take():
                more = self._pull(jobs)
                continue
            if self._start_waiting():
                continue
            if not (self._running or self._waiting or self.setting.control.paused):
                break
            self._wait()

    def _obey(self) -> None:
        control = self.setting.control
        if control.look():
            self.setting.listener.emit("paused" if control.paused else "resumed")
        if control.cancelled:
            raise Cancelled

    def _take(self) -> bool:
        place = self.setting.backend.take()
        if place is None:
            return False
        self.place = place
        return True

    def _pull(self, jobs: Iterator[Any]) -> bool:
        """Ask for one job and begin it; says whether there can be more."""
        try:
            with self._interruptible():
                job = next(jobs)
        except StopIteration:
            self.setting.backend.give_back(self.place)
            return False
        if isinstance(job, StepJob):
            self._waiting.append(job)
            self._start_waiting()
            return True
        self.setting.backend.give_back(self.place)
        if isinstance(job, ExpressionJob):
            self._evaluate(job)
        elif job is None:
            if not self._running:
                return False  # nothing runs and nothing can begin: the workflow is stuck or stopped
            self._wait()
        return True

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Let a wish to cancel interrupt what may take long (an expression)."""
        control = self.setting.control
        control.interruptible = True
        try:
            yield
        finally:
            control.interruptible = False

    def _wait(self) -> None:
        for place, ended in self.setting.backend.wait(0.2):
            self._finish(self._running.pop(place.number), ended)

    def _start_waiting(self) -> bool:
        """Start the job that waits for cores or memory, if it may."""
        if not self._waiting or not self._room(self._waiting[0]):
            return False
        self._begin(self._waiting.pop(0))
        return True

    def _room(self, job: StepJob) -> bool:
        resources = job.builder.resources
        for name, limit in (("cores", self.setting.cores), ("ram", self.setting.memory_mb)):
            used = sum(running.job.builder.resources[name] for running in self._running.values())
            if limit and used and used + resources[name] > limit:
                return False
        return True

    # One job

    def _begin(self, job: StepJob) -> None:
        where, started = job.where, time.time()
        self._count += 1
        kept = str(self._kept / f"{self._count}")
        try:
            job.lay_out(kept)
            order, opened = self._order(job)
            facts = {"command": order.argv, "inputs": job.joborder, "image": job.image, "environment": job.software}
            self.setting.listener.emit(
                "job-started",
                step=where.step or "main",
                job=where.job,
                index=list(where.index) or None,
                **facts,
                **{"try": 1},
            )
            self.setting.backend.start(job.place, order)
            for descriptor in opened:
                os.close(descriptor)
        except FAILURES as failure:
            self._fail(job, failure, started)
            return
        self._running[job.place.number] = Running(job, started, kept)

    def _order(self, job: StepJob) -> tuple[Order, list[int]]:
        """Open the job's streams and describe its command."""
        out = Path(job.place.host, "out")
        logs = self.setting.logs / job.where.job if self.setting.logs else None
        if logs:
            logs.mkdir(parents=True, exist_ok=True)
            command = {"command": job.command(), "environment": job.variables()}
            (logs / "command.json").write_text(json.dumps(command, indent=1))
        descriptors = [os.open(self._stdin(job), os.O_RDONLY | os.O_CLOEXEC)]
        for name in ("stdout", "stderr"):
            declared = getattr(job, name)
            path = out / declared if declared else (logs / name if logs else Path(os.devnull))
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptors.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644))
        order = Order(
            job.command(),
            job.variables(),
            f"{job.place.inside}/out",
            stdin=descriptors[0],
            stdout=descriptors[1],
            stderr=descriptors[2],
            network=self.network and job.networkaccess,
            image=job.image,
            cores=job.builder.resources["cores"],
            memory_mb=job.builder.resources["ram"],
            seconds=job.timelimit or None,
        )
        return order, descriptors

    def _stdin(self, job: StepJob) -> str:
        if job.stdin is None:
            return os.devnull
        found = job.pathmapper.reversemap(job.stdin)
        if found is None:
            raise Refusal(f"The standard input {job.stdin} is none of the tool's input files.")
        return job.place.on_host(found[1]) if Path(found[1]).exists() else job.place.on_host(job.stdin)

    def _finish(self, running: Running, ended: Ended) -> None:
        """Collect a job's outputs and hand them to the workflow."""
        job, kept = running.job, running.kept
        Path(kept).mkdir()
        for name in ("out", "in"):
            Path(job.place.host, name).rename(f"{kept}/{name}")
        self.setting.backend.give_back(job.place)
        status = job.status(ended)
        outputs: dict[str, Any] = {}
        problem: Problem | None = None
        if status == "success":
            try:
                with self._interruptible():
                    outputs = dict(job.collect(kept, ended.exit_code))
            except FAILURES as failure:
                status, problem = "permanentFail", describe(failure, self.setting.base, job.where.step)
        else:
            problem = _why(job, ended)
            with contextlib.suppress(*FAILURES):
                outputs = dict(job.collect(kept, ended.exit_code))
        self._job_ended(
            job.where, "succeeded" if status == "success" else "failed", problem,
            started=running.started, ended=ended, outputs=outputs,
        )  # fmt: skip
        if job.output_callback:
            with self._interruptible():
                job.output_callback(outputs, status)

    def _fail(self, job: StepJob, failure: Exception, started: float) -> None:
        """Tell of a job whose command couldn't be started."""
        self.setting.backend.give_back(job.place)
        self._job_ended(job.where, "failed", describe(failure, self.setting.base, job.where.step), started=started)
        if job.output_callback:
            job.output_callback({}, "permanentFail")

    def _evaluate(self, job: ExpressionJob) -> None:
        """Carry out an expression tool at once."""
        where: Where = job.where  # type: ignore[attr-defined]
        started = time.time()
        caught: Problem | None = None
        outputs: Any = {}

        try:
            with self._interruptible():
                normalizeFilesDirs(job.builder.job)
                outputs = job.builder.do_eval(job.script)
                normalizeFilesDirs(outputs)
        except FAILURES as failure:
            caught = describe(failure, self.setting.base, where.step)
        self._job_ended(where, "failed" if caught else "succeeded", caught, started=started, outputs=outputs)
        if job.output_callback:
            with self._interruptible():
                job.output_callback(outputs, "permanentFail" if caught else "success")

    def _job_ended(
        self,
        where: Where,
        state: str,
        problem: Problem | None,
        *,
        started: float,
        ended: Ended | None = None,
        outputs: Any = None,
    ) -> None:
        if problem and state == "failed":
            self._first = self._first or problem
            self.setting.listener.emit("problem", **problem.facts())
        self.setting.listener.emit(
            "job-ended",
            step=where.step or "main",
            job=where.job,
            state=state,
            exit_code=ended.exit_code if ended else None,
            cpu_seconds=ended.cpu_seconds if ended else 0,
            memory_bytes=ended.memory_bytes if ended else 0,
            started_at=round(started, 4),
            ended_at=round(time.time(), 4),
            outputs=outputs or {},
            reason=problem.message if problem else "",
            advice=problem.advice if problem else "",
        )

    # The end

    def _cancelled(self) -> Result:
        self._end_all()
        return Result("cancelled", None, Problem("The run was stopped."))

    def _end_all(self) -> None:
        """End what runs and tell so."""
        for running in list(self._running.values()):
            self.setting.backend.kill(running.job.place)
            self._job_ended(running.job.where, "cancelled", None, started=running.started)
        self._running.clear()


def _why(job: StepJob, ended: Ended) -> Problem:
    """Say why a command didn't succeed."""
    program = job.command()[0]
    node = job.where.step
    if ended.overtime:
        told = f"The command took longer than the {job.timelimit} s of its ToolTimeLimit and was ended."
        return Problem(told, "Give it more time, or less to do.", node=node)
    if ended.trouble:
        told = f"The program {program} can't be started: {ended.trouble}."
        return Problem(told, "Name the software that has it (DockerRequirement), or correct its name.", node=node)
    if ended.exit_code < 0:
        told = f"The command was ended by the signal {signal.Signals(-ended.exit_code).name}."
        return Problem(told, "SIGKILL often means that its memory was used up: look at its log.", node=node)
    return Problem(f"The command ended with exit code {ended.exit_code}.", "Its log tells why.", node=node)
