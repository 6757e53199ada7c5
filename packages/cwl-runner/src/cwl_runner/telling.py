"""What a run tells while it goes: job by job, step by step, and what went wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import time
from pathlib import Path
from typing import Any

from cwltool.errors import UnsupportedRequirement
from schema_salad.ref_resolver import file_uri

from cwl_runner.backends.protocol import Ended
from cwl_runner.events import Listener
from cwl_runner.expressions import Engine as Expressions
from cwl_runner.jobs import Job
from cwl_runner.problems import Problem, describe
from cwl_runner.tools import Where

LARGEST = 1 << 20
"""Characters of the largest document that is searched for the line of an expression."""


class Teller:
    """Turns what happens into events, and remembers the first thing that went wrong."""

    def __init__(self, listener: Listener, base: str, expressions: Expressions | None) -> None:
        self.emit = listener.emit
        self.first: Problem | None = None
        self.unsupported = False
        self._base = base
        self._expressions = expressions
        self._scattered: set[Where] = set()
        self._warned: set[str] = set()

    def problem(self, failure: BaseException | str, node: str = "") -> Problem:
        """Describe a failure, with the line of the expression where one failed."""
        if isinstance(failure, UnsupportedRequirement) or getattr(failure, "unsupported", False):
            self.unsupported = True
        problem = describe(failure, self._base, node)
        if self._expressions and self._expressions.failed:
            if not problem.line:
                problem = self._at_expression(problem, self._expressions.failed)
            self._expressions.failed = ""
        return problem

    def _at_expression(self, problem: Problem, expression: str) -> Problem:
        """Find an expression in the documents by its first telling line."""
        lines = [line.strip() for line in expression.strip("${}()").splitlines() if line.strip()]
        for path in sorted(Path(self._base).rglob("*")) if self._base and lines else ():
            with contextlib.suppress(OSError, UnicodeDecodeError):
                if path.is_file() and path.stat().st_size <= LARGEST:
                    for number, line in enumerate(path.read_text().splitlines(), 1):
                        if lines[0] in line:
                            name = str(path.relative_to(self._base))
                            return dataclasses.replace(problem, file=name, line=number)
        return problem

    def warn_once(self, message: str, advice: str = "") -> None:
        """Tell a warning, the first time only."""
        if message not in self._warned:
            self._warned.add(message)
            self.emit("problem", **Problem(message, advice, severity="warning").facts())

    def scattered(self, where: Where, count: int) -> None:
        """Tell once how many jobs a scatter has."""
        if where not in self._scattered:
            self._scattered.add(where)
            self.emit("scatter", step=where.step, count=count, index=list(where.index) or None)

    def step_ended(self, where: Where, state: str) -> None:
        """Tell of a step that is over."""
        if state == "skipped":
            self.emit("job-ended", step=where.step, job=where.job, state="skipped", outputs={})
        self.emit("step-ended", step=where.step, state=state, index=list(where.index) or None)

    def started(self, job: Job, attempt: int) -> None:
        """Tell of a command that starts."""
        where = job.where
        self.emit(
            "job-started",
            step=where.step or "main",
            job=where.job,
            index=list(where.index) or None,
            command=job.command(),
            inputs=job.inputs,
            image=job.image,
            environment=job.software,
            **{"try": attempt},
        )

    def ended(
        self,
        where: Where,
        state: str,
        problem: Problem | None = None,
        *,
        started: float,
        ended: Ended | None = None,
        outputs: Any = None,
        now: float = 0.0,
    ) -> None:
        """Tell how a job ended; `now` is when it did, if that is a while ago."""
        if problem and state == "failed":
            self.first = self.first or problem
            self.emit("problem", **problem.facts())
        self.emit(
            "job-ended",
            step=where.step or "main",
            job=where.job,
            state=state,
            exit_code=ended.exit_code if ended else None,
            cpu_seconds=ended.cpu_seconds if ended else 0,
            memory_bytes=ended.memory_bytes if ended else 0,
            started_at=round(started, 4),
            ended_at=round(now or time.time(), 4),
            outputs=outputs or {},
            reason=problem.message if problem else "",
            advice=problem.advice if problem else "",
        )


def why(job: Job, ended: Ended, words: str = "") -> Problem:
    """Say why a command didn't succeed; `words` are its last on standard error."""
    program, node = job.command()[0], job.where.step
    if ended.overtime:
        told = f"The command took longer than the {job.timelimit} s of its ToolTimeLimit and was ended."
        return Problem(told, "Give it more time, or less to do.", node=node)
    if ended.trouble:
        told = f"The program {program} can't be started: {ended.trouble}."
        return Problem(told, "Name the software that has it (DockerRequirement), or correct its name.", node=node)
    if ended.exit_code < 0:
        told = f"The command was ended by the signal {signal.Signals(-ended.exit_code).name}."
        return Problem(told, "SIGKILL often means that its memory was used up: look at its log.", node=node)
    if any(sign in words for sign in ("No space left on device", "Disk quota exceeded")):
        return Problem(f"The disk is full: {words}", "Free some space, or launch with a larger profile.", node=node)
    told = f"The command ended with exit code {ended.exit_code}"
    return Problem(f"{told}: {words}" if words else f"{told}.", "Its log tells more.", node=node)


def relative(value: Any, folder: str) -> Any:
    """Leave out of an event's value where this process keeps a job's files."""
    prefix = file_uri(folder) + "/"
    if isinstance(value, dict):
        return {key: relative(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [relative(item, folder) for item in value]
    return value[len(prefix) :] if isinstance(value, str) and value.startswith(prefix) else value
