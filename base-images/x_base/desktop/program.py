"""The program of the desktop: whether it runs, and starting it again after it was closed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

RUN = "/opt/datalab-base/program.sh"
GRACE = 3.0
"""Seconds that a program has to end."""

META_FILES = ("datalab-meta.yml", "datalab-meta.yaml", "lab-meta.yml")


class Program:
    """One program and its command; `pid` is the running process, started by `start.sh` or by `start`."""

    def __init__(self, command: Sequence[str], pid: int) -> None:
        self.command = list(command)
        self.pid = pid
        self.status: int | None = None
        """How it ended: an exit status, negative for a signal; None while it runs."""

    @property
    def name(self) -> str:
        """How a person calls it: the datalab's title, else the command's name."""
        return _title(Path(os.environ.get("SPACELAB_PACKAGE", "/opt/datalab"))) or Path(self.command[0]).name

    def look(self) -> bool:
        """Notice an end of the process; return whether there was one."""
        if self.status is not None:
            return False
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, 0
        if pid == 0:
            return False
        self.status = os.waitstatus_to_exitcode(status)
        return True

    async def stop(self) -> None:
        """Ask it to end, and give it a moment to save what it has."""
        deadline = time.monotonic() + GRACE
        while self.status is None and time.monotonic() < deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            await asyncio.sleep(0.1)
            self.look()

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.status is not None:
            self.status = None
            self.pid = subprocess.Popen([RUN, *self.command], start_new_session=True).pid


def _title(package: Path) -> str:
    for name in META_FILES:
        file = package / name
        if file.is_file():
            for line in file.read_text("utf-8", "replace").splitlines():
                if line.startswith("title:"):
                    return line.partition(":")[2].strip().strip("\"'")
    return ""
