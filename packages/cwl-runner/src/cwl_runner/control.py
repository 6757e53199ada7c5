"""What reaches a running run from outside: control.json (pause, go on) and SIGTERM (cancel)."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from types import FrameType

EVERY = 0.2
"""Seconds between two looks at control.json."""


class Cancelled(BaseException):
    """The run is to end now; not an Exception, so that nothing on the way takes it for a failure."""


class Control:
    """Reads the wishes of whoever watches the run."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._looked = 0.0
        self._stamp = (0, 0, 0)
        self.paused = False
        self.cancelled = False
        self.interruptible = False
        reading, self._writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.descriptor = reading

    def listen(self) -> None:
        """Let SIGTERM and SIGINT cancel the run."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._cancel)

    def _cancel(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if not self.cancelled:
            self.cancelled = True
            os.write(self._writing, b"x")
        if self.interruptible:
            self.interruptible = False
            raise Cancelled

    def look(self) -> bool:
        """Look at control.json if it is time; say whether `paused` has changed."""
        now = time.monotonic()
        if self._path is None or now - self._looked < EVERY:
            return False
        self._looked = now
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
            if stamp == self._stamp:
                return False
            wish = json.loads(self._path.read_text())
            paused = bool(wish.get("paused")) if isinstance(wish, dict) else False
        except FileNotFoundError:
            stamp, paused = (0, 0, 0), False
        except (OSError, ValueError):
            return False  # it is being written: the next look sees it whole
        self._stamp = stamp
        changed, self.paused = paused != self.paused, paused
        return changed
