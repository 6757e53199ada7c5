"""How a container ended, told for a person: by itself, by a signal, for lack of memory, on request, from outside."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from spacelab.workloads.rules import Trouble, WorkloadSpec

SIGNAL_BASE = 128
NOT_FOUND, NOT_EXECUTABLE = 127, 126
KILLED = SIGNAL_BASE + signal.SIGKILL


@dataclass(frozen=True)
class End:
    """The end of an application: exit code, 128 and the number for a signal; a reason; a `Trouble` or nothing."""

    exit_code: int
    reason: str
    trouble: str = ""


@dataclass(frozen=True)
class Circumstances:
    """What is known of an end."""

    exit_code: int
    seconds: float
    """How long it ran."""
    stopped: str = ""
    """Why it was asked to end, if it was."""
    trouble: str = ""
    """The `Trouble` for which the platform ended it, if it did."""
    out_of_memory: bool = False
    not_started: str = ""
    """Why enter.sh could not start the application."""
    ready: bool = True
    """Whether its interface had answered; true where it has none."""


def end_of(spec: WorkloadSpec | None, how: Circumstances) -> End:
    """Tell an end."""
    code = how.exit_code
    if how.stopped:
        return End(code, how.stopped, how.trouble)
    if code == 0:
        return End(0, "It finished.")
    if how.out_of_memory and code == KILLED:
        memory = f"{spec.resources.memory_mb} MiB of" if spec else ""
        reason = f"It used more than its {memory} memory, so the system ended it."
        return End(code, _unanswered(reason, how), Trouble.OUT_OF_MEMORY)
    if code in {NOT_FOUND, NOT_EXECUTABLE} and how.not_started:
        return End(code, how.not_started)
    if code > SIGNAL_BASE and code - SIGNAL_BASE in set(signal.Signals):
        reason = f"It was ended by {signal.Signals(code - SIGNAL_BASE).name} after {how.seconds:.1f} s."
    else:
        reason = f"It ended by itself with exit code {code} after {how.seconds:.1f} s."
    if how.out_of_memory:
        reason += " One of its processes had used up the memory, and the system had ended that."
    return End(code, _unanswered(reason, how), Trouble.OUT_OF_MEMORY if how.out_of_memory else "")


def _unanswered(reason: str, how: Circumstances) -> str:
    return reason if how.ready else f"{reason} Its interface had not answered by then; the log says more."


REMOVED = End(KILLED, "Its container was removed from outside the platform.")
UNSEEN = End(KILLED, "It ended while the container engine was away; how is not known.")
CUT_OFF = "The platform's part of it ended, so it could not be reached any more."
"""Why an application is ended whose companion is gone."""
DISK_FULL = "It wrote more than its {} MiB of scratch outside /scratch, on the platform's own disk, so it was ended."
"""Why an application is ended whose root file system grows beyond its scratch."""
FORCED = End(KILLED, "It was ended by force, or with the machine it ran on.")
