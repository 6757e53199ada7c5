"""Decisions on what is written, reviewed, published and archived: the lifecycle, and for whom a version is."""

from spacelab.publishing.rules.lifecycle import (
    DELETABLE,
    EDITABLE,
    KEPT,
    OFFERED,
    REVIEWABLE,
    RUNNABLE,
    TRANSITIONS,
    Facts,
    Need,
    State,
    Transition,
    Who,
    check,
    obstacles,
    open_to,
)
from spacelab.publishing.rules.visibility import SHARED, Viewer, Visibility, may_launch, may_see

__all__ = [
    "DELETABLE",
    "EDITABLE",
    "KEPT",
    "OFFERED",
    "REVIEWABLE",
    "RUNNABLE",
    "SHARED",
    "TRANSITIONS",
    "Facts",
    "Need",
    "State",
    "Transition",
    "Viewer",
    "Visibility",
    "Who",
    "check",
    "may_launch",
    "may_see",
    "obstacles",
    "open_to",
]
