"""Carries bytes between the workload's Unix socket and a port inside its sandbox; the standard library alone.

Runs inside the sandbox in the supervisor's only thread, so it keeps one shared buffer and no thread per connection.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from spacelab.workloads.runtimes.shared.inside.loop import Loop

BUFFER_BYTES = 256 * 1024
"""Bytes moved at once: large enough that a big download costs few system calls."""

LOOPBACK, LOOPBACK_6 = b"127.0.0.1", b"::1"
"""As bytes: a str would make Python load its tables of international names, which costs memory."""

PIPE_BYTES = 1024 * 1024
F_SETPIPE_SZ = 1031
"""Linux's number; Python has the name only where its C library had it."""

TURNS = 4
"""Buffers moved for one connection before the others get their turn."""

RETRY_ERRORS = (BlockingIOError, InterruptedError)
GONE_ERRORS = (OSError,)


class Side:
    """One end of a carried connection: what waits to be sent to it, and whether it has finished sending.

    A busy direction gets a pipe, through which the kernel moves pages without copying them.
    """

    __slots__ = ("ended", "other", "pending", "pipe", "piped", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.other: Side = self
        self.pending = b""
        self.pipe: tuple[int, int] | None = None
        self.piped = 0
        self.ended = False

    @property
    def waiting(self) -> bool:
        """Whether something waits to be sent to this end."""
        return bool(self.pending or self.piped)

    def close(self) -> None:
        """Give everything back."""
        self.sock.close()
        for descriptor in self.pipe or ():
            os.close(descriptor)
        self.pipe = None


class Forwarder:
    """Accepts on `listener` and carries each connection to what `connect` opens."""

    def __init__(self, loop: Loop, listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
        self._loop = loop
        self._listener = listener
        self._connect = connect
        self._view = memoryview(bytearray(BUFFER_BYTES))
        listener.setblocking(False)
        loop.watch(listener.fileno(), select.EPOLLIN, self._accept)

    def _accept(self, _events: int) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return
        try:
            opened = self._connect()
        except OSError:
            accepted.close()
            return
        near, far = Side(accepted), Side(opened)
        near.other, far.other = far, near
        for side in (near, far):
            side.sock.setblocking(False)
            self._update(side)

    def _update(self, side: Side) -> None:
        wants_input = not side.ended and not side.other.waiting
        events = (select.EPOLLIN if wants_input else 0) | (select.EPOLLOUT if side.waiting else 0)
        self._loop.watch(side.sock.fileno(), events, lambda occurred: self._handle(side, occurred))

    def _handle(self, side: Side, events: int) -> None:
        try:
            if side.waiting and events & (select.EPOLLOUT | select.EPOLLERR | select.EPOLLHUP):
                self._flush(side)
            if not side.ended and not side.other.waiting:
                self._carry(side, events)
        except RETRY_ERRORS:
            pass
        except GONE_ERRORS:
            self._close(side)
            return
        if side.ended and side.other.ended and not side.waiting and not side.other.waiting:
            self._close(side)
            return
        self._update(side)
        self._update(side.other)

    def _flush(self, side: Side) -> None:
        if side.pending:
            side.pending = side.pending[side.sock.send(side.pending) :]
        elif side.pipe:
            side.piped -= os.splice(side.pipe[0], side.sock.fileno(), side.piped, flags=os.SPLICE_F_NONBLOCK)
        if not side.waiting and side.other.ended:
            side.sock.shutdown(socket.SHUT_WR)

    def _carry(self, side: Side, events: int) -> None:
        """Move what has arrived; what the other end can't take yet waits there, and reading pauses until it's gone."""
        other = side.other
        for _ in range(TURNS):
            if other.pipe:
                count = os.splice(side.sock.fileno(), other.pipe[1], PIPE_BYTES, flags=os.SPLICE_F_NONBLOCK)
            else:
                count = side.sock.recv_into(self._view)
            if not count:
                side.ended = True
                if events & select.EPOLLHUP:
                    other.ended = True  # closed both ways: nobody is left to hear the other end
                else:
                    other.sock.shutdown(socket.SHUT_WR)
                return
            if other.pipe:
                other.piped = count
                self._flush(other)
                if other.piped:
                    return
                continue
            try:
                sent = other.sock.send(self._view[:count])
            except RETRY_ERRORS:
                sent = 0
            if sent < count:
                other.pending = bytes(self._view[sent:count])
                return
            if count < BUFFER_BYTES:
                return
            other.pipe = large_pipe()

    def _close(self, side: Side) -> None:
        for one in (side, side.other):
            if one.sock.fileno() >= 0:
                self._loop.forget(one.sock.fileno())
                one.close()


def large_pipe() -> tuple[int, int]:
    """Make a pipe that holds a large piece of a download."""
    reader, writer = os.pipe()
    try:
        fcntl.fcntl(writer, F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:  # beyond what this user may have: the usual size works, more slowly
        return reader, writer
    return reader, writer


def to_port(port: int) -> Callable[[], socket.socket]:
    """Return what opens a connection to a port of this sandbox, whichever loopback address its server listens on."""

    def connect() -> socket.socket:
        try:
            opened = dial(socket.AF_INET, (LOOPBACK, port))
        except OSError:
            opened = dial(socket.AF_INET6, (LOOPBACK_6, port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    return connect


def to_socket(path: str) -> Callable[[], socket.socket]:
    """Return what opens a connection to a Unix socket, such as the platform's way out to the network."""

    def connect() -> socket.socket:
        return dial(socket.AF_UNIX, path)

    return connect


def dial(family: int, address: tuple[bytes, int] | str) -> socket.socket:
    """Connect a stream socket; raise `OSError` when nobody listens."""
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.connect(address)
    except OSError:
        opened.close()
        raise
    return opened
