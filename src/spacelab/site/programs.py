"""Starting, watching and ending the platform's own programs on one machine."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LARGEST_LOG = 10 * 1024 * 1024
"""Bytes of a program's log beyond which the next start moves it aside."""

LONGEST_BACKOFF = 15.0
"""Seconds: the longest wait before a program that keeps ending is started again."""

STEADY_AFTER = 30.0
"""Seconds of running after which a program's earlier crashes no longer count."""

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a child gets when its parent ends, so that nothing outlives a killed `spacelab up`."""


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Program:
    """One of the platform's programs: started again, with growing pauses, whenever it ends by itself."""

    name: str
    argv: Sequence[str]
    log: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    """Where it starts; None: where `spacelab up` was started."""
    once: bool = False
    """Whether it does its work and ends: then it is not started again."""
    process: subprocess.Popen[bytes] | None = None
    crashes: int = 0
    started_at: float = 0.0
    next_start: float = 0.0

    def start(self) -> None:
        """Start the program; what it prints goes to its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.variables},
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C reaches `spacelab up` alone, which then ends its programs in order
                preexec_fn=_die_with_parent,  # noqa: PLW1509  the parent is single-threaded
            )
        self.started_at = time.monotonic()

    def watch(self) -> str:
        """Start the program again if it ended; return a sentence for the terminal when something changed."""
        now = time.monotonic()
        if self.process is None:
            if now < self.next_start:
                return ""
            self.start()
            return f"{self.name} was started again"
        code = self.process.poll()
        if code is None:
            return ""
        if self.once:
            self.process, self.next_start = None, float("inf")
            return "" if code == 0 else f"{self.name} could not do all of its work; see {self.log}"
        self.crashes = 1 if now - self.started_at > STEADY_AFTER else self.crashes + 1
        self.next_start = now + min(0.5 * 2 ** (self.crashes - 1), LONGEST_BACKOFF)
        self.process = None
        return f"{self.name} ended ({'signal' if code < 0 else 'exit code'} {abs(code)}); see {self.log}"

    def ask_to_end(self) -> None:
        """Send the program SIGTERM."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self, grace: float) -> None:
        """Wait for the program's end, and kill it after `grace` seconds."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
