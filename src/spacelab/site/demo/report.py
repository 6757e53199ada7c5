"""What the demo found: its steps with their times, and whether all of it held."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


class DemoError(Exception):
    """A step of the demo did not hold; the message says which and why."""


@dataclass
class Step:
    """One step: what was done, what came of it, and how long it took in seconds."""

    name: str
    seconds: float = 0.0
    outcome: str = ""
    held: bool = False


@dataclass
class Report:
    """All steps of one demo."""

    steps: list[Step] = field(default_factory=list)
    phases: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step; an exception inside marks it as not held and goes on upwards."""
        step = Step(name)
        self.steps.append(step)
        started = time.monotonic()
        try:
            yield step
            step.held = True
        except Exception as error:
            step.outcome = str(error) or repr(error)
            raise
        finally:
            step.seconds = time.monotonic() - started

    @property
    def held(self) -> bool:
        """Whether every step held, and there was at least one."""
        return bool(self.steps) and all(step.held for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON data; times in seconds."""
        return {
            "held": self.held,
            "seconds": round(sum(step.seconds for step in self.steps), 3),
            "steps": [
                {"name": step.name, "seconds": round(step.seconds, 3), "outcome": step.outcome, "held": step.held}
                for step in self.steps
            ],
            "phases": self.phases,
        }

    def summary(self) -> str:
        """Return the one line that comes last."""
        total = sum(step.seconds for step in self.steps)
        held = sum(step.held for step in self.steps)
        failed = next((f" at “{step.name}”" for step in self.steps if not step.held), "")
        verdict = "the main job works" if self.held else f"FAILED{failed}"
        return f"spacelab demo: {held}/{len(self.steps)} steps held in {total:.1f} s: {verdict}"
