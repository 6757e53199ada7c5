"""The folder through which the runtime and a workload's supervisor know of each other.

It outlives every program: who looks at it after a crash sees the same as before.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM
from socket import socket as Socket  # noqa: N812  `socket` is a property here
from typing import Any

from spacelab.workloads.runtimes.shared.folder import WorkloadFolder

CLAIM_PATIENCE = 0.2
"""Seconds to wait for another `start` or `forget` of the same workload."""

END_PATIENCE = 1.0
"""Seconds that a supervisor has to be gone after it reported the end of its workload."""


@dataclass(frozen=True)
class ControlFolder(WorkloadFolder):
    """What lies in `<run directory>/<id>/`: spec.json, state.json, main.sock, log, and the way to give orders."""

    @property
    def socket(self) -> Path:
        """Where the workload's interface answers."""
        return self.path / "main.sock"

    def state(self) -> dict[str, Any]:
        """Return what the supervisor last reported: phase, exit_code, reason, at (seconds since 1970)."""
        return self.read("state.json")

    @contextlib.contextmanager
    def claim(self, *, ending: bool = False) -> Iterator[int | None]:
        """Yield the lock's descriptor, or None when somebody else holds the folder.

        A start hands the descriptor on to the supervisor, so that the folder stays claimed as long as that lives.
        With `ending`, a supervisor that has reported the end gets a moment to be gone.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield descriptor if self._lock(descriptor, ending=ending) else None
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int, *, ending: bool) -> bool:
        deadline = time.monotonic() + (END_PATIENCE if ending else CLAIM_PATIENCE)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline or (self.alive() and not ending):
                    return False
                time.sleep(0.01)
            else:
                return os.fstat(descriptor).st_nlink > 0  # else forgotten meanwhile

    def open_control(self) -> int:
        """Open the channel for orders; whoever holds it counts as alive."""
        path = self.path / "control"
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        return os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def alive(self) -> bool:
        """Say whether a supervisor lives, or a start is under way; no pid that may be another's by now is asked."""
        return self.order("")

    def order(self, text: str) -> bool:
        """Send an order to the supervisor; return whether there is one."""
        try:
            descriptor = os.open(self.path / "control", os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in {errno.ENXIO, errno.ENOENT, errno.ENOTDIR}:
                return False
            raise
        try:
            if text:
                os.write(descriptor, text.encode())
        except BrokenPipeError:  # it ended between the two
            return False
        finally:
            os.close(descriptor)
        return True

    def pid(self) -> int | None:
        """Return the supervisor's pid on the host, as the sandbox or the supervisor itself told it."""
        pid = self.read("process.json").get("child-pid") or self.state().get("pid")
        return int(pid) if pid and int(pid) > 1 else None

    def kill(self) -> None:
        """End the supervisor by force; in a sandbox everything else goes with it."""
        pid = self.pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                if self.alive():  # asked after the pidfd was opened, so the pid can't be somebody else's
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)

    def listen(self) -> Socket:
        """Bind the interface's socket; only the platform's own user can reach into the folder."""
        self.socket.unlink(missing_ok=True)
        listener = Socket(AF_UNIX, SOCK_STREAM)
        listener.bind(str(self.socket))
        listener.listen(128)
        return listener
