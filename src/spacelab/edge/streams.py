"""The relay of WebSockets and event streams: it carries bytes both ways and cuts a stream when its access is revoked.

Caddy hands over each request that asks for an upgrade or for an event stream on a Unix socket, on a connection of its
own, with two headers that say where it goes and what let it pass. A look at the database every 1.5 s, for all open
streams at once, finds those whose visit, token or session has ended.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from spacelab.edge import queries
from spacelab.edge.asking import ask
from spacelab.edge.rules import SWEEP_SECONDS, Pass, upstream_of

logger = logging.getLogger(__name__)

LARGEST_HEAD = 256 * 1024
"""Bytes of a request's head beyond which it is refused; Caddy allows 1 MiB, applications rarely 64 KiB."""

DIAL_SECONDS = 5.0
"""How long an application may take to accept a connection."""

OURS = re.compile(rb"\r\nx-spacelab-(upstream|pass):[ \t]*([^\r\n]*)", re.IGNORECASE)
"""The edge's own headers, which the application does not see."""


def read_head(head: bytes) -> tuple[bytes, str, Pass]:
    """Split a request's head into what the application gets, the upstream, and the pass.

    Raise `ValueError` if either is missing, given twice, or not of its form.
    """
    fields = [(name.lower(), value.decode("latin-1").strip()) for name, value in OURS.findall(head)]
    given = dict(fields)
    upstream = upstream_of(given.get(b"upstream", ""))
    if len(fields) != len(given) or not upstream:
        raise ValueError("no upstream")
    return OURS.sub(b"", head), upstream, Pass.read(given.get(b"pass", ""))


class _Side(asyncio.Protocol):
    """One end of a stream: what it receives, the other end sends."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()
        self.other = None


class Stream(_Side):
    """A stream's end at the edge: reads the head, dials the application, then relays."""

    def __init__(self, streams: Streams) -> None:
        super().__init__()
        self._streams = streams
        self._head = bytearray()
        self._dialling: asyncio.Task[None] | None = None
        self.by: Pass | None = None
        self.active = True

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.active = True
            super().data_received(data)
            return
        self._head += data
        if self._dialling is not None:
            return
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            if len(self._head) > LARGEST_HEAD:
                self._refuse(b"431 Request Header Fields Too Large")
            return
        try:
            head, upstream, self.by = read_head(bytes(self._head[:end]))
        except ValueError:
            self._refuse(b"403 Forbidden")
            return
        self._head[:end] = head
        self._streams.add(self)
        if self.transport is not None:
            self.transport.pause_reading()
        self._dialling = asyncio.get_running_loop().create_task(self._dial(upstream))

    async def _dial(self, upstream: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                if upstream.startswith("unix/"):
                    _, side = await loop.create_unix_connection(_Side, upstream.removeprefix("unix/"))
                else:
                    host, _, port = upstream.rpartition(":")
                    _, side = await loop.create_connection(_Side, host.strip("[]"), int(port))
        except OSError:  # a timeout is one of these
            self._refuse(b"502 Bad Gateway")
            return
        if side.transport is None:
            return
        if self.transport is None or self.transport.is_closing():
            side.transport.abort()
            return
        self.other, side.other = side, self
        side.transport.write(bytes(self._head))
        self._head.clear()
        self.transport.resume_reading()

    def _refuse(self, status: bytes) -> None:
        if self.transport is not None:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.transport.close()

    def cut(self) -> None:
        """End the stream at once, on both sides."""
        for side in (self.other, self):
            if side is not None and side.transport is not None:
                side.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._streams.discard(self)
        super().connection_lost(error)


class Streams:
    """All open streams of this process, and the watch over them."""

    def __init__(self, path: Path, *, note: Callable[[Pass, float], None]) -> None:
        self._path = path
        self._note = note
        self._open: set[Stream] = set()
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    def add(self, stream: Stream) -> None:
        """Watch over one more stream."""
        self._open.add(stream)

    def discard(self, stream: Stream) -> None:
        """Forget a stream that has ended."""
        self._open.discard(stream)

    async def start(self) -> None:
        """Listen, on a socket that only the platform's own user can reach."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_unix_server(lambda: Stream(self), str(self._path))
        finally:
            os.umask(mask)
        self._watch = asyncio.create_task(self._keep_watch())

    async def stop(self) -> None:
        """Stop listening and end every stream."""
        if self._watch is not None:
            self._watch.cancel()
        if self._server is not None:
            self._server.close()
        for stream in list(self._open):
            stream.cut()

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception:
                logger.exception("The open streams could not be checked; trying again")

    async def sweep(self) -> None:
        """Cut the streams whose access has ended; note which sessions' visitors sent something."""
        streams = [(stream, stream.by) for stream in self._open if stream.by is not None]
        if not streams:
            return
        valid = await ask(lambda: queries.still_valid(by for _, by in streams))
        for stream, by in streams:
            if by not in valid:
                stream.cut()
            elif stream.active:
                stream.active = False
                self._note(by, time.monotonic())
