"""The controller: reads what is wanted, asks the runtime what is there, and takes the steps that `reconcile` decides.

It holds nothing that it can't do without: kill it at any moment, and the next one carries on from the tables and the
runtime. Only its own thread writes to the tables; calls that start, stop or remove run on a pool, so that a slow one
holds up nobody else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Event
from typing import TypeVar

from django.db import DatabaseError, close_old_connections
from django.db.models import Q, QuerySet

from spacelab.workloads import actions, reconcile
from spacelab.workloads.models import Workload
from spacelab.workloads.ports import Runtime, RuntimeFault, Secrets
from spacelab.workloads.reconcile import Memory, Policy, Record, Step
from spacelab.workloads.rules import FINAL, Desired, Kind, Observation, Phase, WorkloadSpec
from spacelab.workloads.sampling import Sampler

T = TypeVar("T")

logger = logging.getLogger(__name__)

CHUNK = 500
"""Rows per statement, below what SQLite takes as parameters."""
IDLE_SECONDS = 5.0
"""Between two observations while nothing is at work."""
STEADY_SECONDS = 1.0
"""Between two observations while nothing is about to change."""
SHARE_FOR_LOOKS = 4.0
"""An observation is followed by a pause of so many times what it took, so that looking never takes a whole core."""
REST_SECONDS = 5.0
"""After a fault of the runtime or the database, before trying the same again."""

CHANGING = frozenset({Phase.STARTING, Phase.STOPPING}) | FINAL


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class Controller:
    """Brings what runs in line with what is wanted, look by look. Use it from one thread."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        policy: Policy,
        executor: Executor,
        secrets: Secrets | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._runtime = runtime
        self._policy = policy
        self._executor = executor
        self._secrets = secrets
        self._now = now
        self._records: dict[str, Record] = {}
        self._memories: dict[str, Memory] = {}
        self._seen: dict[str, Observation] = {}
        self._strays: set[str] = set()
        self._resting: dict[str, datetime] = {}
        self._returned: SimpleQueue[tuple[str, Step, Future[None]]] = SimpleQueue()
        self._sampler = Sampler(policy)

    def run(
        self,
        until: Event,
        *,
        interval: float,
        before: Callable[[], None] = lambda: None,
        after: Callable[[], None] = lambda: None,
        blind: Callable[[str], None] = lambda _why: None,
    ) -> None:
        """Look again and again until told to end; workloads keep running.

        `before` comes before each look and may raise to end this; `after` follows it while the runtime can be observed,
        and `blind` hears why it can't.
        """
        looked, cost, rest_until = float("-inf"), 0.0, 0.0
        observed = False
        while not until.is_set():
            began = time.monotonic()
            pause = interval
            before()
            try:
                # Asked anew each time: what a glance has started is not to wait as if all were idle.
                if began >= max(rest_until, looked + max(self.patience(interval), SHARE_FOR_LOOKS * cost)):
                    self.look()
                    observed = True
                    looked = time.monotonic()
                    cost = looked - began
                else:
                    self.glance()
                if observed:
                    after()
            except RuntimeFault as fault:
                logger.warning("The runtime can't be observed: %s", fault)
                blind(str(fault))
                observed = False
                rest_until = time.monotonic() + REST_SECONDS
            except DatabaseError:
                logger.exception("The database did not answer; trying again")
                close_old_connections()
                pause = REST_SECONDS
            until.wait(max(0.0, pause - (time.monotonic() - began)))

    def patience(self, interval: float) -> float:
        """Say how many seconds may pass until the next observation, given what is at work."""
        if self._strays or any(one.phase in CHANGING for one in self._records.values()):
            return interval
        return STEADY_SECONDS if self._records else IDLE_SECONDS

    def glance(self) -> None:
        """Start what waits and stop what is to stop, without asking the runtime: one cheap SELECT."""
        self._collect()
        self._learn(
            Workload.objects.filter(forgotten=False).filter(
                Q(phase=Phase.QUEUED) | Q(desired=Desired.STOP, phase__in=(Phase.STARTING, Phase.RUNNING))
            )
        )
        now = self._now()
        for record in list(self._records.values()):
            if record.phase is Phase.QUEUED or (
                record.desired is Desired.STOP and record.phase in (Phase.STARTING, Phase.RUNNING)
            ):
                self._settle(record, self._seen.get(record.id), now)

    def look(self) -> None:
        """Compare everything wanted with everything that the runtime reports, and take each one step further."""
        self._collect()
        present = self._learn(Workload.objects.filter(forgotten=False).exclude(held=True, phase__in=FINAL))
        for gone in self._records.keys() - present:
            self._drop(gone)
        seen = self._runtime.observe()
        now = self._now()
        self._seen = seen
        for record in list(self._records.values()):
            observation = seen.get(record.id)
            memory = self._memories[record.id]
            if observation is None or memory.missing_since is not None:
                self._memories[record.id] = reconcile.look_at(memory, observation, now)
            self._settle(record, observation, now)
        self._end_strays(seen, now)
        for samples in _chunks(self._sampler.due()):
            actions.save_samples(by=actions.CONTROLLER, samples=samples)
        self._collect()

    def _learn(self, found: QuerySet[Workload]) -> set[str]:
        """Bring the records up to date; only rows that changed are read whole. Return the ids that there are."""
        rows = found.values_list("pk", "phase", "desired")
        ids, changed = set(), []
        for workload_id, phase, desired in rows:
            ids.add(workload_id)
            known = self._records.get(workload_id)
            if known is None or known.phase != phase or known.desired != desired:
                changed.append(workload_id)
        now = self._now()
        columns = ("pk", "kind", "desired", "phase", "address", "trouble", "stop_reason")
        times = ("started_at", "ready_at", "spec__deadline_seconds")
        for some in _chunks(changed):
            for row in Workload.objects.filter(pk__in=some).values(*columns, *times):
                pk, deadline = row.pop("pk"), row.pop("spec__deadline_seconds")
                kind, desired, phase = Kind(row.pop("kind")), Desired(row.pop("desired")), Phase(row.pop("phase"))
                self._records[pk] = Record(pk, kind, desired, phase, **row)
                if pk not in self._memories:
                    self._memories[pk] = Memory(first_seen_at=now, deadline_seconds=deadline)
                self._strays.discard(pk)
        return ids

    def _drop(self, workload_id: str) -> None:
        self._records.pop(workload_id, None)
        self._memories.pop(workload_id, None)
        self._resting.pop(workload_id, None)
        self._sampler.drop(workload_id)

    def _settle(self, record: Record, observation: Observation | None, now: datetime) -> None:
        steps = reconcile.decide(record, self._memories[record.id], observation, now, self._policy)
        for step in steps:
            if not self._take(record, step, now):
                return

    def _end_strays(self, seen: dict[str, Observation], now: datetime) -> None:
        """End what runs without being wanted: started for a workload that is gone, or seen after it was forgotten."""
        candidates = seen.keys() - self._records.keys()
        for some in _chunks(sorted(candidates)):
            wanted = set(Workload.objects.filter(pk__in=some, forgotten=False).values_list("pk", flat=True))
            candidates -= wanted
        for gone in self._strays - candidates:
            self._drop(gone)
        self._strays = set(candidates)
        for workload_id in candidates:
            memory = self._memories.setdefault(workload_id, Memory(first_seen_at=now))
            for step in reconcile.decide_stray(memory, seen[workload_id], now, self._policy):
                logger.warning("%s runs and nobody wants it: %s", workload_id, step)
                self._call(workload_id, step, now)

    def _take(self, record: Record, step: Step, now: datetime) -> bool:
        """Take one step; False if the table has moved on, so that the steps after it are not for now."""
        if isinstance(step, reconcile.MarkPhase):
            return self._mark(record, step, now)
        if isinstance(step, reconcile.SaveObservation):
            self._sampler.add(record.id, step.observation, step.address, now)
            if step.address:
                self._records[record.id] = replace(record, address=step.address)
            return True
        if isinstance(step, reconcile.Note):
            return self._note(record, step)
        self._call(record.id, step, now)
        return True

    def _note(self, record: Record, step: reconcile.Note) -> bool:
        noted = actions.explain(
            by=actions.CONTROLLER,
            workload_id=record.id,
            expected=record.phase,
            reason=step.reason,
            trouble=step.trouble,
        )
        if noted:
            self._records[record.id] = replace(self._records[record.id], trouble=step.trouble)
        return noted

    def _mark(self, record: Record, step: reconcile.MarkPhase, now: datetime) -> bool:
        changed = actions.change_phase(
            by=actions.CONTROLLER,
            workload_id=record.id,
            expected=record.phase,
            phase=step.phase,
            reason=step.reason,
            at=now,
            address=step.address,
            exit_code=step.exit_code,
            trouble=step.trouble,
        )
        if changed:
            started_at = now if step.phase is Phase.STARTING else record.started_at
            ready_at = now if step.phase is Phase.RUNNING else record.ready_at
            self._records[record.id] = replace(
                record,
                phase=step.phase,
                address=step.address,
                trouble=step.trouble,
                started_at=started_at,
                ready_at=ready_at,
            )
        else:
            self._records.pop(record.id, None)  # read it anew at the next look
        return changed

    def _call(self, workload_id: str, step: Step, now: datetime) -> None:
        """Have the runtime start, stop or remove a workload, on the pool."""
        if self._resting.get(workload_id, now) > now:
            return
        memory = replace(self._memories[workload_id], calling_since=now)
        if isinstance(step, reconcile.Stop):
            memory = replace(memory, stop_asked_at=now)
        self._memories[workload_id] = memory
        future = self._executor.submit(self._work(workload_id, step))
        future.add_done_callback(lambda done: self._returned.put((workload_id, step, done)))

    def _work(self, workload_id: str, step: Step) -> Callable[[], None]:
        runtime, grace = self._runtime, self._policy.stop_grace
        if isinstance(step, reconcile.Start):
            try:
                spec = _read_spec(workload_id)
                secrets = dict(self._secrets(spec)) if self._secrets else {}
            except Exception as error:  # noqa: BLE001  whatever hinders this start is told as its reason
                return _raising(error)
            return lambda: runtime.start(spec, secrets)
        if isinstance(step, reconcile.Stop):
            return lambda: runtime.stop(workload_id, grace)

        def remove() -> None:
            if isinstance(step, reconcile.Forget) and step.stop_first:
                runtime.stop(workload_id, 0)
            runtime.forget(workload_id)

        return remove

    def _collect(self) -> None:
        """Take in what the calls to the runtime came to since the last time."""
        now = self._now()
        forgotten = []
        for workload_id, step, done in _drain(self._returned):
            memory = self._memories.get(workload_id)
            if memory is None:
                continue
            memory = self._memories[workload_id] = replace(memory, calling_since=None)
            error = done.exception()
            if isinstance(step, reconcile.Start):
                self._started(workload_id, memory, error, now)
            elif error is not None:
                logger.warning("%s: %s did not work and is tried again: %s", workload_id, step, error)
                self._resting[workload_id] = datetime.fromtimestamp(now.timestamp() + REST_SECONDS, tz=UTC)
            elif isinstance(step, reconcile.Forget):
                forgotten.append(workload_id)
        for some in _chunks(forgotten):
            actions.mark_forgotten(by=actions.CONTROLLER, workload_ids=some)
            for workload_id in some:
                self._drop(workload_id)

    def _started(self, workload_id: str, memory: Memory, error: BaseException | None, now: datetime) -> None:
        if error is None:
            self._memories[workload_id] = replace(memory, start_returned_at=now, missing_since=None, missing_looks=0)
            return
        record = self._records.get(workload_id)
        if record is None or record.phase is not Phase.STARTING:
            return
        if not isinstance(error, RuntimeFault):
            logger.error("%s could not be started", workload_id, exc_info=error)
            error = RuntimeFault(f"The platform failed: {error}", retry=not isinstance(error, KeyError | TypeError))
        memory, wait = reconcile.after_fault(memory, now, self._policy)
        self._memories[workload_id] = memory
        if not error.retry or wait is None:
            failed = reconcile.MarkPhase(Phase.FAILED, f"It could not be started. {error}", trouble=error.trouble)
            self._mark(record, failed, now)
            return
        actions.explain(
            by=actions.CONTROLLER,
            workload_id=workload_id,
            expected=Phase.STARTING,
            reason=f"Not started yet: {error} Trying again in {wait:g} s.",
            trouble=error.trouble,
        )


def _read_spec(workload_id: str) -> WorkloadSpec:
    return WorkloadSpec.from_json(Workload.objects.values_list("spec", flat=True).get(pk=workload_id))


def _raising(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def _chunks(items: list[T]) -> Iterator[list[T]]:
    for at in range(0, len(items), CHUNK):
        yield items[at : at + CHUNK]


def _drain(queue: SimpleQueue[T]) -> Iterator[T]:
    while True:
        try:
            yield queue.get_nowait()
        except Empty:
            return
