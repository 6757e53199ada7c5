"""Places served by long-lived starter processes: what the local and the bubblewrap backend have in common."""

from __future__ import annotations

import array
import contextlib
import dataclasses
import importlib.util
import marshal
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cwl_runner import removal
from cwl_runner.backends import starter
from cwl_runner.backends.protocol import BackendError, Ended, Order, Place


def compiled(source: Path) -> str:
    """Name what was compiled of a module when it was imported, if that was kept and is up to date, else its source.

    Compiling the starter would take each place three milliseconds.
    """
    try:
        kept = Path(importlib.util.cache_from_source(str(source)))
        with kept.open("rb") as file:
            head = file.read(16)
        found = source.stat()
    except (OSError, NotImplementedError):
        return str(source)
    state = b"".join(number.to_bytes(4, "little") for number in (0, int(found.st_mtime), found.st_size))
    return str(kept) if head == importlib.util.MAGIC_NUMBER + state else str(source)


INTERPRETER = os.path.realpath(sys.executable)
STARTER = compiled(Path(starter.__file__).resolve())
KEPT = ("tmp", "in")
"""Folders of a place that stay from job to job: making them anew takes as long as a small job."""
LONG = 100_000
"""Bytes from which an order travels in a file: messages on a socket are limited by the kernel."""


@dataclasses.dataclass
class Slot:
    """One place and the process that serves it."""

    place: Place
    network: bool = False
    process: subprocess.Popen[bytes] | None = None
    channel: socket.socket | None = None
    errors: IO[bytes] | None = None
    running: bool = False
    deadline: float | None = None
    overtime: bool = False


