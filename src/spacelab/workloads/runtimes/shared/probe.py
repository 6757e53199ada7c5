"""Asks a workload's interface a question over its Unix socket, without ever waiting long."""

from __future__ import annotations

import http.client
import io
import json
import socket
import time
from pathlib import Path
from typing import Any, cast

TIMEOUT = 5.0
"""Seconds for one answer; probes run beside the observation, which doesn't wait for them."""

LONGEST_ANSWER = 2**20


class _Deadlined(io.RawIOBase):
    """A connection's bytes until a moment that is fixed at the start: dripping an answer gains no time."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)

    def makefile(self, *_: object) -> io.BufferedReader:
        """Stand in for the socket that `http.client` reads from."""
        return io.BufferedReader(self)


def get(path: Path, target: str) -> tuple[int, bytes]:
    """Return status and body of a GET; status 0 when nothing answers in time."""
    deadline = time.monotonic() + TIMEOUT
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(TIMEOUT)
            connection.connect(str(path))
            connection.sendall(request.encode())
            answer = http.client.HTTPResponse(cast("socket.socket", _Deadlined(connection, deadline)))
            answer.begin()
            return answer.status, answer.read(LONGEST_ANSWER)
    except (OSError, ValueError, http.client.HTTPException):
        return 0, b""


def answers(path: Path, target: str) -> int:
    """Return the status with which the interface answers, 0 where it does not or has an error of its own."""
    status = get(path, target)[0]
    return status if status < http.client.INTERNAL_SERVER_ERROR else 0


def jupyter_is_busy(path: Path, base: str) -> bool:
    """Say whether a kernel of the Jupyter server below `base` computes."""
    status, body = get(path, f"{base}/api/kernels")
    if status != http.client.OK:
        return False
    try:
        return any(kernel.get("execution_state") == "busy" for kernel in json.loads(body))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return False
