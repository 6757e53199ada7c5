"""How WES calls the states of runs."""

from __future__ import annotations

from typing import Any

import pytest

from spacelab.runs.rules import JobState, State
from spacelab.runs.wes import rules
from spacelab.runs.wes.rules import WesState


@pytest.mark.parametrize(
    ("state", "more", "expected"),
    [
        (State.QUEUED, {}, WesState.QUEUED),
        (State.QUEUED, {"begun": True}, WesState.INITIALIZING),
        (State.RUNNING, {}, WesState.RUNNING),
        (State.RUNNING, {"stopping": True}, WesState.CANCELING),
        (State.PAUSED, {}, WesState.PAUSED),
        (State.SUCCEEDED, {"stopping": True}, WesState.COMPLETE),
        (State.FAILED, {"jobs": {JobState.FAILED: 1}}, WesState.EXECUTOR_ERROR),
        (State.FAILED, {}, WesState.SYSTEM_ERROR),
        (State.CANCELLED, {}, WesState.CANCELED),
        (State.INTERRUPTED, {"trouble": "runtime-away"}, WesState.PREEMPTED),
        (State.INTERRUPTED, {"trouble": "disk-full"}, WesState.SYSTEM_ERROR),
        ("odd", {}, WesState.UNKNOWN),
    ],
    ids=range(12),
)
def test_states_are_mapped_truly(state: str, more: dict[str, Any], expected: WesState) -> None:
    given = {"begun": False, "stopping": False, "jobs": {}, "trouble": "", **more}
    assert rules.state_of(state, **given) is expected