class Slots:
    """A fixed number of places, each with a starter; `command` says how a starter is started."""

    name = "local"
    isolated = False

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._slots = [Slot(Place(number, *self._paths(number))) for number in range(count)]
        self._free = list(reversed(self._slots))
        self._selector = selectors.DefaultSelector()
        self._lost: list[tuple[Place, Ended]] = []
        for slot in self._slots:
            _remove(slot.place.host)
            Path(slot.place.host).mkdir(parents=True, exist_ok=True)

    def _paths(self, number: int) -> tuple[str, str]:
        host = str(self._folder / str(number))
        return host, host

    def command(self, slot: Slot, descriptor: int) -> list[str]:
        """Build the command line of a starter."""
        del slot
        return [INTERPRETER, "-I", "-S", STARTER, str(descriptor)]

    def prepare(self, count: int) -> None:
        """Start the first starters now, so that the first jobs needn't wait for theirs."""
        for slot in self._slots[:count]:
            self._ensure(slot, network=False)

    def complaint(self) -> str:
        """Wait until the first starter is ready, and say what hinders it, if anything does."""
        slot = self._slots[0]
        self._ensure(slot, network=False)
        with contextlib.suppress(OSError):
            if slot.channel and slot.channel.recv(1000) == b"ready":
                return ""
        return self._end(slot) or "it ended at once"

    def _ensure(self, slot: Slot, *, network: bool) -> None:
        if slot.process and slot.network != network:
            self._end(slot)
        if slot.process:
            return
        slot.network = network
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        slot.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the slot
        with theirs:
            slot.process = subprocess.Popen(
                self.command(slot, theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=slot.errors,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            )
        slot.channel = ours
        self._selector.register(ours, selectors.EVENT_READ, slot)

    def _end(self, slot: Slot) -> str:
        """End a slot's processes and return what they complained about."""
        text = ""
        if slot.channel:
            self._selector.unregister(slot.channel)
            slot.channel.close()
        if slot.process:
            if self.isolated:  # the sandbox's first process takes all others with it
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(slot.process.pid, signal.SIGKILL)
            else:  # a starter ends its job when the channel closes
                with contextlib.suppress(subprocess.TimeoutExpired):
                    slot.process.wait(starter.PATIENCE)
            slot.process.kill()
            slot.process.wait()
        if slot.errors:
            slot.errors.seek(0)
            text = slot.errors.read(4000).decode(errors="replace").strip()
            slot.errors.close()
        slot.process = slot.channel = slot.errors = None
        return text

    def take(self) -> Place | None:
        """Give a free place."""
        return self._free.pop().place if self._free else None

    def start(self, place: Place, order: Order) -> None:
        """Hand an order to the place's starter."""
        slot = self._slots[place.number]
        self._ensure(slot, network=order.network)
        argv = [str(word) for word in order.argv]  # YAML's texts are of classes of their own
        environment = {str(name): str(value) for name, value in order.environment.items()}
        facts = {"argv": argv, "environment": environment, "folder": order.folder, "input": str(order.input)}
        message = marshal.dumps(facts, 4)
        streams = [order.stdin, order.stdout, order.stderr]
        with _as_file(message) if len(message) > LONG else contextlib.nullcontext(None) as long:
            if long is not None:
                streams.append(long)
                message = b"long"
            if slot.channel is None:  # pragma: no cover - ensured above
                raise BackendError("No process serves this place.")
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))]
            with contextlib.suppress(OSError):  # a starter that is gone is noticed by `wait`
                slot.channel.sendmsg([message], ancillary)
        slot.running, slot.overtime = True, False
        slot.deadline = time.monotonic() + order.seconds if order.seconds else None

    def wake_by(self, descriptor: int) -> None:
        """Let `wait` return when this descriptor is readable."""
        self._selector.register(descriptor, selectors.EVENT_READ, None)

    def watch(self, connection: socket.socket) -> None:
        """Let `wait` return when this connection is readable."""
        self._selector.register(connection, selectors.EVENT_READ, None)

    def unwatch(self, connection: socket.socket) -> None:
        """Watch it no longer."""
        self._selector.unregister(connection)

    def wait(self, seconds: float | None) -> list[tuple[Place, Ended]]:
        """Report commands that ended."""
        self._enforce_deadlines()
        ended, self._lost = self._lost, []
        if ended:
            seconds = 0
        deadlines = [slot.deadline for slot in self._slots if slot.running and slot.deadline]
        if deadlines:
            until = max(0.0, min(deadlines) - time.monotonic())
            seconds = until if seconds is None else min(seconds, until)
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Slot):
                ended += self._heard(key.data)
        return ended

    def _heard(self, slot: Slot) -> Iterator[tuple[Place, Ended]]:
        message = b""
        if slot.channel:
            with contextlib.suppress(OSError):
                message = slot.channel.recv(1000)
        if not message:
            complaint = self._end(slot)
            if slot.running:
                slot.running = False
                raise BackendError(f"The process that starts jobs has ended. {complaint}".strip())
            return
        words = message.decode(errors="replace").split()
        if words == ["ready"]:
            return
        if words[-1] == "worn":
            words.pop()
            self._end(slot)
        if slot.running:
            slot.running = False
            yield slot.place, _read(words)

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.running and slot.deadline and slot.deadline <= now:
                slot.overtime = True
                self.kill(slot.place)

    def kill(self, place: Place) -> None:
        """End a job with all it started by ending its starter; the next job of the place gets a new one."""
        slot = self._slots[place.number]
        if slot.running:
            self._end(slot)
            slot.running = False
            self._lost.append((place, Ended(-signal.SIGKILL, overtime=slot.overtime)))

    def give_back(self, place: Place) -> None:
        """Empty a place, but for its own empty folders, and let others take it."""
        for entry in os.scandir(place.host):
            if entry.name in KEPT and entry.is_dir(follow_symlinks=False):
                for below in os.scandir(entry.path):
                    removal.remove(below.path)
            else:
                removal.remove(entry.path)
        self._free.append(self._slots[place.number])

    def close(self) -> None:
        """End everything."""
        for slot in self._slots:
            self._end(slot)
            _remove(slot.place.host)
        self._selector.close()


def _remove(host: str) -> None:
    """Remove a place; one that is a mount of its own is emptied."""
    if os.path.ismount(host):
        for entry in os.scandir(host):
            removal.remove(entry.path)
    else:
        removal.remove(host)


@contextlib.contextmanager
def _as_file(data: bytes) -> Iterator[int]:
    """Put bytes into an unnamed file in memory and give its descriptor."""
    descriptor = os.memfd_create("order")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _read(words: list[str]) -> Ended:
    """Read a starter's line; whatever it says is only numbers to us."""
    try:
        if words[0] == "trouble":
            return Ended(127, trouble=os.strerror(int(words[1])))
        return Ended(int(words[1]), float(words[2]), int(words[3]))
    except (IndexError, ValueError):
        return Ended(127, trouble="the starter gave no sensible answer")
