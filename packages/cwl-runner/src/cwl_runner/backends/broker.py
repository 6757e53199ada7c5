"""Jobs as containers: those that name an image are handed to a broker outside, over a socket; the others stay here.

The broker (the platform's, or anybody's) takes one connection for each job: the length of the order in four bytes with
the three streams' descriptors, then the order as JSON; it answers with one line of JSON when the command has ended.
Whoever closes the sending side ends the job. Places have to be folders that the broker knows, one for each number; a
container sees its own as `/job`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import socket
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from cwl_runner.backends.protocol import Ended, Order, Place
from cwl_runner.backends.slots import Slots
from cwl_runner.jobs import SYSTEM_PATH

PLACES = Path("/var/spool/spacelab-run")
SOCKET = Path("/run/spacelab-broker/broker.sock")
DIGESTS = "images.json"
INSIDE = "/job"
ALL = "*"
"""Among the images: every job is the broker's, whatever its software."""
PATIENCE = 30.0
"""Seconds that the broker has to be there, and to end a job that is no longer wanted."""
LONGEST_ANSWER = 2**16


@dataclasses.dataclass
class Brokered:
    """A job that runs as a container."""

    place: Place
    connection: socket.socket
    deadline: float | None
    overtime: bool = False
    answer: bytes = b""


class Broker:
    """A backend that hands orders with one of `images` to the broker, and all others to `here`."""

    def __init__(self, here: Slots, images: Collection[str]) -> None:
        self._here = here
        self._images = images
        self._jobs: dict[int, Brokered] = {}
        self._lost: list[tuple[Place, Ended]] = []
        self.name, self.isolated = f"broker, {here.name}", here.isolated

    def prepare(self, count: int) -> None:
        """Start what jobs need here."""
        self._here.prepare(count)

    def take(self) -> Place | None:
        """Give a free place."""
        return self._here.take()

    def give_back(self, place: Place) -> None:
        """Empty a place and let others take it."""
        self._here.give_back(place)

    def wake_by(self, descriptor: int) -> None:
        """Let `wait` return when this descriptor is readable."""
        self._here.wake_by(descriptor)

    def start(self, place: Place, order: Order) -> None:
        """Hand an order to the broker, or start it here; raises OSError where there is no broker."""
        if order.image not in self._images and ALL not in self._images:
            self._here.start(place, order)
            return
        data = json.dumps(
            {
                "job": f"{place.number}",
                "place": place.number,
                "image": order.image,
                "argv": order.argv,
                "environment": _environment(order.environment),
                "folder": INSIDE + order.folder.removeprefix(place.inside),
                "cores": order.cores,
                "memory_mb": order.memory_mb,
                "network": order.network,
            }
        ).encode()
        connection = _connected()
        try:
            socket.send_fds(connection, [len(data).to_bytes(4, "big")], [order.stdin, order.stdout, order.stderr])
            connection.sendall(data)
        except OSError:
            connection.close()
            raise
        deadline = time.monotonic() + order.seconds if order.seconds else None
        self._jobs[place.number] = Brokered(place, connection, deadline)
        self._here.watch(connection)

    def wait(self, seconds: float | None) -> list[tuple[Place, Ended]]:
        """Report commands that ended, here or at the broker's."""
        now = time.monotonic()
        for job in list(self._jobs.values()):
            if job.deadline and job.deadline <= now:
                job.overtime = True
                self.kill(job.place)
        deadlines = [job.deadline - now for job in self._jobs.values() if job.deadline]
        if self._lost:
            seconds = 0
        elif deadlines:
            seconds = min([*deadlines, *([] if seconds is None else [seconds])])
        ended = self._here.wait(seconds)
        for job in list(self._jobs.values()):
            if select.select([job.connection], [], [], 0)[0] and self._hear(job):
                ended.append((job.place, self._end(job)))
        ended += self._lost
        self._lost = []
        return ended

    def _hear(self, job: Brokered) -> bool:
        """Take what the broker says; say whether that was all."""
        with contextlib.suppress(OSError):
            data = job.connection.recv(LONGEST_ANSWER)
            job.answer += data
            return not data or data.endswith(b"\n") or len(job.answer) > LONGEST_ANSWER
        return True

    def _end(self, job: Brokered) -> Ended:
        del self._jobs[job.place.number]
        self._here.unwatch(job.connection)
        job.connection.close()
        return _read(job.answer, overtime=job.overtime)

    def kill(self, place: Place) -> None:
        """End a job with all it started."""
        job = self._jobs.get(place.number)
        if job is None:
            self._here.kill(place)
            return
        with contextlib.suppress(OSError):
            job.connection.shutdown(socket.SHUT_WR)
            job.connection.settimeout(PATIENCE)
            while not self._hear(job):
                pass
        self._lost.append((place, dataclasses.replace(self._end(job), exit_code=-signal.SIGKILL, trouble="")))

    def close(self) -> None:
        """End everything."""
        for job in list(self._jobs.values()):
            self.kill(job.place)
        self._here.close()


def places() -> int:
    """Count the places that the broker knows."""
    return sum(entry.name.isdigit() for entry in PLACES.iterdir()) if PLACES.is_dir() else 0


def image_digests() -> dict[str, str]:
    """Read which images the names stand for, as the platform told at this start; {} if it didn't."""
    try:
        told = json.loads((SOCKET.parent / DIGESTS).read_text())
        return {str(name): str(digest) for name, digest in told.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Leave out the path to this machine's programs: the image has its own. Folders are those of the container."""
    own = os.environ.get("PATH", SYSTEM_PATH)
    return {name: value for name, value in variables.items() if not (name == "PATH" and value == own)}


def _connected() -> socket.socket:
    deadline = time.monotonic() + PATIENCE
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(SOCKET))
        except OSError:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return connection


def _read(answer: bytes, *, overtime: bool) -> Ended:
    """Read the broker's answer."""
    try:
        told = json.loads(answer)
        if "trouble" in told:
            return Ended(127, trouble=str(told["trouble"])[:1000], overtime=overtime)
        code = -signal.SIGKILL if told.get("oom") else int(told["exit_code"])
        return Ended(code, float(told["cpu_seconds"]), int(told["memory_bytes"]), overtime=overtime)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Ended(127, trouble="the broker of its run has ended", overtime=overtime)
