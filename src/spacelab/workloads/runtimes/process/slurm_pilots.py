"""Allocations of the cluster that carry one step after the other, so that a short step needn't wait for its own.

An order takes a pilot (`slurm_pilot.py`) with just the cores and the memory that it asks for: one that is idle, or the
first that gets ready. Idle ones are given back after a second, or at once when an order needs others.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spacelab.workloads.runtimes.process import slurm_pilot
from spacelab.workloads.runtimes.shared.brokering import TICK, Refused

IDLE = 1.0
"""Seconds for which an idle pilot is kept."""
OLDEST = 60.0
"""Seconds after which a pilot takes no other order: a long step shall have nearly all of the time that is granted."""
LONGEST_FRAME = 2**20
Shape = tuple[int, int]
"""Cores, and memory in MiB."""


class Lost(Exception):  # noqa: N818  nothing of ours is wrong
    """A pilot that has ended, with what Slurm said of it."""


class Pilot:
    """One allocation, and the connection to the program in it."""

    def __init__(self, shape: Shape, words: Sequence[str], variables: Mapping[str, str]) -> None:
        self.shape = shape
        self.since = 0.0
        self.ready_at = 0.0
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed when the pilot is forgotten
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd="/",
            env=dict(variables),
            start_new_session=True,
            bufsize=0,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("a pilot without its streams")
        self._input, self._output = self._process.stdin, self._process.stdout

    def receive(self) -> tuple[bytes, bytes]:
        """Read a frame; raise `Lost` when there is none."""
        head = self._exactly(5)
        length = int.from_bytes(head[1:], "big")
        if length > LONGEST_FRAME:
            raise Lost("It said what no pilot says.")
        return head[:1], self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = os.read(self.output, count - len(data))
            if not more:
                raise Lost(self.complaint())
            data += more
        return data

    @property
    def output(self) -> int:
        """The descriptor on which it speaks."""
        return self._output.fileno()

    def send(self, kind: bytes, data: bytes = b"") -> None:
        """Write a frame; raise `Lost` when it has ended."""
        frame = memoryview(kind + len(data).to_bytes(4, "big") + data)
        try:
            while frame:
                frame = frame[self._input.write(frame) or 0 :]
        except (OSError, ValueError) as error:  # it has ended, or was ended here
            raise Lost(self.complaint()) from error

    def complaint(self) -> str:
        """Return what Slurm said."""
        self._said.seek(0)
        said = self._said.read(2000).decode(errors="replace").strip()
        return f"The cluster ended it: {said}" if said else "The cluster ended it."

    def end(self) -> None:
        """End it, with whatever it carries out; `srun` gives the allocation back then."""
        self._input.close()
        if not self.since:
            self._process.terminate()  # it may not have begun: srun then withdraws what it asked for

    def mourn(self, seconds: float = 5.0) -> None:
        """Wait for its end."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Pilots:
    """The pilots of one run. `start(shape, number)` returns the command that gets an allocation and runs a program."""

    def __init__(self, start: Callable[[Shape, int], list[str]], python: str, variables: Mapping[str, str]) -> None:
        self._start = start
        self._program = [python, "-I", "-S", "-B", "-c", Path(slurm_pilot.__file__).read_text()]
        self._variables = variables
        self._change = threading.Condition()
        self._all: list[Pilot] = []
        self._idle: list[Pilot] = []
        self._beginning: dict[Shape, int] = {}
        self._wanted: dict[Shape, int] = {}
        self._failure = ""

    def take(self, shape: Shape, number: int, unwanted: Callable[[], bool]) -> Pilot | None:
        """Return a pilot that is ready, None when the order is no longer wanted; raise `Refused` if none can be had."""
        with self._change:
            self._end_idle(lambda pilot: pilot.shape != shape)
            self._wanted[shape] = self._wanted.get(shape, 0) + 1
            try:
                while not (found := next((one for one in self._idle if one.shape == shape), None)):
                    if unwanted():
                        return None
                    if self._beginning.get(shape, 0) < self._wanted[shape]:
                        if not self._failure:
                            self._begin(shape, number)
                        elif not any(pilot.shape == shape for pilot in self._all):
                            raise Refused(self._failure)
                    self._change.wait(TICK)
                self._idle.remove(found)
                return found
            finally:
                self._wanted[shape] -= 1
                if not self._wanted[shape]:
                    self._failure = ""

    def _begin(self, shape: Shape, number: int) -> None:
        pilot = Pilot(shape, [*self._start(shape, number), *self._program], self._variables)
        self._all.append(pilot)
        self._beginning[shape] = self._beginning.get(shape, 0) + 1
        threading.Thread(target=self._await, args=(pilot,), daemon=True).start()

    def _await(self, pilot: Pilot) -> None:
        """Wait until a pilot is ready."""
        failure = ""
        try:
            pilot.receive()
        except Lost as lost:
            failure = str(lost)
            pilot.mourn()
        with self._change:
            self._beginning[pilot.shape] -= 1
            if failure:
                self._failure = failure
                self._forget(pilot)
            else:
                pilot.since = pilot.ready_at = time.monotonic()
                self._idle.append(pilot)
            self._change.notify_all()

    def give_back(self, pilot: Pilot) -> None:
        """Let the next order have a pilot."""
        with self._change:
            pilot.since = time.monotonic()
            self._idle.append(pilot)
            self._end_idle(lambda one: one.since - one.ready_at > OLDEST)
            self._change.notify_all()

    def lose(self, pilot: Pilot) -> None:
        """Give up a pilot that has ended."""
        with self._change:
            self._forget(pilot)
        pilot.mourn()

    def _forget(self, pilot: Pilot) -> None:
        if pilot in self._all:
            self._all.remove(pilot)

    def _end_idle(self, which: Callable[[Pilot], bool]) -> None:
        for pilot in [one for one in self._idle if which(one)]:
            self._idle.remove(pilot)
            self._forget(pilot)
            pilot.end()
            threading.Thread(target=pilot.mourn, daemon=True).start()

    def tick(self) -> None:
        """Give back what was idle for long."""
        with self._change:
            if not any(self._wanted.values()):
                self._end_idle(lambda pilot: time.monotonic() - pilot.since > IDLE)

    def end(self) -> None:
        """End all, with what they carry out."""
        with self._change:
            gone, self._all, self._idle = self._all, [], []
        for pilot in gone:
            pilot.end()
        for pilot in gone:
            pilot.mourn()


def ended(data: bytes) -> dict[str, Any]:
    """Read how a command ended, of which a pilot speaks as of nothing but numbers."""
    told = json.loads(data)
    return {
        "exit_code": int(told["exit_code"]),
        "cpu_seconds": float(told["cpu_seconds"]),
        "memory_bytes": int(told["memory_bytes"]),
    }
