"""When a workload's usage is worth a write, and when its usage shows that it is at work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from spacelab.workloads.actions import Sample
from spacelab.workloads.reconcile import Policy
from spacelab.workloads.rules import Observation, Usage

CPU_CHANGE_SECONDS = 0.05
BYTES_CHANGE = 1024 * 1024
"""Changes below these are not worth a write."""


@dataclass(frozen=True)
class _Saved:
    at: datetime
    usage: Usage
    written: Usage


class Sampler:
    """Collects observations and hands out those that are worth a write, each workload's at most every few seconds."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._saved: dict[str, _Saved] = {}
        self._due: list[Sample] = []

    def add(self, workload_id: str, observation: Observation, address: str, now: datetime) -> None:
        """Consider one observation of a running workload; `address` is its new address, or empty."""
        last = self._saved.get(workload_id)
        elapsed = (now - last.at).total_seconds() if last else None
        if elapsed is not None and elapsed < self._policy.sample_every and not address:
            return
        usage = observation.usage
        cpu = usage.cpu_seconds - last.usage.cpu_seconds if last else 0.0
        working = elapsed is not None and elapsed > 0 and cpu / elapsed > self._policy.active_share
        active = observation.busy or working
        worth = active or bool(address) or last is None or _differs(last.written, usage)
        self._saved[workload_id] = _Saved(now, usage, usage if worth or last is None else last.written)
        if worth:
            self._due.append(
                Sample(
                    workload_id,
                    usage.cpu_seconds,
                    usage.memory_bytes,
                    usage.scratch_bytes,
                    active_at=now if active else None,
                    address=address,
                )
            )

    def due(self) -> list[Sample]:
        """Hand out the samples to write."""
        due, self._due = self._due, []
        return due

    def drop(self, workload_id: str) -> None:
        """Forget a workload."""
        self._saved.pop(workload_id, None)


def _differs(before: Usage, after: Usage) -> bool:
    return (
        abs(after.cpu_seconds - before.cpu_seconds) >= CPU_CHANGE_SECONDS
        or abs(after.memory_bytes - before.memory_bytes) >= BYTES_CHANGE
        or abs(after.scratch_bytes - before.scratch_bytes) >= BYTES_CHANGE
    )
