"""The events of a run: one JSON object a line, appended, so that a later attempt goes on in the same file.

Who follows a run reads `events.jsonl` from where it stopped; every line ends with a newline or is still being
written. Every event has `at` (seconds since 1970), `event` and `attempt`; the README lists the rest.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Protocol

from cwl_runner.stand_in import told

LONGEST = 65_536
"""Characters of an event, and of a text in it: what is longer is cut, and says so."""
LONGEST_END = 4 * 2**20
"""Characters of the event that ends a run: it holds the outputs, which nobody tells again."""


def wait_for_leave() -> None:
    """Return at once: a run may begin. Whoever forks a process for a run may put another function here.

    It is called before each event, and nothing is told, started or delivered before the first.
    """


class Listener(Protocol):
    """Takes events."""

    def emit(self, event: str, **facts: Any) -> None:
        """Take one event."""


class EventFile:
    """Appends events to a file; each reaches the kernel at once, so a killed run loses none."""

    def __init__(self, path: Path) -> None:
        self.attempt = _attempts(path) + 1
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        if _torn(path):
            os.write(self._descriptor, b"\n")

    def emit(self, event: str, **facts: Any) -> None:
        """Append one event."""
        wait_for_leave()
        line = {"at": round(time.time(), 4), "event": event, "attempt": self.attempt, **facts}
        text = json.dumps(line, ensure_ascii=False, default=str)
        if len(text) > (LONGEST_END if event == "run-ended" else LONGEST):
            text = json.dumps(cut(line, LONGEST // 8), ensure_ascii=False, default=str)
        os.write(self._descriptor, f"{told(text)}\n".encode(errors="replace"))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class Silent:
    """Drops events: for the plain command line."""

    def emit(self, event: str, **facts: Any) -> None:
        """Drop one event."""


def cut(value: Any, longest: int = LONGEST) -> Any:
    """Shorten long texts and long lists inside a value."""
    if isinstance(value, str):
        return value if len(value) <= longest else f"{value[:longest]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {str(key): cut(item, longest) for key, item in list(value.items())[:1000]}
    if isinstance(value, list | tuple):
        head = [cut(item, longest) for item in value[:1000]]
        return head if len(value) <= len(head) else [*head, f"… ({len(value)} items)"]
    return value


def _attempts(path: Path) -> int:
    """Count the starts that the file tells of."""
    try:
        with path.open("rb") as lines:
            return sum(b'"event": "run-started"' in line for line in lines)
    except FileNotFoundError:
        return 0


def _torn(path: Path) -> bool:
    """Say whether the last line was cut off when its writer was killed."""
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"
