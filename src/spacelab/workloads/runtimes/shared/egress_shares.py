"""Fair shares of the way out: whatever one sandbox opens or looks up, others and the controller go on."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MOST_EACH = 128
"""Connections that one sandbox may have at a time, where the platform may open files enough."""

LOOKUPS_EACH = 4
"""Names that one sandbox may have looked up at a time: each takes a thread until its server answers."""

FILES_FOR_CONNECTIONS = 0.5
"""The part of the files this process may open that goes to connections, two for each; the rest is the controller's."""

SANDBOXES_AT_LEAST = 4
"""So many sandboxes find room though each takes all it may."""


class TooManyConnections(Exception):  # noqa: N818  an answer to the workload, not an error of ours
    """The sandbox, or all of them together, have as many connections as they may."""


def sandbox_of(connection: socket.socket) -> str:
    """Name the sandbox at the other end: its network namespace, or the process where that can't be looked at."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid = struct.unpack("3i", credentials)[0]
    try:
        return f"network {Path(f'/proc/{pid}/ns/net').stat().st_ino}"
    except PermissionError:
        return f"process {pid}"
    except OSError:
        return "ended"


@dataclass
class Share:
    """What one sandbox has of the way out now."""

    connections: int = 0
    lookups: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LOOKUPS_EACH))


class Shares:
    """Everybody's shares; the limits follow from how many files this process may open."""

    def __init__(self) -> None:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.most = int(files * FILES_FOR_CONNECTIONS / 2) if files > 0 else MOST_EACH * 64
        self.most_each = min(MOST_EACH, self.most // SANDBOXES_AT_LEAST)
        self._shares: dict[str, Share] = {}

    @contextlib.contextmanager
    def connection(self, sandbox: str) -> Iterator[Share]:
        """Count a connection for as long as the context lasts; raise `TooManyConnections` instead of going beyond."""
        share = self._shares.get(sandbox) or Share()
        if share.connections >= self.most_each or sum(one.connections for one in self._shares.values()) >= self.most:
            raise TooManyConnections
        self._shares[sandbox] = share
        share.connections += 1
        try:
            yield share
        finally:
            share.connections -= 1
            if not share.connections:
                self._shares.pop(sandbox, None)
