"""The page of a desktop, and two WebSockets under it: the screen, and what happens to the program and its windows.

Everything but the page lies below `-/`, so that the page works under any path and needs to know none.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import mimetypes
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.legacy.server import WebSocketServer, WebSocketServerProtocol, serve

PAGE = Path("/opt/datalab-base/page")
CHUNK = 256 * 1024
LARGEST_MESSAGE = 16 * 1024 * 1024
"""Bytes of one message of a browser: the largest text that can be pasted."""

MARK = "/-/"
TEXT = "text/plain; charset=utf-8"
Headers = list[tuple[str, str]]
Reply = tuple[HTTPStatus, Headers, bytes]
Stream = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Desktop:
    """What the server needs to know of a desktop. The defaults are those of a bare screen."""

    name = "Desktop"
    portal = ""
    icon: Path | None = None

    def ready(self) -> bool:
        """Whether a person would see something."""
        return True

    def state(self) -> dict[str, Any]:
        """Return what the page shows about the program and its windows."""
        return {"name": self.name, "state": "running", "windows": []}

    def obey(self, order: dict[str, Any]) -> None:
        """Do what the page asks for."""


class Server:
    """Serves one desktop to any number of browsers of the one person whom the platform lets in."""

    def __init__(self, desktop: Desktop, stream: Stream) -> None:
        self._desktop = desktop
        self._stream = stream
        self._listeners: set[WebSocketServerProtocol] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> WebSocketServer:
        """Begin to serve."""
        return await serve(
            self._handle,
            host,
            port,
            process_request=self._answer,
            compression=None,  # the screen is compressed already
            max_size=LARGEST_MESSAGE,
            ping_interval=20,
            ping_timeout=60,
        )

    def tell(self) -> None:
        """Send the state to every page."""
        message = json.dumps(self._desktop.state())
        for listener in set(self._listeners):
            task = asyncio.ensure_future(_send(listener, message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, path: str, headers: Any) -> Reply | None:
        """Answer a request that is not for a WebSocket; None lets one of ours begin."""
        path = urlsplit(path).path
        _, found, name = path.rpartition(MARK)
        if headers.get("Upgrade", "").lower() == "websocket":
            if not found or name not in ("screen", "events"):
                return _reply(HTTPStatus.NOT_FOUND)
            return None if _same_site(headers) else _reply(HTTPStatus.FORBIDDEN, b"Another site may not do this.")
        if found:
            return self._below(name)
        if not path.endswith("/"):
            return _reply(HTTPStatus.FOUND, extra=[("Location", f"./{path.rpartition('/')[2]}/")])
        return self._page()

    def _below(self, name: str) -> Reply:
        if name == "health":
            if self._desktop.ready():
                return _reply(HTTPStatus.OK, b"ready")
            return _reply(HTTPStatus.SERVICE_UNAVAILABLE, b"starting")
        file = self._desktop.icon if name == "icon.svg" and self._desktop.icon else PAGE / name
        return _file(file) if "/" not in name else _reply(HTTPStatus.NOT_FOUND)

    def _page(self) -> Reply:
        frames = f"'self' {self._desktop.portal}".strip()
        policy = (
            "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors {frames}"
        )
        extra = [("Content-Security-Policy", policy), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-cache")]
        return _reply(HTTPStatus.OK, (PAGE / "index.html").read_bytes(), "text/html; charset=utf-8", extra)

    async def _handle(self, socket: WebSocketServerProtocol, path: str) -> None:
        name = urlsplit(path).path.rpartition(MARK)[2]
        with contextlib.suppress(ConnectionClosed, ConnectionError):
            await (self._carry(socket) if name == "screen" else self._converse(socket))

    async def _carry(self, socket: WebSocketServerProtocol) -> None:
        """Carry bytes between a browser and the screen until either has enough."""
        try:
            reader, writer = await self._stream()
        except OSError:
            await socket.close(1011, "no screen")
            return
        try:
            ways = [asyncio.ensure_future(_down(reader, socket)), asyncio.ensure_future(_up(socket, writer))]
            _, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in rest:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            writer.close()

    async def _converse(self, socket: WebSocketServerProtocol) -> None:
        self._listeners.add(socket)
        try:
            await socket.send(json.dumps(self._desktop.state()))
            async for message in socket:
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    self._desktop.obey(json.loads(message))
        finally:
            self._listeners.discard(socket)


async def _down(reader: asyncio.StreamReader, socket: WebSocketServerProtocol) -> None:
    while data := await reader.read(CHUNK):
        await socket.send(data)


async def _up(socket: WebSocketServerProtocol, writer: asyncio.StreamWriter) -> None:
    async for message in socket:
        if isinstance(message, bytes):
            writer.write(message)
            await writer.drain()


async def _send(socket: WebSocketServerProtocol, message: str) -> None:
    with contextlib.suppress(ConnectionClosed):
        await socket.send(message)


def _same_site(headers: Any) -> bool:
    """Whether a browser's WebSocket was opened by a page of this very origin; programs send no origin."""
    origin = headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == headers.get("X-Forwarded-Host", headers.get("Host"))


def _file(file: Path) -> Reply:
    if not file.is_file():
        return _reply(HTTPStatus.NOT_FOUND)
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return _reply(HTTPStatus.OK, file.read_bytes(), kind, [("Cache-Control", "private, max-age=3600")])


def _reply(
    status: HTTPStatus,
    body: bytes = b"",
    kind: str = "text/plain; charset=utf-8",
    extra: list[tuple[str, str]] | None = None,
) -> Reply:
    headers = [("Content-Type", kind), ("X-Content-Type-Options", "nosniff"), ("Content-Length", str(len(body)))]
    return status, [*headers, *(extra or [])], body
