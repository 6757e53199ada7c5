"""Reads about workloads: whose they are, which are at work, how they went, and whether a controller attends to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db.models import Count, QuerySet, Sum
from django.utils.module_loading import import_string

from spacelab.accounts.models import Person
from spacelab.volumes.rules import Mount
from spacelab.workloads.models import PhaseChange, Workload
from spacelab.workloads.ports import Runtime, RuntimeFault
from spacelab.workloads.rules import FINAL, Capabilities, Phase, WorkloadSpec

CONTROLLER_MISSED_SECONDS = 10.0
"""A controller that could not look for this long counts as not at work; it looks at least every five seconds."""


@dataclass(frozen=True)
class UsageSummary:
    """What workloads use together: how many are at work, CPU seconds so far, memory and scratch in bytes now."""

    workloads: int
    cpu_seconds: float
    memory_bytes: int
    scratch_bytes: int


def at_work() -> QuerySet[Workload]:
    """List the workloads that have not ended, oldest first."""
    return Workload.objects.filter(forgotten=False).exclude(phase__in=FINAL).order_by("created_at")


def of_owner(person: Person, *, include_ended: bool = False) -> QuerySet[Workload]:
    """List a person's workloads, newest first; ended ones only where asked for."""
    found = Workload.objects.filter(owner=person).order_by("-created_at")
    return found if include_ended else found.exclude(phase__in=FINAL)


def get(workload_id: str) -> Workload | None:
    """Find a workload by its id."""
    return Workload.objects.filter(pk=workload_id).first()


def changes(workload: Workload, *, after: int = 0) -> QuerySet[PhaseChange]:
    """List a workload's changes of phase, oldest first, from the one after the change with the id `after`."""
    return PhaseChange.objects.filter(workload=workload, id__gt=after).order_by("id")


def spec_of(workload: Workload) -> WorkloadSpec:
    """Read a workload's specification."""
    return WorkloadSpec.from_json(workload.spec)


def usage(person: Person | None = None) -> UsageSummary:
    """Sum up what is at work uses, of one person or of everybody."""
    found = at_work() if person is None else at_work().filter(owner=person)
    sums = found.order_by().aggregate(
        workloads=Count("pk"), cpu=Sum("cpu_seconds"), memory=Sum("memory_bytes"), scratch=Sum("scratch_bytes")
    )
    return UsageSummary(sums["workloads"], sums["cpu"] or 0.0, sums["memory"] or 0, sums["scratch"] or 0)


def counts() -> dict[Phase, int]:
    """Count the workloads at work by phase."""
    rows = at_work().order_by().values_list("phase").annotate(number=Count("pk"))
    return {Phase(phase): number for phase, number in rows}


def heartbeat_file() -> Path:
    """Return the file that a controller touches whenever it has looked."""
    return Path(settings.SPACELAB.state) / "controller.alive"


def fault_file() -> Path:
    """Return the file that tells why a controller can't see the runtime's workloads; it is there only then."""
    return Path(settings.SPACELAB.state) / "runtime.fault"


def runtime_fault() -> str:
    """Say why the runtime can't be observed at the moment, in the runtime's words; empty when it can."""
    try:
        return fault_file().read_text().strip()
    except OSError:
        return ""


def controller_seen_at() -> datetime | None:
    """Say when a controller of this state directory last looked; None if none ever did."""
    try:
        return datetime.fromtimestamp(heartbeat_file().stat().st_mtime, tz=UTC)
    except OSError:
        return None


def controller_is_running(now: datetime | None = None) -> bool:
    """Say whether a controller has looked lately; a look in the future was before the clock was set back."""
    seen = controller_seen_at()
    return seen is not None and abs(((now or datetime.now(UTC)) - seen).total_seconds()) < CONTROLLER_MISSED_SECONDS


@cache
def _runtime_of(name: str) -> Runtime:
    made: Runtime = import_string(name)()
    return made


def runtime() -> Runtime:
    """Return this process's view of the runtime that the settings name; made once, at the first question."""
    return _runtime_of(settings.WORKLOAD_RUNTIME)


def capabilities() -> Capabilities:
    """Say what the runtime can do on this host, with the warnings that people should read."""
    return runtime().capabilities()


def seen_at(mounts: Iterable[Mount]) -> dict[str, str]:
    """Say for each target where a workload sees it: without a sandbox, at its place on the host."""
    plain = capabilities().isolation == "none"
    return {one.target: one.source if plain else one.target for one in mounts}


def lacks(*, environment: str = "", image: str = "") -> bool:
    """Say whether the runtime knows that it does not have this environment or image, so that no start can go well."""
    asked = getattr(runtime(), "lacks", None)
    try:
        return bool(asked(environment=environment, image=image)) if asked else False
    except RuntimeFault:
        return False


def ports(workload_id: str) -> list[int] | None:
    """List the ports on which a workload listens inside; None where the runtime can't tell."""
    asked = getattr(runtime(), "ports", None)
    try:
        return asked(workload_id) if asked else None
    except (OSError, RuntimeFault):
        return None


def written(workload_id: str) -> list[str] | None:
    """List what a workload wrote outside its volumes and scratch; None where the runtime can't tell."""
    asked = getattr(runtime(), "written", None)
    try:
        return asked(workload_id) if asked else None
    except (OSError, RuntimeFault):
        return None


def log_since(workload_id: str, since: int = 0) -> bytes:
    """Read what a workload printed, from byte `since` on; empty where nothing is kept of it any more."""
    try:
        return b"".join(runtime().logs(workload_id, since))
    except (OSError, KeyError):
        return b""


def log_tail(workload_id: str, limit: int = 16_384) -> str:
    """Read the last `limit` bytes that a workload printed, as text that begins with a whole line."""
    return tail_of(log_since(workload_id), limit)


def tail_of(printed: bytes, limit: int) -> str:
    """Return the last `limit` bytes of a log, as text that begins with a whole line."""
    tail = printed[-limit:]
    if len(tail) < len(printed):
        tail = tail.partition(b"\n")[2] or tail
    return tail.decode(errors="replace")
