"""Reads what an engine says while it builds: its steps, with times, and how it ended."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from spacelab.workloads.ports import StepSeen

STEP = re.compile(r"(?:\[(\d+)/(\d+)\] )?step (\d+)/(\d+)(?: ?): (.*)", re.IGNORECASE | re.DOTALL)
"""How Podman (`[1/2] STEP 3/4: RUN x`) and Docker (`Step 3/4 : RUN x`) announce a step."""

CACHED = re.compile(r" ?---?> Using cache(?: ([0-9a-f]+))?\s*", re.IGNORECASE)
LAYER = re.compile(r" ?---?> ([0-9a-f]{11,64})\s*")
COMMIT = re.compile(r"(?:\[\d+/\d+\] )?COMMIT .*", re.DOTALL)
EXIT_STATUS = re.compile(r"(?:exit status|returned a non-zero code:) (\d+)")
LONGEST_INSTRUCTION = 500


@dataclass(frozen=True)
class Place:
    """Where the engine is: in which stage, at which of its steps, of how many."""

    stage: int = 0
    step: int = 0
    total: int = 0


class Steps:
    """The steps of one build, as far as the engine has come.

    A command of the build can print what looks like an announcement: what does not continue the count is ignored.
    """

    def __init__(self, planned: int) -> None:
        self.seen: list[StepSeen] = []
        self.layers: list[str] = []
        """What the build added to the engine's cache, oldest first: the ids of images, shortened by the engine."""
        self.image = ""
        self.error = ""
        self._planned = planned
        self._place = Place()

    def take(self, event: dict[str, Any]) -> str:
        """Take one of the engine's messages; return the text that it has for people."""
        if event.get("error"):
            self.error = str(event["error"]).strip()
            return f"{self.error}\n"
        aux = event.get("aux")
        if isinstance(aux, dict) and aux.get("ID"):
            self.image = str(aux["ID"])
        text = str(event.get("stream") or event.get("status") or "")
        self._read(text)
        return text

    def _read(self, text: str) -> None:
        line = text.strip("\n")
        if "\n" in line:
            return  # an engine announces one thing at a time
        if (found := STEP.fullmatch(line)) and self._continues(found):
            self.end()
            instruction = found[5].strip()[:LONGEST_INSTRUCTION]
            number = len(self.seen) + 1
            total = max(self._planned, number) if found[1] else self._place.total
            self.seen.append(StepSeen(number, total, instruction, time.time()))
        elif CACHED.fullmatch(line) and self.seen:
            self.seen[-1] = replace(self.seen[-1], cached=True)
        elif (found := LAYER.fullmatch(line)) and self.seen and not self.seen[-1].cached:
            self.layers.append(found[1])
        elif COMMIT.fullmatch(line) and self.seen and self._place.step == self._place.total:
            self.end()

    def _continues(self, found: re.Match[str]) -> bool:
        place = Place(int(found[1] or 1), int(found[3]), int(found[4]))
        before = self._place
        same = place.stage == before.stage and place.total == before.total and place.step == before.step + 1
        another = place.stage > before.stage and place.step == 1
        if same or another:
            self._place = place
        return same or another

    def end(self) -> None:
        """Take note that the step at work has ended."""
        if self.seen and self.seen[-1].ended_at is None:
            self.seen[-1] = replace(self.seen[-1], ended_at=time.time())

    @property
    def exit_status(self) -> int:
        """The exit status of the command that failed, as the engine tells it; 0 where it tells none."""
        found = EXIT_STATUS.search(self.error)
        return int(found[1]) if found else 0

    def to_json(self) -> str:
        """Return the steps as JSON, for `steps_from`."""
        return json.dumps({"steps": [asdict(one) for one in self.seen]})


def steps_from(data: dict[str, Any]) -> list[StepSeen]:
    """Read back what `Steps.to_json` made; nothing from anything else."""
    try:
        return [StepSeen(**one) for one in data.get("steps", [])]
    except TypeError:
        return []
