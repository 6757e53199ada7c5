"""Writing the trail: the one function that every other action calls inside its transaction."""

from __future__ import annotations

from typing import Any, Protocol

from spacelab.audit.models import Entry


class Actor(Protocol):
    """Whoever acts: a person, or a program of the platform."""

    @property
    def audit_name(self) -> str:
        """How the trail names the actor: `person:<username>` or `system:<program>`."""


class System:
    """A program of the platform as an actor."""

    def __init__(self, program: str) -> None:
        self.audit_name = f"system:{program}"


def record(*, by: Actor, action: str, subject: str, **details: Any) -> Entry:
    """Add one line to the trail: `action` is `<domain>.<verb>`, `subject` is `<kind>:<id>`; details are plain JSON."""
    return Entry.objects.create(actor=by.audit_name, action=action, subject=subject, details=details)
