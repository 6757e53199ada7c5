"""Carries connections from a port of this machine's loopback to a session's Unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spacelab.site.trial.loops import background_loop, run_on

LOOPBACK = "127.0.0.1"
CHUNK = 64 * 1024
HEAD_LIMIT = 64 * 1024
HEAD_SECONDS = 30.0
HOST = re.compile(rb"^host:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
REFUSED = (
    b"HTTP/1.1 421 Misdirected Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"Only 127.0.0.1 and localhost name this application.\n"
)
"""A page elsewhere whose name was made to lead here must not reach the application with its visitor's browser."""
AWAY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def is_for_loopback(head: bytes, port: int) -> bool:
    """Say whether a request's head names this machine's loopback, at this port."""
    named = HOST.search(head)
    return named is not None and named[1].lower() in {f"{name}:{port}".encode() for name in (LOOPBACK, "localhost")}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@dataclass
class Target:
    """Where connections are carried to; nowhere before the session listens."""

    socket: Path | None = None


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target, port: int) -> None:
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
        if not is_for_loopback(head, port):
            writer.write(REFUSED)
            return
        if target.socket is None:
            writer.write(AWAY)
            return
        far_reader, far_writer = await asyncio.open_unix_connection(str(target.socket))
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError, TimeoutError):
        return
    except OSError:
        writer.write(AWAY)
        return
    else:
        far_writer.write(head)
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            far_writer.close()
    finally:
        writer.close()


async def forward(target: Target, port: int) -> asyncio.Server:
    """Listen on this port of the loopback (0: a free one), and carry connections to the target until closed.

    Raises `OSError` if the port can't be had.
    """
    listening: list[int] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await _carry(reader, writer, target, listening[0])

    server = await asyncio.start_server(handle, LOOPBACK, port, limit=HEAD_LIMIT)
    listening.append(server.sockets[0].getsockname()[1])
    return server


@contextlib.contextmanager
def forwarding(target: Target, port: int) -> Iterator[int]:
    """Forward from a thread of its own as long as the context lasts; yield the port. Raises as `forward` does."""
    with background_loop("forwarding") as loop:
        server = run_on(loop, forward(target, port))
        yield server.sockets[0].getsockname()[1]
        loop.call_soon_threadsafe(server.close)
