"""What the controller needs from whatever carries workloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from spacelab.workloads.rules import Capabilities, Observation, WorkloadSpec


class RuntimeFault(Exception):  # noqa: N818  the word of the design
    """The runtime could not do what was asked; the message is for people, `retry` says whether to try again.

    `trouble` is the `rules.Trouble` that it was, where the runtime can tell.
    """

    def __init__(self, message: str, *, retry: bool = False, trouble: str = "") -> None:
        super().__init__(message)
        self.retry = retry
        self.trouble = trouble


class Runtime(Protocol):
    """Carries workloads. Every method may be called again at any time with the same arguments, and from any thread.

    Calls to start, stop or forget one workload never overlap; calls about different ones, and `observe`, do.
    """

    def capabilities(self) -> Capabilities:
        """Say what this runtime can do on this host."""

    def start(self, spec: WorkloadSpec, secrets: Mapping[str, str]) -> None:
        """Start the workload unless it was started before; raise `RuntimeFault` if that can't be done."""

    def observe(self) -> dict[str, Observation]:
        """Report on every workload that this runtime still knows, by id; ended ones stay until `forget`."""

    def logs(self, workload_id: str, since: int = 0) -> Iterator[bytes]:
        """Yield what the workload printed, from byte `since` on."""

    def stop(self, workload_id: str, grace_seconds: float) -> None:
        """Ask the workload to end, and end it by force after the grace; return at once."""

    def forget(self, workload_id: str) -> None:
        """Remove what is left of an ended workload; nothing happens if there is nothing left, or it still runs."""


class KeepsThingsReady(Protocol):
    """What a runtime can do besides: keep something for later starts."""

    def end(self) -> None:
        """End what is kept for later starts; workloads go on. The runtime is not used any more after it."""


@dataclass(frozen=True)
class StepSeen:
    """A step of an image's build: the how-manieth of how many, its instruction, and whether the cache had it.

    Times are in seconds since 1970. `ended_at` is None while the step is at work, and stays so for a step that failed.
    """

    number: int
    total: int
    instruction: str
    started_at: float
    ended_at: float | None = None
    cached: bool = False


class ShowsSteps(Protocol):
    """What a runtime that builds images can do besides: tell how far a build has come."""

    def build_steps(self, workload_id: str) -> list[StepSeen]:
        """List the steps of a build, in order; none for what is no build, or has not begun."""


class KnowsWhatIsHere(Protocol):
    """What a runtime can do besides: say whether it has what a workload would be started from."""

    def lacks(self, *, environment: str, image: str) -> bool:
        """Say whether one of those that are named is not on this machine; raise `RuntimeFault` if nobody can tell."""


class KnowsPorts(Protocol):
    """What a runtime can do besides: say where a workload listens."""

    def ports(self, workload_id: str) -> list[int] | None:
        """List the ports on which its programs listen inside, sorted; None if nobody can tell."""


class KnowsWrites(Protocol):
    """What a runtime can do besides: say what a workload wrote into its system."""

    def written(self, workload_id: str) -> list[str] | None:
        """List files and folders that it made or changed outside its volumes and scratch; None if nobody can tell."""


class Secrets(Protocol):
    """Provides what a workload must know and nobody may store: called right before a start."""

    def __call__(self, spec: WorkloadSpec) -> Mapping[str, str]:
        """Return the secret environment variables of this workload."""
