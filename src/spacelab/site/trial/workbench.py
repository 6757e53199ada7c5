"""Carries workloads with the platform's runtime and nothing else of it: no database, no controller, no edge."""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from spacelab.kit.refusals import Conflict, Unavailable
from spacelab.site.trial.loops import background_loop
from spacelab.workloads.ports import Runtime, RuntimeFault
from spacelab.workloads.rules import Observation, Seen, WorkloadSpec
from spacelab.workloads.runtimes.container import ContainerRuntime
from spacelab.workloads.runtimes.shared.egress import EgressPolicy, serve_egress
from spacelab.workloads.runtimes.shared.places import egress_socket

Say = Callable[[str], None]
LOOK_SECONDS = 0.1
START_PATIENCE = 60.0
"""Seconds for which a start is tried again while the runtime says that it may go well later."""
GRACE = 5.0
"""Seconds that a workload has to end by itself."""
END_PATIENCE = 120.0
LONGEST_LINE = 500
BENCH = "bench"
"""The run directory of what runs without the controller, below the platform's own."""


class LogTail:
    """Hands on whole lines of a workload's output as they come."""

    def __init__(self, runtime: Runtime, workload_id: str, say: Say) -> None:
        self.workload_id = workload_id
        self._runtime = runtime
        self._say = say
        self._at = 0
        self._rest = b""

    def look(self, *, last: bool = False) -> None:
        """Say the lines that are new; with `last`, the unfinished one as well."""
        with suppress(OSError, RuntimeFault):
            for part in self._runtime.logs(self.workload_id, self._at):
                self._at += len(part)
                self._rest += part
        *lines, self._rest = self._rest.split(b"\n")
        if last and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._say(line.decode(errors="replace")[:LONGEST_LINE])


class Workbench:
    """The runtime, with its own run directory and its own way out. One process uses a workbench at a time."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def start(self, spec: WorkloadSpec) -> None:
        """Start a workload, again while that may help; raise `RuntimeFault` if it can't be."""
        deadline = time.monotonic() + START_PATIENCE
        while True:
            try:
                self.runtime.start(spec, {})
            except RuntimeFault as fault:
                if not fault.retry or time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return

    def watch(self, tail: LogTail, *, until: Seen, patience: float = float("inf")) -> Observation:
        """Hand on a workload's output until it is seen so, has ended, or the patience is; return what is seen then."""
        deadline = time.monotonic() + patience
        while True:
            seen = self.runtime.observe().get(tail.workload_id)
            tail.look()
            if seen is None:
                raise Unavailable("What ran is gone: its runtime no longer knows it.", advice="Try again.")
            if seen.seen in {until, Seen.EXITED} or time.monotonic() > deadline:
                tail.look(last=seen.seen is Seen.EXITED)
                return seen
            time.sleep(LOOK_SECONDS)

    def run(self, spec: WorkloadSpec, say: Say) -> tuple[Observation, str]:
        """Run a batch workload to its end; return what was seen of it then, and all that it printed.

        Whatever interrupts this ends the workload.
        """
        try:
            self.start(spec)
            seen = self.watch(LogTail(self.runtime, spec.id, say), until=Seen.EXITED)
            return seen, b"".join(self.runtime.logs(spec.id)).decode(errors="replace")
        finally:
            self.clear(spec.id)

    def clear(self, workload_id: str) -> None:
        """End a workload and have nothing left of it."""
        self.runtime.stop(workload_id, GRACE)
        deadline = time.monotonic() + END_PATIENCE
        while time.monotonic() < deadline:
            seen = self.runtime.observe().get(workload_id)
            if seen is None or seen.seen is Seen.EXITED:
                break
            time.sleep(LOOK_SECONDS)
        self.runtime.forget(workload_id)

    def clear_all(self) -> None:
        """Remove what an earlier use of this workbench left when it was killed."""
        for workload_id in self.runtime.observe():
            self.clear(workload_id)


def _runtime(directory: Path) -> Runtime:
    """Return the settings' runtime with a run directory of its own, so that a controller at work leaves it alone."""
    usual = import_string(settings.WORKLOAD_RUNTIME)()
    changed: dict[str, Any] = {"run_directory": directory}
    if isinstance(usual, ContainerRuntime):
        changed["engine"] = usual.context.engine.address
    made: Runtime = type(usual)(replace(usual.options, **changed))
    return made


@contextmanager
def workbench() -> Iterator[Workbench]:
    """Prepare the settings' runtime for use without the platform; raise `Conflict` if somebody else does that now."""
    directory: Path = settings.SPACELAB.run_directory / BENCH
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / "workbench.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                f"Another build or run uses {settings.SPACELAB.state} now.",
                advice="Wait for its end, or name another folder with --state.",
            ) from error
        with way_out(egress_socket(directory)):
            bench = Workbench(_runtime(directory))
            bench.clear_all()
            yield bench


@contextmanager
def way_out(path: Path) -> Iterator[None]:
    """Serve workloads' way out, by the policy of the settings, from a thread of its own."""
    with background_loop("egress") as loop:
        asyncio.run_coroutine_threadsafe(serve_egress(path, EgressPolicy.from_settings()), loop)
        yield
