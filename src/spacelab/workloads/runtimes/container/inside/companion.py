"""The companion of a workload's container: carries its connections, keeps its output, hands over its secrets.

Run as `python3 -I -S -B companion.py`, as the first process of a container whose network namespace, with nothing but
a loopback, the application's container shares. The standard library alone; one thread; a few megabytes.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from spacelab.workloads.runtimes.shared.inside.forwarder import LOOPBACK, Forwarder, to_port, to_socket
    from spacelab.workloads.runtimes.shared.inside.log import Log
    from spacelab.workloads.runtimes.shared.inside.loop import Loop
else:
    sys.path.insert(0, "/platform/shared")
    from forwarder import LOOPBACK, Forwarder, to_port, to_socket
    from log import Log
    from loop import Loop

IO = "/io"
"""The folder that the runtime reads: the interface's socket, the log, the socket for orders."""

GATE = "/gate"
"""The folder whose pipes the application writes to and reads from."""

EGRESS = "/egress/egress.sock"
OUTBOUND_PORT = 3128
"""Where applications find the platform's proxy."""

PIPE_BYTES = 64 * 1024
ORDER_BYTES = 1024 * 1024
ORDER_SECONDS = 2.0
F_SETPIPE_SZ = 1031


def open_pipe(name: str) -> int:
    """Open a named pipe both ways, so that neither its beginning nor its end waits for the application."""
    return os.open(f"{GATE}/{name}", os.O_RDWR | os.O_NONBLOCK)


def listen_unix(name: str, backlog: int) -> socket.socket:
    """Listen on a Unix socket in the folder that the runtime reads."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{IO}/{name}")
    listener.listen(backlog)
    return listener


class Companion:
    """Serves one workload until it is ended."""

    def __init__(self, orders: dict[str, object]) -> None:
        self.loop = Loop()
        log = os.open(f"{IO}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.log = Log(log, int(str(orders["log_bytes"])))
        self.output = open_pipe("output")
        self.secrets = open_pipe("secrets")
        self.reports = open_pipe("report")
        self.carried = []
        if orders["port"]:
            listener = listen_unix("main.sock", 128)
            self.carried.append(Forwarder(self.loop, listener, to_port(int(str(orders["port"])))))
        if orders["outbound"]:
            way_out = socket.socket()
            way_out.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            way_out.bind((LOOPBACK, OUTBOUND_PORT))
            way_out.listen(64)
            self.carried.append(Forwarder(self.loop, way_out, to_socket(EGRESS)))

    def drain(self) -> None:
        """Move the application's output to the log."""
        try:
            data = os.read(self.output, PIPE_BYTES)
        except BlockingIOError:
            return
        self.log.write(data)

    def drain_all(self) -> None:
        """Move what the application has printed so far to the log, as far as a pipe can hold it."""
        for _ in range(64):
            self.drain()

    def report(self) -> bytes:
        """Return what the application's first programs told about its end since the last time."""
        try:
            return os.read(self.reports, PIPE_BYTES)
        except BlockingIOError:
            return b""

    def hand_over(self, text: str) -> None:
        """Put the secrets into the pipe, from which the application's first program takes them once."""
        data = text.encode()
        try:
            import fcntl  # noqa: PLC0415  only needed for what is larger than a pipe's usual size

            fcntl.fcntl(self.secrets, F_SETPIPE_SZ, max(PIPE_BYTES, len(data)))
        except OSError:
            pass
        if os.write(self.secrets, data) != len(data):
            raise OSError("the secrets are larger than a pipe")

    def obey(self, listener: socket.socket) -> None:
        """Take one order from the runtime, the only one who reaches this socket, and answer it."""
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(ORDER_SECONDS)
            try:
                data = b""
                while not data.endswith(b"\n") and len(data) < ORDER_BYTES:
                    part = connection.recv(PIPE_BYTES)
                    if not part:
                        return
                    data += part
                order = json.loads(data)
                if "secrets" in order:
                    self.hand_over(order["secrets"])
                answer = b"done\n"
                if "drain" in order:
                    self.drain_all()
                    answer += self.report()
                connection.sendall(answer)
            except OSError:
                return  # whoever asked is gone, and asks again

    def run(self) -> None:
        """Serve until a signal ends this process."""
        self.loop.watch(self.output, select.EPOLLIN, lambda _events: self.drain())
        orders = listen_unix("orders.sock", 16)  # last: whoever reaches it finds all the rest at work
        self.loop.watch(orders.fileno(), select.EPOLLIN, lambda _events: self.obey(orders))
        while True:
            self.loop.turn(60.0)


def main() -> None:
    """Read the orders and serve."""
    os.umask(0o077)
    with open(f"{IO}/orders.json") as file:  # noqa: PTH123  pathlib would double this process's memory
        companion = Companion(json.load(file))

    def end(_number: int, _frame: object) -> None:
        companion.drain_all()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    companion.run()


if __name__ == "__main__":
    main()
