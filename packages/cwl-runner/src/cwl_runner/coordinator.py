"""Carries out one run: pulls jobs out of the document's process, starts them in places, hands their outputs on.

One thread does everything. cwltool's generator gives a job when its inputs are there; it is asked for the next only
while a place is free, so a scatter of thousands of jobs holds no more than `parallel` of them in memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cwltool.command_line_tool import ExpressionJob
from cwltool.process import Process
from cwltool.utils import normalizeFilesDirs

from cwl_runner import links, removal, tools
from cwl_runner.backends.protocol import Backend, Ended, Order, Place
from cwl_runner.cache import Cache, job_key, tool_key
from cwl_runner.control import Cancelled, Control
from cwl_runner.delivery import Delivery
from cwl_runner.digests import Digests
from cwl_runner.events import Listener
from cwl_runner.expressions import Engine as Expressions
from cwl_runner.jobs import LITERALS, Job, PlanJob, StepJob
from cwl_runner.logs import WATCHED_AFTER, Logs, make, writable
from cwl_runner.problems import Problem, Refusal
from cwl_runner.roots import Roots
from cwl_runner.telling import Teller, why
from cwl_runner.tools import Context, Where

FAILURES = (Exception,)
"""What becomes a message: documents and what they run make any code fail in any way, and a run tells so and ends."""


@dataclasses.dataclass(frozen=True)
class Result:
    """How a run ended: "succeeded", "failed" or "cancelled"; outputs as cwltool gives them, not yet delivered."""

    state: str
    outputs: dict[str, Any] | None = None
    problem: Problem | None = None
    unsupported: bool = False


@dataclasses.dataclass
class Setting:
    """All that a run needs beside its process and its job order."""

    backend: Backend
    listener: Listener
    control: Control
    roots: Roots
    work: Path
    digests: Digests
    parallel: int
    expressions: Expressions
    cache: Cache | None = None
    base: str = ""
    logs: Path | None = None
    environments: dict[str, str] = dataclasses.field(default_factory=dict)
    images: tuple[str, ...] = ()
    image_digests: dict[str, str] = dataclasses.field(default_factory=dict)
    """What the images are at present, by their names, as far as whoever runs them tells."""
    network: bool = False
    cores: float = 0
    memory_mb: float = 0
    on_error: str = "continue"
    expression_seconds: float = 20
    attempt: int = 1
    plans: bool = True
    reuse: bool = True
    intermediate: Path | None = None
    """Where the outputs of every job are copied to, if anywhere."""


@dataclasses.dataclass
class Begun:
    """A job that is laid out, and perhaps runs: its order, where its files will be, and the key of its result."""

    job: Job
    order: Order
    kept: str
    key: tuple[str, str] | None
    started: float = 0.0


class Coordinator:
    """One run in progress; also what processes report to (`tools.Engine`)."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.roots = setting.roots
        self.digests = setting.digests
        self.plans = setting.plans
        self.logs = Logs(setting.logs)
        self.place = Place(-1, "/nowhere", "/nowhere")
        self.mapper = type("RunMapper", (tools.Mapper,), {"roots": setting.roots})
        self.teller = Teller(setting.listener, setting.base, setting.expressions)
        self.scattered, self.step_ended = self.teller.scattered, self.teller.step_ended
        self._running: dict[int, Begun] = {}
        self._waiting: list[Begun] = []
        self._tools: dict[int, str] = {}
        self._count = 0
        self._results: list[tuple[Any, str]] = []
        self._kept = setting.work / "kept"
        if not setting.cache:
            self._kept.mkdir(parents=True, exist_ok=True)
        self.roots.kept.add(str(setting.cache.jobs if setting.cache else self._kept))
        self.roots.add(setting.cache.jobs if setting.cache else setting.work)

    # What processes tell and ask

    def failed_to_begin(self, where: Where, failure: Exception) -> None:
        """Tell of a job that couldn't be made."""
        self.teller.ended(where, "failed", self.teller.problem(failure, where.step), started=time.time())

    def environment_for(self, tool: Process) -> tuple[str, str]:
        """Find the software that a tool asks for."""
        image, required = tools.docker_image(tool)
        if not image:
            return "", ""
        software = self.setting.environments.get(image, "")
        if image in self.setting.images:
            if other := tools.other_folder(tool):
                told = (
                    f"Outputs are not looked for in {other} (dockerOutputDirectory), which this platform leaves alone."
                )
                self.teller.warn_once(told, "Let the command write to $(runtime.outdir), or to where it starts.")
            return image, ""
        if not software and required:
            raise tools.unsupported(image)
        if not software:
            self.teller.warn_once(f"The software {image} isn't available here; its steps run with what the system has.")
        return image, software

    # The run

    def run(self, process: Process, order: dict[str, Any]) -> Result:
        """Carry out a process to its end."""
        context = Context(
            self,
            basedir=self.setting.base or "/",
            use_container=False,
            tmpdir_prefix=f"{self.setting.work}/",
            tmp_outdir_prefix=f"{self.setting.work}/",
            on_error=self.setting.on_error,
            eval_timeout=self.setting.expression_seconds,
            make_fs_access=type("RunAccess", (links.Access,), {"roots": self.roots}),
            toplevel=True,
        )
        self.setting.backend.wake_by(self.setting.control.descriptor)
        try:
            process.visit(_refuse_abstract)
            self._loop(process.job(order, self._receive, context))
        except Cancelled:
            self._end_all()
            return Result("cancelled", None, Problem("The run was stopped."))
        except FAILURES as failure:
            problem = self.teller.problem(failure)
            self.teller.emit("problem", **problem.facts())
            self.teller.first = self.teller.first or problem
            self._end_all()
        return self._result()

    def _receive(self, outputs: Any, status: str) -> None:
        self._results.append((outputs, status))

    def _result(self) -> Result:
        outputs, status = self._results[0] if self._results else (None, "permanentFail")
        if status == "success":
            return Result("succeeded", outputs)
        problem = self.teller.first or Problem("The run ended without a result.")
        return Result("failed", outputs, problem, self.teller.unsupported)

    def _enough(self, job: Job) -> None:
        """Raise Refusal when a job asks for more than the whole run has, or for less than nothing."""
        for name, limit, unit in (
            ("cores", self.setting.cores, "cores"),
            ("ram", self.setting.memory_mb, "MB of memory"),
        ):
            if job.resources[name] < 0:
                told = f"A step asks for {job.resources[name]:g} {unit}."
                raise Refusal(told, "Ask for more than nothing (ResourceRequirement).")
            if limit and job.resources[name] > limit:
                raise Refusal(
                    f"A step asks for {job.resources[name]:g} {unit}, and this run has {limit:g}.",
                    "Launch with a larger profile, or ask for less (ResourceRequirement).",
                )

    def _loop(self, jobs: Iterator[Any]) -> None:
        """Start jobs while there is room, and wait when there is none."""
        more = True
        while more or self._running or self._waiting:
            self._obey()
            if more and not self._waiting and not self.setting.control.paused and self._take():
                more = self._pull(jobs)
            elif not self._start_waiting():
                self._wait()

    def _obey(self) -> None:
        control = self.setting.control
        if control.look():
            self.teller.emit("paused" if control.paused else "resumed")
        if control.cancelled:
            raise Cancelled

    def _take(self) -> bool:
        place = self.setting.backend.take()
        if place is not None:
            self.place = place
        return place is not None

    def _pull(self, jobs: Iterator[Any]) -> bool:
        """Ask for one job and begin it; says whether there can be more."""
        job = None
        try:
            with self._interruptible():
                job = next(jobs)
        except StopIteration:
            self.setting.backend.give_back(self.place)
            return False
        if isinstance(job, StepJob | PlanJob):
            self._prepare(job)
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
        over = [(self._running.pop(place.number), ended) for place, ended in self.setting.backend.wait(0.2)]
        now = time.time()
        if over:
            self._start_waiting()  # before what is over is looked at: the machine shall not wait for that
        for begun in self._running.values():
            if now - begun.started > WATCHED_AFTER:
                self.logs.show(begun.job.where.job)
        for begun, ended in over:
            self._finish(begun, ended, now)

    def _start_waiting(self) -> bool:
        """Start the job that is ready, if there is room for it."""
        paused = self.setting.control.paused or self.setting.control.cancelled
        if not self._waiting or paused or not self._room(self._waiting[0].job):
            return False
        self._launch(self._waiting.pop(0))
        return True

    def _room(self, job: Job) -> bool:
        if len(self._running) >= self.setting.parallel:
            return False
        for name, limit in (("cores", self.setting.cores), ("ram", self.setting.memory_mb)):
            used = sum(begun.job.resources[name] for begun in self._running.values())
            if limit and used and used + job.resources[name] > limit:
                return False
        return True

    # One job

    def _prepare(self, job: Job) -> None:
        """Reuse a job's result, or lay it out so that only its start is left to do."""
        started = time.time()
        cache = self.setting.cache
        self._count += 1
        kept = cache.new() if cache else f"{self._kept}/{self._count}"
        try:
            self._enough(job)
            key = self._key(job)
            if cache and key and (outputs := cache.find(*key, reuse=self._reusable(job))) is not None:
                self._reuse(job, outputs, started)
                return
            job.lay_out(kept)
            self._waiting.append(Begun(job, self._order(job), kept, key))
        except FAILURES as failure:
            self._fail(job, failure, started)

    def _launch(self, begun: Begun) -> None:
        begun.started = time.time()
        self.teller.started(begun.job, self.setting.attempt)
        try:
            self.setting.backend.start(begun.job.place, begun.order)
        except FAILURES as failure:
            self._fail(begun.job, failure, begun.started)
            return
        finally:
            for descriptor in (begun.order.stdin, begun.order.stdout, begun.order.stderr):
                os.close(descriptor)
        self._running[begun.job.place.number] = begun

    def _fail(self, job: Job, failure: Exception, started: float) -> None:
        """Tell of a job whose command couldn't be started."""
        self.logs.done(job.where.job)
        self.setting.backend.give_back(job.place)
        self.teller.ended(job.where, "failed", self.teller.problem(failure, job.where.step), started=started)
        self._hand_on(job, {}, "permanentFail")

    def _key(self, job: Job) -> tuple[str, str] | None:
        if self.setting.cache is None:
            return None
        tool = id(job.process)
        if tool not in self._tools:
            software = (job.image, job.software, self.setting.image_digests.get(job.image, ""))
            self._tools[tool] = tool_key(job.process, self.setting.base, software)
        return self._tools[tool], job_key(job.ingredients(), job.resources, self.digests)

    def _reusable(self, job: Job) -> bool:
        wish, _ = job.process.get_requirement("WorkReuse")
        return self.setting.reuse and (not wish or wish.get("enableReuse") is not False)

    def _reuse(self, job: Job, outputs: dict[str, Any], started: float) -> None:
        self.setting.backend.give_back(job.place)
        self.teller.ended(job.where, "reused", started=started, outputs=outputs)
        self._hand_on(job, outputs, "success")

    def _order(self, job: Job) -> Order:
        """Open the job's streams and describe its command."""
        command, variables = job.command(), job.variables()
        own = f"{job.place.host}/out"
        paths = [f"{own}/{name}" if name else "" for name in (job.stdout, job.stderr)]
        for path in paths:
            if path:
                links.refuse_staged(path, own)
            if "/" in path[len(own) + 1 :]:
                os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - for some jobs
        source = job.standard_input()
        stdin = _readable(source)
        out, err = (
            writable(path) if path else self.logs.open(job.where.job, name)
            for path, name in zip(paths, ("stdout", "stderr"), strict=True)
        )
        return Order(
            command,
            variables,
            f"{job.place.inside}/out",
            stdin,
            out,
            err,
            network=self.setting.network and job.networkaccess,
            image=job.image,
            cores=job.resources["cores"],
            memory_mb=job.resources["ram"],
            seconds=job.timelimit or None,
            input="" if source == os.devnull else _in_job(job.place, source),
        )

    def _finish(self, begun: Begun, ended: Ended, now: float) -> None:
        """Collect a job's outputs and hand them on."""
        job, kept = begun.job, begun.kept
        self.logs.done(job.where.job)
        try:
            self._keep(job, kept)
        except FAILURES as failure:
            self._fail(job, failure, begun.started)
            return
        status = job.status(ended)
        problem = None if status == "success" else why(job, ended, self._last_words(job, kept))
        outputs: dict[str, Any] = {}
        if problem and self.setting.logs:
            _tell_command(job, self.setting.logs / job.where.job)
        try:
            with self._interruptible():
                outputs = dict(job.collect(kept, ended.exit_code))
                links.verify(outputs, kept, self.roots, linked=kept in self.roots.linked)
                if status == "success" and self.setting.intermediate:
                    folder = self.setting.intermediate / job.where.job
                    Delivery(folder, self.roots, self.digests).deliver(outputs)
        except FAILURES as failure:
            outputs = {}
            if status == "success":
                status, problem = "permanentFail", self.teller.problem(failure, job.where.step)
        if status == "success" and self.setting.cache and begun.key:
            self.setting.cache.add(*begun.key, kept, outputs)
        state = "succeeded" if status == "success" else "failed"
        self.teller.ended(job.where, state, problem, started=begun.started, ended=ended, outputs=outputs, now=now)
        self._hand_on(job, outputs, status)

    def _last_words(self, job: Job, kept: str) -> str:
        """Give the last line that a command wrote to its standard error."""
        path = f"{kept}/{job.stderr}" if job.stderr else self.logs.path(job.where.job, "stderr")
        try:
            # The command may have put something else in the place of the file.
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as log:
                found = os.fstat(log.fileno())
                log.seek(max(0, found.st_size - 2000))
                lines = (
                    log.read(2000).decode(errors="replace").strip().splitlines() if stat.S_ISREG(found.st_mode) else []
                )
        except OSError:
            return ""
        return lines[-1].strip()[:300] if lines else ""

    def _keep(self, job: Job, kept: str) -> None:
        """Move what a job wrote to where it stays, make its links right, and free its place."""
        host, inside = job.place.host, job.place.inside
        removal.move(f"{host}/out", kept)
        if job.literals:
            removal.move(f"{host}/in", f"{kept}{LITERALS}")

        def translate(target: str) -> str:
            if target.startswith(f"{inside}/out/"):
                return kept + target[len(f"{inside}/out") :]
            return job.staged(target)

        if links.settle(kept, translate):
            self.roots.linked.add(kept)
        self.setting.backend.give_back(job.place)

    def _hand_on(self, job: Any, outputs: Any, status: str) -> None:
        if job.output_callback:
            with self._interruptible():
                job.output_callback(outputs, status)

    def _evaluate(self, job: ExpressionJob) -> None:
        """Carry out an expression tool at once."""
        where: Where = job.where  # type: ignore[attr-defined]
        started = time.time()
        problem: Problem | None = None
        outputs: Any = {}
        try:
            with self._interruptible():
                normalizeFilesDirs(job.builder.job)
                outputs = job.builder.do_eval(job.script)
                normalizeFilesDirs(outputs)
        except FAILURES as failure:
            problem = self.teller.problem(failure, where.step)
        state = "failed" if problem else "succeeded"
        self.teller.ended(where, state, problem, started=started, outputs=outputs)
        self._hand_on(job, outputs, "permanentFail" if problem else "success")

    def _end_all(self) -> None:
        """End what runs and tell so."""
        for begun in list(self._running.values()):
            self.setting.backend.kill(begun.job.place)
            self.logs.done(begun.job.where.job)
            self.teller.ended(begun.job.where, "cancelled", started=begun.started)
        self._running.clear()


def _tell_command(job: Job, folder: Path) -> None:
    """Write down beside a failed job's logs what it takes to repeat its command by hand."""
    facts: dict[str, Any] = {"command": job.command(), "environment": dict(job.variables())}
    facts |= {"stdin": job.standard_input(), "folder": job.place.inside, "laid": job.laid_out()}
    make(str(folder))
    (folder / "command.json").write_text(json.dumps(facts, indent=1))


def _refuse_abstract(tool: Any) -> None:
    if tool["class"] == "Operation":
        raise Refusal("The workflow has an abstract Operation, which nothing can run.", "Replace it by a real step.")


def _in_job(place: Place, path: str) -> str:
    """Say where a job sees a file: in its own folder, or at its real place."""
    inside = place.in_job(path)
    return inside if inside != path else os.path.realpath(path)


def _readable(path: str) -> int:
    """Open what a command reads; raises Refusal for a pipe or device, which this process would wait for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if path != os.devnull and not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refusal(f"The standard input {path} isn't a file.", "Give the step a file to read.")
    return descriptor
