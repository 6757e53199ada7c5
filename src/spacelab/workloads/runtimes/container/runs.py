"""Pipeline runs beside containers: the coordinator in a sandbox of the process runtime, its steps as containers.

Why there: see the decision record on the step broker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Observation, Seen, WorkloadSpec
from spacelab.workloads.runtimes.container import broker
from spacelab.workloads.runtimes.process import Options as ProcessOptions
from spacelab.workloads.runtimes.process import ProcessRuntime
from spacelab.workloads.runtimes.shared import brokers

if TYPE_CHECKING:
    from spacelab.workloads.runtimes.container.runtime import Context


class Runs:
    """Carries the workloads that are pipeline runs; the others are none of its business."""

    def __init__(self, context: Context) -> None:
        options = context.options
        self._context = context
        self.process = ProcessRuntime(
            ProcessOptions(
                run_directory=options.run_directory,
                environments=options.environments or options.run_directory / ".no-environments",
                workload_uid=options.workload_uid,
                warm=options.warm,
                standby=options.warm,
            )
        )

    def carries(self, workload_id: str) -> bool:
        """Say whether a workload is a run that was started here."""
        return (self._context.options.run_directory / workload_id / "control").exists()

    def start(self, spec: WorkloadSpec, secrets: Mapping[str, str]) -> None:
        """Start a run with its broker, unless it was started; raise `RuntimeFault` if that can't be done."""
        run_directory = self._context.options.run_directory
        if not self.process.sandboxed:
            raise RuntimeFault("Pipelines need bubblewrap on the platform's machine; `spacelab doctor` says more.")
        if self.carries(spec.id):
            self.process.start(spec, secrets)
            return
        shown = brokers.with_places(run_directory, spec) if spec.run and spec.run.images else spec
        try:
            broker.prepare(self._context, shown, run_directory / spec.id)
            self.process.start(shown, secrets)
        except (OSError, RuntimeFault):
            broker.forget(self._context, spec.id)
            raise
        brokers.look_after(run_directory, spec.id, broker.PROGRAM)

    def observe(self) -> dict[str, Observation]:
        """Report on all runs, and see to it that those at work have their brokers."""
        found = self.process.observe()
        for workload_id, observation in found.items():
            if observation.seen is not Seen.EXITED:
                brokers.look_after(self._context.options.run_directory, workload_id, broker.PROGRAM)
        return found

    def end(self) -> None:
        """End what is kept for later starts."""
        self.process.end()

    def forget(self, workload_id: str) -> None:
        """Remove what is left of an ended run."""
        self.process.forget(workload_id)
        if not self.carries(workload_id):
            broker.forget(self._context, workload_id)
