"""Every write to workloads: what the web process wants of them, and what the controller found out about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.kit.refusals import Conflict, NotFound
from spacelab.workloads.models import PhaseChange, Workload
from spacelab.workloads.rules import FINAL, NEXT_PHASES, Desired, Phase, WorkloadSpec

CONTROLLER = audit.System("controller")
"""The controller as an actor."""

LONGEST_STOP_REASON = 300
LONGEST_REASON = 1000
"""Characters that the tables hold."""


@dataclass(frozen=True)
class Sample:
    """What a workload used at a moment. `active_at` is None where nothing showed activity since the last sample."""

    workload_id: str
    cpu_seconds: float
    memory_bytes: int
    scratch_bytes: int
    active_at: datetime | None = None
    address: str = ""
    """The address to dial from now on; empty if it did not change."""


SAVE_SAMPLE = (
    "update workloads_workload set cpu_seconds = %s, memory_bytes = %s, scratch_bytes = %s, "
    "active_at = coalesce(%s, active_at), address = coalesce(nullif(%s, ''), address) "
    "where id = %s and phase in (%s, %s)"
)
"""An empty `active_at` or `address` leaves what is there."""


def submit(*, by: Person, spec: WorkloadSpec, held: bool = False) -> Workload:
    """Queue a workload; raise `Conflict` if its id is taken. Who may do that is checked by the domain that asks.

    One that is `held` keeps its log after its end until `release`.
    """
    if spec.owner != by.username:
        raise ValueError("a workload is submitted by its owner")
    try:
        with transaction.atomic():
            workload = Workload.objects.create(
                id=spec.id, owner=by, kind=spec.kind, spec=spec.to_json(), phase=Phase.QUEUED, held=held
            )
            PhaseChange.objects.create(workload=workload, phase=Phase.QUEUED, reason="Waiting to be started.")
            audit.record(by=by, action="workloads.submit", subject=f"workload:{spec.id}", kind=str(spec.kind))
    except IntegrityError as error:
        raise Conflict(f"There is a workload “{spec.id}” already.", advice="Try again.") from error
    return workload


def request_stop(*, by: audit.Actor, workload_id: str, reason: str) -> Workload:
    """Ask for a workload to end; a second request, or one after its end, changes nothing. Callers check who may."""
    with transaction.atomic():
        changed = (
            Workload.objects.filter(pk=workload_id, desired=Desired.RUN)
            .exclude(phase__in=FINAL)
            .update(desired=Desired.STOP, stop_reason=reason[:LONGEST_STOP_REASON])
        )
        if changed:
            audit.record(by=by, action="workloads.stop", subject=f"workload:{workload_id}", reason=reason)
    found = Workload.objects.filter(pk=workload_id).first()
    if found is None:
        raise NotFound("There is no such workload.", advice="It may have been removed; look at the list.")
    return found


def change_phase(
    *,
    by: audit.Actor,
    workload_id: str,
    expected: Phase,
    phase: Phase,
    reason: str,
    at: datetime,
    address: str = "",
    exit_code: int | None = None,
    trouble: str = "",
) -> bool:
    """Move a workload from `expected` to `phase`, and say whether it was still there; if not, nothing changes.

    A workload that is to stop never leaves the queue for `starting`.
    """
    if phase not in NEXT_PHASES[expected]:
        raise ValueError(f"a workload does not go from {expected} to {phase}")
    found = Workload.objects.filter(pk=workload_id, phase=expected)
    values: dict[str, Any] = {"phase": phase, "reason": reason[:LONGEST_REASON], "trouble": trouble}
    if phase is Phase.STARTING:
        found = found.filter(desired=Desired.RUN)
        values["started_at"] = at
    elif phase is Phase.RUNNING:
        values |= {"ready_at": at, "address": address, "active_at": at}
    elif phase in FINAL:
        values |= {"ended_at": at, "address": "", "exit_code": exit_code}
    with transaction.atomic():
        if not found.update(**values):
            return False
        PhaseChange.objects.create(workload_id=workload_id, phase=phase, reason=values["reason"])
        if phase in FINAL:
            audit.record(
                by=by, action="workloads.end", subject=f"workload:{workload_id}", phase=str(phase), reason=reason
            )
    return True


def explain(
    *,
    by: audit.Actor,  # noqa: ARG001  as every action
    workload_id: str,
    expected: Phase,
    reason: str,
    trouble: str = "",
) -> bool:
    """Say anew why a workload stands where it stands, such as before another try; False if it has moved on."""
    found = Workload.objects.filter(pk=workload_id, phase=expected)
    return bool(found.update(reason=reason[:LONGEST_REASON], trouble=trouble))


def save_samples(*, by: audit.Actor, samples: Sequence[Sample]) -> None:  # noqa: ARG001  as every action
    """Save what running workloads use, in one short transaction; those that have ended keep their last figures."""
    rows = [
        (
            sample.cpu_seconds,
            sample.memory_bytes,
            sample.scratch_bytes,
            connection.ops.adapt_datetimefield_value(sample.active_at) if sample.active_at else None,
            sample.address,
            sample.workload_id,
            Phase.STARTING.value,
            Phase.RUNNING.value,
        )
        for sample in samples
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(SAVE_SAMPLE, rows)  # one statement for all: PostgreSQL is not waited for at each row


def release(*, by: audit.Actor, workload_id: str) -> None:  # noqa: ARG001  as every action
    """Let go of a workload that was held: what is left of it is removed once it has ended."""
    Workload.objects.filter(pk=workload_id, held=True).update(held=False)


def mark_forgotten(*, by: audit.Actor, workload_ids: Iterable[str]) -> int:  # noqa: ARG001  as every action
    """Note that nothing is left of these ended workloads in the runtime; return how many that changed."""
    return Workload.objects.filter(pk__in=list(workload_ids), phase__in=FINAL, forgotten=False).update(forgotten=True)
