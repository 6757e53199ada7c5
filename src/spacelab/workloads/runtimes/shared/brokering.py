"""A broker: it takes orders for jobs over a socket of a run's sandbox, without trust, and ends with the run.

Each connection is one job: a length (four bytes, the highest first) with three descriptors (standard input, output and
error), then an order as JSON (`job`, `place`, `image`, `argv`, `environment`, `folder`, `cores`, `memory_mb`,
`network`). The answer is one line of JSON: `exit_code`, `cpu_seconds`, `memory_bytes`, or `trouble`. Whoever closes the
connection ends the job.

What comes over the socket may be written by anything that runs inside. So an order names no mount, no user and no
option of what carries it: a job is shown the run's own volumes, read-only, and one of the run's places as /job.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import socket
import stat
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import RUN_PLACES, Network
from spacelab.workloads.runtimes.process.control import ControlFolder

LONGEST_ORDER = 4 * 2**20
MOST_CONNECTIONS = 64
PATIENCE = 10.0
"""Seconds that a connection has to say what it wants."""

TICK = 0.2
"""Seconds between two looks at the run, and at what a job uses."""

JOB_FOLDER = "/job"
"""Where a job sees its place."""
JOB = re.compile(r"[A-Za-z0-9_.\-/]{1,200}")
LEAST_MEMORY_MB = 16
STREAMS = 3


class Refused(Exception):  # noqa: N818  it is no error of ours
    """An order that is not carried out; the text is for people."""


@dataclass(frozen=True)
class Order:
    """A checked order: one command in a container of `image`, with place `number` as the only folder it may write."""

    job: str
    number: int
    image: str
    argv: list[str]
    environment: dict[str, str]
    folder: str
    cores: float
    memory_mb: int
    network: bool


def checked(data: Any, orders: dict[str, Any]) -> Order:
    """Return an order as one that may be carried out; raise `Refused` for any other."""
    try:
        order = Order(
            job=str(data["job"]),
            number=int(data["place"]),
            image=str(data["image"]),
            argv=[str(word) for word in data["argv"]],
            environment={str(name): str(value) for name, value in dict(data["environment"]).items()},
            folder=str(data["folder"]),
            cores=float(data.get("cores") or 0),
            memory_mb=int(float(data.get("memory_mb") or 0)),
            network=data.get("network") is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Refused("The order can't be read.") from error
    folder = PurePosixPath(order.folder)
    if not JOB.fullmatch(order.job) or not order.argv:
        raise Refused("The order names no job, or no command.")
    if not 0 <= order.number < len(orders["places"]):
        raise Refused("The order names a place that this run does not have.")
    own = (JOB_FOLDER, f"{RUN_PLACES}/{order.number}")
    if not any(folder.is_relative_to(path) for path in own) or ".." in folder.parts:
        raise Refused("The order names a folder outside of its place.")
    if orders["images"] is not None and order.image not in orders["images"]:
        raise Refused(f"The image {order.image[:200]} is none of those that this run may use.")
    if any(not name or "=" in name for name in order.environment) or not order.argv[0] or "=" in order.argv[0]:
        raise Refused("The order holds a name that no variable, or no program, can have.")
    if any("\0" in word for word in (*order.argv, *order.environment, *order.environment.values())):
        raise Refused("The order holds a character that no command can.")
    if order.network and orders["network"] != Network.OUTBOUND.value:
        raise Refused("This run has no network.")
    return order


class Shares:
    """What the run's steps may use together: an order waits until there is room for it."""

    def __init__(self, memory_mb: int) -> None:
        self._free = self.all = memory_mb
        self._change = threading.Condition()

    @contextlib.contextmanager
    def taken(self, memory_mb: int) -> Iterator[int]:
        """Yield the memory that the job gets, in MiB."""
        wanted = max(LEAST_MEMORY_MB, min(memory_mb or self.all, self.all))
        with self._change:
            self._change.wait_for(lambda: self._free >= wanted)
            self._free -= wanted
        try:
            yield wanted
        finally:
            with self._change:
                self._free += wanted
                self._change.notify_all()


