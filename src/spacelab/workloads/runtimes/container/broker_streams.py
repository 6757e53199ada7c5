"""Carries a container's standard streams between the engine and descriptors that whoever wants the job handed over."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import Any

CHUNK = 64 * 1024
HEAD = 8
"""Bytes before each piece of output: which stream it is of, and its length."""


class Streams:
    """Attached before the container starts, so that nothing of what it prints is missed."""

    def __init__(self, client: Any, name: str, stdin: int, stdout: int, stderr: int) -> None:
        wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._file = client.attach_socket(name, params=wanted)
        self._socket: socket.socket = getattr(self._file, "_sock", self._file)
        self._socket.settimeout(None)
        self._targets = {1: os.dup(stdout), 2: os.dup(stderr)}
        self._source = os.dup(stdin)
        self._over = threading.Event()
        threading.Thread(target=self._feed, daemon=True).start()
        threading.Thread(target=self._carry, daemon=True).start()

    def ended(self, seconds: float) -> bool:
        """Wait at most so long for the container's streams to end; say whether they have."""
        return self._over.wait(seconds)

    def _feed(self) -> None:
        """Send the standard input, then its end."""
        try:
            while data := os.read(self._source, CHUNK):
                self._socket.sendall(data)
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the container is gone, or does not read
        finally:
            os.close(self._source)

    def _carry(self) -> None:
        """Write what the container prints where it belongs; what can't be written is read all the same."""
        try:
            while head := self._exactly(HEAD):
                left = int.from_bytes(head[4:], "big")
                while left and (data := self._file.read(min(left, CHUNK))):
                    left -= len(data)
                    with contextlib.suppress(OSError):
                        _write(self._targets.get(head[0], self._targets[1]), data)
        except (OSError, ValueError):
            pass
        finally:
            for target in self._targets.values():
                os.close(target)
            self._over.set()

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._file.read(count - len(data))
            if not more:
                return b""
            data += more
        return data


def _write(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]
