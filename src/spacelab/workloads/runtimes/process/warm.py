"""Keeps a preloaded coordinator, which saves a pipeline run the second and a half of loading one."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.runtimes.process import sandbox
from spacelab.workloads.runtimes.process.options import Options
from spacelab.workloads.runtimes.shared import pipelines
from spacelab.workloads.runtimes.shared.places import INSIDE

logger = logging.getLogger(__name__)

F_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE

AGAIN_AFTER, LONGEST_PAUSE = 30.0, 3600.0
"""Seconds after which one that ended is replaced; doubled each time that one did not even get ready."""


class Preloaded:
    """The parent of warm starts: a child of this process, which ends with it and is made anew by the next."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._ready = False
        self._began_at = 0.0
        self._pause = AGAIN_AFTER

    def begin(self) -> None:
        """Have one loaded unless that is so; returns at once, and never raises: without one, runs start cold."""
        if not self._options.warm:
            return
        with self._lock:
            if self._process and self._process.poll() is None:
                return
            if self._began_at and time.monotonic() - self._began_at < self._pause:
                return
            self._mourn()
            self._drop()
            self._began_at = time.monotonic()
            try:
                self._begin()
            except (OSError, RuntimeFault):
                logger.warning("no coordinator could be preloaded; pipeline runs start cold", exc_info=True)

    def _mourn(self) -> None:
        """Say why the last one did not get ready, and wait longer for the next; one that was ready just ended."""
        if self._process is None or self._is_ready(alive=False):
            self._pause = AGAIN_AFTER
            return
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        said = self._log.read_text(errors="replace").strip()[-500:] if self._log.exists() else ""
        logger.warning("the coordinator could not be preloaded; pipeline runs start cold: %s", said)

    @property
    def _log(self) -> Path:
        return self._options.run_directory / ".preloaded.log"

    def _begin(self) -> None:
        software = pipelines.software()
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as stack:
            stack.enter_context(its)
            self._options.run_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            log = stack.enter_context(self._log.open("wb"))
            moves = (software.packages, software.runner.parent, sandbox.PACKAGES, sandbox.RUNNER)
            program = [str(self._options.python), "-I", "-S", str(INSIDE / "preloaded.py")]
            self._process = subprocess.Popen(
                [*program, *map(str, moves), str(its.fileno())],
                executable=self._executable(stack),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                pass_fds=[its.fileno()],
                start_new_session=True,
            )
        mine.setblocking(False)
        self._socket = mine

    def _executable(self, stack: contextlib.ExitStack) -> str:
        """Name the interpreter's program: a sealed copy where a workload's user could write to the real one.

        A process that entered a sandbox still shows its program as /proc/self/exe, on the host's own file system.
        """
        if os.geteuid() == 0:
            return str(self._options.python)
        copy = os.memfd_create("python", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        stack.callback(os.close, copy)
        with Path(self._options.python).open("rb") as source, os.fdopen(copy, "wb", closefd=False) as target:
            shutil.copyfileobj(source, target)
        fcntl.fcntl(copy, fcntl.F_ADD_SEALS, F_SEALS)
        return f"/proc/{os.getpid()}/fd/{copy}"

    def ask(self, groups: Sequence[int]) -> socket.socket | None:
        """Have a child forked that joins these control groups; return the channel on which it waits for its orders.

        After them it waits for the first word out of the sandbox. None while there is no loaded coordinator.
        """
        with self._lock:
            if not self._is_ready() or self._socket is None:
                return None
            mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            its.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # the kernel says who speaks to it
            with its:
                try:
                    socket.send_fds(self._socket, [b"enter"], [its.fileno(), *groups])
                except OSError:
                    mine.close()
                    return None
            return mine

    def _is_ready(self, *, alive: bool = True) -> bool:
        if self._socket and not self._ready:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                self._ready = self._socket.recv(16) == b"ready"
        return self._ready and self._process is not None and (not alive or self._process.poll() is None)

    def loaded(self) -> bool:
        """Say whether a coordinator is loaded."""
        with self._lock:
            return self._is_ready()

    def wait(self, seconds: float) -> bool:
        """Wait until a coordinator is loaded, for tests and measurements; return whether it is."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.loaded():
                return True
            time.sleep(0.01)
        return False

    def pid(self) -> int | None:
        """Return the parent's pid, None while there is none."""
        return self._process.pid if self._process else None

    def _drop(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket, self._ready = None, False

    def end(self) -> None:
        """End the parent; what its children became goes on."""
        with self._lock:
            self._drop()
            if self._process:
                self._process.wait(10)
            self._process = None