class Broker:
    """One run's broker from its start to the run's end; subclasses say what carries its jobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.orders: dict[str, Any] = json.loads((folder / "orders.json").read_text())
        self.control = ControlFolder(Path(self.orders["control"]))
        self.shares = Shares(int(self.orders["resources"]["memory_mb"]))
        self.devices = {os.stat(path).st_dev for path in (*self.orders["places"], self.orders["folder"])}  # noqa: PTH116
        self.busy: set[int] = set()
        self.lock = threading.Lock()
        self.over = threading.Event()

    def run(self) -> None:
        """Serve until the run has ended; then end and remove what is left."""
        self.clear()  # of a broker that was ended by force
        path = self.folder / "socket" / "broker.sock"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            path.chmod(0o666)  # who reaches into the folder is the run's sandbox alone
            listener.listen(MOST_CONNECTIONS)
            listener.settimeout(TICK)
            while self.control.alive():
                self.tick()
                with contextlib.suppress(TimeoutError):
                    connection, _ = listener.accept()
                    self._receive(connection)
        self.over.set()
        self.clear()
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(PATIENCE)
        self.clear()  # what was just being made

    def _receive(self, connection: socket.socket) -> None:
        if threading.active_count() > MOST_CONNECTIONS:
            connection.close()
            return
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        descriptors: list[int] = []
        answer: dict[str, Any]
        with connection:
            try:
                connection.settimeout(PATIENCE)
                data, descriptors = _read(connection)
                order = checked(data, self.orders)
                check_streams(descriptors, self.devices)
                with self._place(order.number), self.shares.taken(order.memory_mb) as memory:
                    answer = self.carry_out(connection, order, memory, descriptors)
            except Refused as refused:
                answer = {"trouble": str(refused)}
            except (RuntimeFault, OSError) as error:
                answer = {"trouble": str(error)}
            except Exception:  # noqa: BLE001  whatever went wrong must be seen by the person who waits
                traceback.print_exc()
                answer = {"trouble": "The platform failed to run it."}
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            with contextlib.suppress(OSError):
                connection.sendall(f"{json.dumps(answer)}\n".encode())

    @contextlib.contextmanager
    def _place(self, number: int) -> Iterator[None]:
        with self.lock:
            if number in self.busy:
                raise Refused("A job is at work in this place.")
            self.busy.add(number)
        try:
            yield
        finally:
            with self.lock:
                self.busy.discard(number)

    def carry_out(
        self, connection: socket.socket, order: Order, memory_mb: int, descriptors: list[int]
    ) -> dict[str, Any]:
        """Carry out a job, and end it when `unwanted(connection)`; return what the answer says."""
        raise NotImplementedError

    def clear(self) -> None:
        """End and remove all jobs of this run, also those of a broker before this one; never raises."""
        raise NotImplementedError

    def tick(self) -> None:
        """Do what is to be done now and then; nothing, unless a subclass has something."""

    def unwanted(self, connection: socket.socket) -> bool:
        """Say whether the job of a connection is to end."""
        return self.over.is_set() or _closed(connection)


def _read(connection: socket.socket) -> tuple[Any, list[int]]:
    """Read an order and its descriptors; raise `Refused` for what is none."""
    head, descriptors, _, _ = socket.recv_fds(connection, 4, STREAMS)
    try:
        while len(head) < 4:  # noqa: PLR2004  the length's bytes
            head += _some(connection, 4 - len(head))
        length = int.from_bytes(head, "big")
        data = bytearray()
        if length > LONGEST_ORDER or len(descriptors) != STREAMS:
            raise Refused("The order is too long, or has no streams.")  # noqa: TRY301  the streams are closed below
        while len(data) < length:
            data += _some(connection, length - len(data))
        return json.loads(data), descriptors
    except (ValueError, RecursionError) as error:
        _close(descriptors)
        raise Refused("The order can't be read.") from error
    except BaseException:
        _close(descriptors)
        raise


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _some(connection: socket.socket, most: int) -> bytes:
    data = connection.recv(most)
    if not data:
        raise Refused("The connection was closed.")
    return data


def check_streams(descriptors: list[int], own: set[int]) -> None:
    """Raise `Refused` unless the outputs are files of the run's own, on one of the devices `own`, or /dev/null.

    The broker writes to them with rights that whoever opened them lacks, and the kernel has files that look at those.
    """
    for number, descriptor in enumerate(descriptors):
        found = os.fstat(descriptor)
        nothing = stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev  # noqa: PTH116  as fstat
        file = stat.S_ISREG(found.st_mode) and (number == 0 or found.st_dev in own)
        if not (nothing or file):
            raise Refused("The order's streams are no files of this run.")


def _closed(connection: socket.socket) -> bool:
    """Say whether the other end has closed; it has nothing more to say."""
    ready, _, _ = select.select([connection], [], [], 0)
    if not ready:
        return False
    try:
        return not connection.recv(1)
    except OSError:
        return True
