"""For whom a version is: its author alone, named people, teams, or everybody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from spacelab.publishing.rules.lifecycle import KEPT, REVIEWABLE, RUNNABLE, State


class Visibility(StrEnum):
    """Whom a version admits beside its author."""

    PRIVATE = "private"
    PEOPLE = "people"
    TEAMS = "teams"
    EVERYBODY = "everybody"


SHARED = frozenset({Visibility.PEOPLE, Visibility.TEAMS})
"""May be tried by those named before any review: nothing is published by that."""


@dataclass(frozen=True)
class Viewer:
    """Who looks: whether she is the author, is named or in a named team, and may moderate."""

    author: bool = False
    named: bool = False
    moderator: bool = False


def may_see(state: State, visibility: Visibility, viewer: Viewer) -> bool:
    """Say whether a version exists for somebody. Moderators see what is, or was, handed to them."""
    if viewer.author:
        return True
    if viewer.moderator and state in REVIEWABLE | {State.CHANGES_REQUESTED, State.APPROVED, State.REJECTED} | KEPT:
        return True
    if visibility in SHARED:
        return viewer.named and state in RUNNABLE | KEPT
    return visibility is Visibility.EVERYBODY and state in KEPT


def may_launch(state: State, visibility: Visibility, viewer: Viewer, *, archived: bool) -> bool:
    """Say whether she may start it; `archived` says whether she may start what is in the archive."""
    if not may_see(state, visibility, viewer):
        return False
    if state is State.ARCHIVED:
        return archived or viewer.author or viewer.moderator
    return state in RUNNABLE | KEPT
