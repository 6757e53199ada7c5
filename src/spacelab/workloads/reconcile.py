"""What the controller does next with one workload: a plain decision from what is wanted, what is recorded and seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from spacelab.workloads.rules import FINAL, Desired, Kind, Observation, Phase, Seen, Trouble

LOG_HINT = "The end of its log says more."


@dataclass(frozen=True)
class Policy:
    """How patient the controller is, in seconds where not said otherwise."""

    start_timeout: float = 120.0
    """From the start, or from when this controller first saw it, to an interface that answers."""
    stop_grace: float = 10.0
    """From asking an application to end to ending it by force."""
    stop_again: float = 15.0
    """Between two requests to stop, should the first have been lost."""
    lost_after: float = 8.0
    """A workload must be missing for that long,"""
    lost_looks: int = 4
    """and in as many observations, before it counts as gone: one report may be late or incomplete."""
    retry_first: float = 1.0
    retry_longest: float = 30.0
    """Between two tries to start: the first wait, doubled up to the longest."""
    retry_for: float = 600.0
    """After which a start that the runtime keeps putting off has failed."""
    sample_every: float = 5.0
    """Between two writes of what a workload uses."""
    active_share: float = 0.05
    """Of one core: a workload that used more since the last sample counts as active."""


@dataclass(frozen=True)
class Record:
    """What the table says of a workload."""

    id: str
    kind: Kind
    desired: Desired
    phase: Phase
    address: str = ""
    trouble: str = ""
    stop_reason: str = ""
    started_at: datetime | None = None
    ready_at: datetime | None = None


@dataclass(frozen=True)
class Memory:
    """What the controller remembers of a workload between two looks; it can do without after a crash."""

    first_seen_at: datetime
    deadline_seconds: int | None = None
    start_returned_at: datetime | None = None
    """When the runtime said that it had started the workload."""
    tries: int = 0
    first_try_at: datetime | None = None
    next_try_at: datetime | None = None
    missing_since: datetime | None = None
    missing_looks: int = 0
    stop_asked_at: datetime | None = None
    calling_since: datetime | None = None
    """When a call to the runtime about this workload began that has not returned yet; then no other is made."""


@dataclass(frozen=True)
class Start:
    """Ask the runtime to start the workload (again: that is harmless)."""


@dataclass(frozen=True)
class Stop:
    """Ask the runtime to end the workload."""

    grace: float


@dataclass(frozen=True)
class MarkPhase:
    """Record a change of phase."""

    phase: Phase
    reason: str
    address: str = ""
    exit_code: int | None = None
    trouble: str = ""


@dataclass(frozen=True)
class SaveObservation:
    """Save what the workload uses, if enough time has passed, and its address, if that has changed."""

    observation: Observation
    address: str = ""


@dataclass(frozen=True)
class Note:
    """Record what goes wrong, or no longer does, with a workload that goes on."""

    reason: str
    trouble: str


@dataclass(frozen=True)
class Forget:
    """Have the runtime remove what is left, and record that. `stop_first` where its end was never seen."""

    stop_first: bool = False


Step = Start | Stop | MarkPhase | SaveObservation | Note | Forget


def look_at(memory: Memory, observation: Observation | None, now: datetime) -> Memory:
    """Return the memory after one more observation, in which the workload appeared or (None) did not."""
    if observation is not None:
        return replace(memory, missing_since=None, missing_looks=0)
    return replace(memory, missing_since=memory.missing_since or now, missing_looks=memory.missing_looks + 1)


def after_fault(memory: Memory, now: datetime, policy: Policy) -> tuple[Memory, float | None]:
    """Return the memory after a start that is worth another try, and the seconds until then; None: no more tries."""
    first = memory.first_try_at or now
    if _seconds(first, now) >= policy.retry_for:
        return memory, None
    wait = min(policy.retry_longest, policy.retry_first * 2**memory.tries)
    at = datetime.fromtimestamp(now.timestamp() + wait, tz=now.tzinfo)
    return replace(memory, tries=memory.tries + 1, first_try_at=first, next_try_at=at), wait


def decide(
    record: Record, memory: Memory, observation: Observation | None, now: datetime, policy: Policy
) -> tuple[Step, ...]:
    """Say what to do now. Asked again with the same arguments it says the same; each step may be lost or repeated."""
    if record.phase in FINAL:
        return _clear_up(memory, observation, now, policy)
    if record.phase is Phase.QUEUED:
        if record.desired is Desired.STOP:
            return (MarkPhase(Phase.STOPPED, f"Stopped before it was started: {_why(record)}"),)
        return (MarkPhase(Phase.STARTING, "Being started."), *_unless_calling(memory, Start()))
    if observation is not None and observation.seen is Seen.EXITED:
        return (_ended(record, observation),)
    return _alive(record, memory, observation, now, policy)


def decide_stray(memory: Memory, observation: Observation | None, now: datetime, policy: Policy) -> tuple[Step, ...]:
    """Say what to do with a workload that the runtime reports and nobody wants: end it and have it forgotten."""
    return _clear_up(memory, observation, now, policy) if observation is not None else ()


def _alive(
    record: Record, memory: Memory, observation: Observation | None, now: datetime, policy: Policy
) -> tuple[Step, ...]:
    if record.phase is Phase.STOPPING:
        gone = _is_gone(memory, policy, now)
        return (MarkPhase(Phase.STOPPED, f"Stopped: {_why(record)}"),) if gone else _stop(memory, now, policy)
    if record.desired is Desired.STOP:
        return (MarkPhase(Phase.STOPPING, f"Stopping: {_why(record)}"), *_stop(memory, now, policy))
    if _is_past_deadline(record, memory, now):
        return _at_deadline(record, memory, now, policy)
    if record.phase is Phase.STARTING:
        return _starting(record, memory, observation, now, policy)
    return _running(record, memory, observation, now, policy)


def _starting(
    record: Record, memory: Memory, observation: Observation | None, now: datetime, policy: Policy
) -> tuple[Step, ...]:
    if observation is not None and observation.seen is Seen.RUNNING:
        reason = "Ready." if record.kind is Kind.INTERACTIVE else "Running."
        return (MarkPhase(Phase.RUNNING, reason, observation.address),)
    if observation is None and memory.start_returned_at is None:
        if memory.calling_since is not None and _seconds(memory.calling_since, now) >= policy.start_timeout:
            return (MarkPhase(Phase.FAILED, f"The runtime did not start it within {policy.start_timeout:g} s."),)
        due = memory.next_try_at is None or now >= memory.next_try_at
        return _unless_calling(memory, Start()) if due else ()
    if observation is None and _is_gone(memory, policy, now):
        reason = f"It was lost while it started: the runtime no longer knows it. {LOG_HINT}"
        return (MarkPhase(Phase.FAILED, reason, trouble=Trouble.LOST),)
    waited = _seconds(memory.start_returned_at or memory.first_seen_at, now)
    if waited >= policy.start_timeout:
        reason = f"It did not answer within {policy.start_timeout:g} s of its start. {LOG_HINT}"
        return (MarkPhase(Phase.FAILED, reason, trouble=Trouble.UNANSWERED), *_stop(memory, now, policy))
    return ()


def _running(
    record: Record, memory: Memory, observation: Observation | None, now: datetime, policy: Policy
) -> tuple[Step, ...]:
    if observation is not None:
        moved = observation.address if observation.address != record.address else ""
        if observation.seen is not Seen.RUNNING:
            return ()
        noted = (Note(observation.reason, observation.trouble),) if observation.trouble != record.trouble else ()
        return (SaveObservation(observation, moved), *noted)
    if _is_gone(memory, policy, now):
        reason = "It was lost: the runtime no longer knows it. Was its machine restarted?"
        return (MarkPhase(Phase.FAILED, reason, trouble=Trouble.LOST),)
    return ()


def _ended(record: Record, observation: Observation) -> MarkPhase:
    code = observation.exit_code
    told = observation.reason.strip()
    if record.phase is Phase.STOPPING or (record.desired is Desired.STOP and code != 0):
        return MarkPhase(Phase.STOPPED, f"Stopped: {_why(record)}", exit_code=code)
    how = told or (f"It ended with exit code {code}." if code is not None else "It ended, nobody knows how.")
    if record.kind is Kind.BATCH:
        if code == 0:
            return MarkPhase(Phase.SUCCEEDED, told or "Finished.", exit_code=code)
        return MarkPhase(Phase.FAILED, f"{how} {LOG_HINT}", exit_code=code, trouble=observation.trouble)
    if record.phase is Phase.STARTING and record.desired is Desired.RUN:
        trouble = observation.trouble or Trouble.CRASHED
        why = how if how.endswith("the log says more.") else f"It ended before it answered. {how} {LOG_HINT}"
        return MarkPhase(Phase.FAILED, why, exit_code=code, trouble=trouble)
    if code == 0:
        return MarkPhase(Phase.STOPPED, told or "The application ended by itself.", exit_code=code)
    return MarkPhase(Phase.FAILED, f"{how} {LOG_HINT}", exit_code=code, trouble=observation.trouble)


def _at_deadline(record: Record, memory: Memory, now: datetime, policy: Policy) -> tuple[Step, ...]:
    reason = f"It reached its time limit of {memory.deadline_seconds} s."
    phase = Phase.FAILED if record.kind is Kind.BATCH else Phase.STOPPING
    return (MarkPhase(phase, reason), *_stop(memory, now, policy))


def _clear_up(memory: Memory, observation: Observation | None, now: datetime, policy: Policy) -> tuple[Step, ...]:
    """After the end: stop what still runs, forget what has ended."""
    if observation is not None and observation.seen is Seen.EXITED:
        return _unless_calling(memory, Forget())
    if observation is not None:
        return _stop(memory, now, policy)
    return _unless_calling(memory, Forget(stop_first=True)) if _is_gone(memory, policy, now) else ()


def _stop(memory: Memory, now: datetime, policy: Policy) -> tuple[Step, ...]:
    asked = memory.stop_asked_at
    if asked is not None and _seconds(asked, now) < policy.stop_again:
        return ()
    return _unless_calling(memory, Stop(policy.stop_grace))


def _unless_calling(memory: Memory, step: Step) -> tuple[Step, ...]:
    return () if memory.calling_since is not None else (step,)


def _is_gone(memory: Memory, policy: Policy, now: datetime) -> bool:
    since = memory.missing_since
    return (
        memory.calling_since is None
        and since is not None
        and memory.missing_looks >= policy.lost_looks
        and _seconds(since, now) >= policy.lost_after
    )


def _is_past_deadline(record: Record, memory: Memory, now: datetime) -> bool:
    began = record.ready_at or record.started_at
    limit = memory.deadline_seconds
    return limit is not None and began is not None and _seconds(began, now) >= limit


def _why(record: Record) -> str:
    return record.stop_reason or "it was no longer wanted."


def _seconds(since: datetime, now: datetime) -> float:
    return (now - since).total_seconds()
