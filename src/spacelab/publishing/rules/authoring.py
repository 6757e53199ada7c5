"""What authoring pages say of states and steps, whatever is written."""

from __future__ import annotations

from spacelab.publishing.rules.lifecycle import State

STEPS_OF_THE_HEAD = frozenset({"submit", "withdraw", "publish", "archive", "reinstate"})
"""Transitions with a button on every authoring page; the others have a page of their own."""
NOT_BY_THEMSELVES = {
    "build": "Use the page of its files.",
    "edit": "Use the page of its files.",
    "test": "Use the page of its tests.",
    "approve": "Use the review's page, with its checklist.",
}
"""Transitions that mean nothing without what goes with them, and where they are made."""
TONES = {
    State.BUILDING: "busy",
    State.TESTING: "busy",
    State.SUBMITTED: "busy",
    State.IN_REVIEW: "busy",
    State.BUILD_FAILED: "bad",
    State.REJECTED: "bad",
    State.CHANGES_REQUESTED: "warn",
    State.APPROVED: "ok",
    State.BUILT: "ok",
    State.PUBLISHED: "ok",
}


def tone_of(state: State) -> str:
    """Return the tone of a state's badge."""
    return TONES.get(state, "quiet")
