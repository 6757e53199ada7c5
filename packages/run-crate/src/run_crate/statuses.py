"""How actions ended, and how they, values and parameters point at one another."""

from __future__ import annotations

from typing import Any

from run_crate.entities import Entities, Entity


def link_values(entities: Entities, action: Entity, key: str, found: list[Entity], parameter: Entity | None) -> None:
    """Let an action point at values, and these and their parameter at each other."""
    entities.link(action, key, found)
    if parameter is not None:
        entities.link(parameter, "workExample", found)
        for value in found:
            entities.link(value, "exampleOfWork", [parameter])


def status_of(state: str, reason: str) -> dict[str, Any]:
    """Return an action's status as schema.org names it; nothing for one that hasn't ended."""
    if state in {"succeeded", "reused"}:
        return {"actionStatus": "http://schema.org/CompletedActionStatus"}
    if state in {"failed", "cancelled", "interrupted"}:
        return {"actionStatus": "http://schema.org/FailedActionStatus", "error": reason or f"It was {state}."}
    return {}
