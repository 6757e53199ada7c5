"""A runtime that carries nothing: workloads are entries in a dictionary, and reports on them can go wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Capabilities, Observation, Seen, Usage, WorkloadSpec


@dataclass
class FakeCopy:
    """One started copy of a workload."""

    spec: WorkloadSpec
    seen: Seen = Seen.STARTING
    exit_code: int | None = None
    reason: str = ""
    busy: bool = False
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    asked_to_stop: bool = False
    trouble: str = ""
    secrets: dict[str, str] = field(default_factory=dict)

    def observation(self) -> Observation:
        """Report on this copy."""
        return Observation(
            seen=self.seen,
            address="unix//fake.sock" if self.seen is Seen.RUNNING else "",
            exit_code=self.exit_code,
            reason=self.reason,
            usage=Usage(self.cpu_seconds, self.memory_bytes),
            busy=self.busy,
            trouble=self.trouble,
        )


class FakeRuntime:
    """Carries workloads in memory. `started` counts real starts by id; set `faults` and `hooks` to make trouble."""

    def __init__(self, *, ready_at_once: bool = False) -> None:
        self.copies: dict[str, FakeCopy] = {}
        self.started: dict[str, int] = {}
        self.faults: dict[str, RuntimeFault] = {}
        """By id: what the next start raises; taken out once raised unless it says `retry`."""
        self.before: Callable[[str], None] = lambda _point: None
        self.report: Callable[[dict[str, Observation]], dict[str, Observation]] = lambda truth: truth
        self._ready_at_once = ready_at_once
        self._lock = threading.Lock()

    def capabilities(self) -> Capabilities:
        return Capabilities(images=False, isolation="none", limits="none")

    def start(self, spec: WorkloadSpec, secrets: Mapping[str, str]) -> None:
        self.before("runtime.start")
        with self._lock:
            if spec.id in self.faults:
                raise self.faults[spec.id]
            if spec.id not in self.copies:
                seen = Seen.RUNNING if self._ready_at_once else Seen.STARTING
                self.copies[spec.id] = FakeCopy(spec, seen, secrets=dict(secrets))
                self.started[spec.id] = self.started.get(spec.id, 0) + 1
        self.before("runtime.start.after")

    def observe(self) -> dict[str, Observation]:
        self.before("runtime.observe")
        with self._lock:
            truth = {workload_id: copy.observation() for workload_id, copy in self.copies.items()}
        return self.report(truth)

    def logs(self, workload_id: str, since: int = 0) -> Iterator[bytes]:
        yield f"{workload_id} printed this\n".encode()[since:]

    def stop(self, workload_id: str, grace_seconds: float) -> None:  # noqa: ARG002  the port's signature
        self.before("runtime.stop")
        with self._lock:
            copy = self.copies.get(workload_id)
            if copy is not None:
                copy.asked_to_stop = True
        self.before("runtime.stop.after")

    def forget(self, workload_id: str) -> None:
        self.before("runtime.forget")
        with self._lock:
            copy = self.copies.get(workload_id)
            if copy is not None and copy.seen is Seen.EXITED:
                del self.copies[workload_id]
        self.before("runtime.forget.after")

    def become_ready(self, workload_id: str) -> None:
        """Let the workload's interface answer from now on."""
        copy = self.copies[workload_id]
        if copy.seen is Seen.STARTING:
            copy.seen = Seen.RUNNING

    def end(self, workload_id: str, exit_code: int) -> None:
        """Let the workload end by itself."""
        copy = self.copies[workload_id]
        if copy.seen is not Seen.EXITED:
            copy.seen, copy.exit_code = Seen.EXITED, exit_code

    def obey_stops(self) -> None:
        """Let whatever was asked to stop end."""
        for copy in self.copies.values():
            if copy.asked_to_stop and copy.seen is not Seen.EXITED:
                copy.seen, copy.exit_code = Seen.EXITED, 143

    def live(self) -> set[str]:
        """Name what has not ended."""
        return {workload_id for workload_id, copy in self.copies.items() if copy.seen is not Seen.EXITED}
