"""Specifications, an executor without threads, and a clock for tests of the controller."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from typing import Any

from spacelab.accounts.models import Person
from spacelab.kit.ids import new_id
from spacelab.workloads import actions, queries
from spacelab.workloads.controller import Controller
from spacelab.workloads.models import Workload
from spacelab.workloads.reconcile import Policy
from spacelab.workloads.rules import Interface, Kind, WorkloadSpec
from support.fake_runtime import FakeRuntime


def make_spec(person: Person, kind: Kind = Kind.INTERACTIVE, **fields: Any) -> WorkloadSpec:
    """Make a specification that fits the kind."""
    interface = Interface() if kind is Kind.INTERACTIVE else None
    values = {"id": new_id(), "command": ("sleep", "1"), "interface": interface} | fields
    return WorkloadSpec(owner=person.username, kind=kind, **values)


def submit(person: Person, kind: Kind = Kind.INTERACTIVE, **fields: Any) -> Workload:
    """Queue a workload."""
    return actions.submit(by=person, spec=make_spec(person, kind, **fields))


class AtOnce(Executor):
    """Runs what it is given in the caller's thread. An exception that is no `Exception` reaches the caller."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  the future carries it, as in any executor
            future.set_exception(error)
        return future


class Clock:
    """A time that passes when told to."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class Bench:
    """A controller on a fake runtime, with a clock to turn."""

    def __init__(self, policy: Policy | None = None, **options: Any) -> None:
        self.runtime = FakeRuntime()
        self.clock = Clock()
        self.policy = policy or Policy(start_timeout=60)
        self.options = options
        self.controller = self.replace_controller()

    def replace_controller(self) -> Controller:
        """Put a controller in place that remembers nothing, as after a crash."""
        self.controller = Controller(
            self.runtime, policy=self.policy, executor=AtOnce(), now=self.clock, **self.options
        )
        return self.controller

    def look(self, times: int = 1, *, seconds: float = 0.5) -> None:
        """Let the controller look, with time passing after each look."""
        for _ in range(times):
            self.controller.look()
            self.clock.advance(seconds)


def phases_of(workload: Workload) -> list[str]:
    """List the phases that a workload went through."""
    return [change.phase for change in queries.changes(workload)]
