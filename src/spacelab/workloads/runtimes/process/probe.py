"""Asks a workload's interface a question over its Unix socket, without ever waiting long."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path

TIMEOUT = 5.0
"""Seconds for one answer; probes run beside the observation, which doesn't wait for them."""

LONGEST_ANSWER = 2**20


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def get(path: Path, target: str) -> tuple[int, bytes]:
    """Return status and body of a GET; status 0 when nothing answers."""
    connection = _UnixConnection(path)
    try:
        connection.request("GET", target, headers={"Host": "localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read(LONGEST_ANSWER)
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def answers(path: Path, target: str) -> bool:
    """Say whether the interface answers, with whatever is not an error of its own."""
    return 0 < get(path, target)[0] < http.client.INTERNAL_SERVER_ERROR


def jupyter_is_busy(path: Path, base: str) -> bool:
    """Say whether a kernel of the Jupyter server below `base` computes."""
    status, body = get(path, f"{base}/api/kernels")
    if status != http.client.OK:
        return False
    try:
        return any(kernel.get("execution_state") == "busy" for kernel in json.loads(body))
    except (ValueError, AttributeError, TypeError):
        return False
