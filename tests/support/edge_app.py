"""An application that knows nothing of the platform: says what reached it, echoes, streams and swallows."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SMALL = b"x" * 1024
CHUNK = b"\0" * 262_144


async def _send(send: Send, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def _say_request(scope: Message, receive: Receive, send: Send) -> None:
    pairs = [(name.decode(), value.decode()) for name, value in scope["headers"]]
    body = {"app": os.environ.get("APP_NAME", ""), "path": scope["path"], "headers": pairs}
    cookie = (b"set-cookie", b"theirs=1; Domain = localhost; Path=/")
    await _send(send, json.dumps(body).encode(), (b"content-type", b"application/json"), cookie)


async def _swallow(scope: Message, receive: Receive, send: Send) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await _send(send, str(size).encode())


async def _events(scope: Message, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number in range(100):
        await send({"type": "http.response.body", "body": f"data: {number}\n\n".encode(), "more_body": True})
        await asyncio.sleep(0.3)
    await send({"type": "http.response.body", "body": b""})


async def _download(scope: Message, receive: Receive, send: Send) -> None:
    size = int(scope["query_string"] or b"0")
    headers = [(b"content-length", str(size).encode()), (b"content-type", b"application/octet-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(size // len(CHUNK)):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": CHUNK[: size % len(CHUNK)]})


async def _text(scope: Message, receive: Receive, send: Send) -> None:
    await _send(send, b"a line of text\n" * 1000, (b"content-type", b"text/plain"))


async def _small(scope: Message, receive: Receive, send: Send) -> None:
    await _send(send, SMALL, (b"content-type", b"application/octet-stream"))


async def _page(scope: Message, receive: Receive, send: Send) -> None:
    body = b"<!doctype html><title>The app</title><h1 id=app>It runs</h1>"
    await _send(send, body, (b"content-type", b"text/html"))


async def _echo(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        kept = {key: message[key] for key in ("text", "bytes") if message.get(key) is not None}
        await send({"type": "websocket.send", **kept})


PAGES = {
    "/headers": _say_request,
    "/swallow": _swallow,
    "/events": _events,
    "/download": _download,
    "/text": _text,
    "/small": _small,
}


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Serve the application (ASGI)."""
    if scope["type"] == "http":
        await PAGES.get(scope["path"], _page)(scope, receive, send)
    elif scope["type"] == "websocket":
        await _echo(receive, send)
