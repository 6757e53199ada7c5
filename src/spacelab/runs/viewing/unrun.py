"""Steps that an ended run never came to: that they were not run, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from spacelab.runs.rules import WAITING, JobState, State
from spacelab.runs.viewing.states import NOT_RUN, StepView

BEFORE = {
    State.FAILED: "The run failed before it could begin.",
    State.CANCELLED: "The run was stopped before it began.",
    State.INTERRUPTED: "The run was interrupted before it began.",
}
BROKEN = {
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was stopped",
    JobState.INTERRUPTED: "was interrupted",
}


def settle(steps: Sequence[StepView], needs: Mapping[str, frozenset[str]], state: str) -> list[StepView]:
    """Let steps that still wait in an ended run say that they were not run, and which step was to blame.

    `needs` names for each step those that it waits for, `state` is the run's.
    """
    if state not in BEFORE:
        return list(steps)
    known = {step.id: step for step in steps}
    return [
        replace(step, state=NOT_RUN, why=_why(step, known, needs) or BEFORE[State(state)])
        if step.state == WAITING
        else step
        for step in steps
    ]


def _why(step: StepView, known: Mapping[str, StepView], needs: Mapping[str, frozenset[str]]) -> str:
    """Name the nearest step before this one that did not end well."""
    seen: set[str] = set()
    before = sorted(needs.get(step.id, ()))
    while before:
        for one in (known[name] for name in before if name in known):
            if one.state in set(BROKEN):
                return f"It needs what “{one.title}” makes, which {BROKEN[JobState(one.state)]}."
        seen.update(before)
        before = sorted({name for one in before for name in needs.get(one, ())} - seen)
    return ""
