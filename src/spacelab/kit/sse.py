"""Server-sent events: their wire form, and a stream that looks for news without holding a thread per viewer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import close_old_connections, connections
from django.http import StreamingHttpResponse

HEARTBEAT_SECONDS = 15.0
"""A comment this often keeps proxies from closing a quiet stream, and notices a viewer who left."""

LONGEST_STREAM_SECONDS = 3600.0
"""A stream ends after this; browsers come back by themselves, and are asked again who they are."""

LOOKERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="sse")
"""All streams of a process share these threads for their looks at the database."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Event:
    """One event; `data` is anything that JSON can hold."""

    name: str
    data: Any
    id: str = ""

    def encode(self) -> bytes:
        """Return the event in its wire form (WHATWG HTML, section 9.2)."""
        identity = f"id: {self.id}\n" if self.id else ""
        return f"{identity}event: {self.name}\ndata: {json.dumps(self.data, ensure_ascii=False)}\n\n".encode()


@dataclass(frozen=True)
class News:
    """What one look found: the events to send, whether they are the last, and seconds until the next look."""

    events: tuple[Event, ...] = ()
    final: bool = False
    pause: float = 0.5


class Differences:
    """Remembers what a viewer was sent, so that only what changed is sent again."""

    def __init__(self) -> None:
        self._sent: dict[str, Any] = {}

    def of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that differ from those returned before under the same key."""
        changed = {key: value for key, value in values.items() if self._sent.get(key) != value}
        self._sent.update(changed)
        return changed


def in_pool(function: Callable[Given, Result]) -> Callable[Given, Awaitable[Result]]:
    """Make an awaitable of a function that reads the database, run by the shared threads."""

    def call(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return sync_to_async(call, thread_sensitive=False, executor=LOOKERS)


async def release_request_thread() -> None:
    """End the thread that Django's middleware took for this request, with its database connections.

    It would otherwise wait, idle, for as long as the stream is open. Outside the ASGI handler there is none.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context is None or context not in SyncToAsync.context_to_thread_executor:
        return
    await sync_to_async(connections.close_all, thread_sensitive=True)()
    executor = SyncToAsync.context_to_thread_executor.pop(context)
    executor.shutdown(wait=False)


async def follow(
    look: Callable[[], Awaitable[News]],
    *,
    heartbeat: float = HEARTBEAT_SECONDS,
    longest: float = LONGEST_STREAM_SECONDS,
) -> AsyncIterator[bytes]:
    """Look for news again and again and yield it, with heartbeats between, until a look says it was the last."""
    await release_request_thread()
    began = spoke = time.monotonic()
    yield b"retry: 2000\n\n"
    while time.monotonic() - began < longest:
        news = await look()
        for event in news.events:
            yield event.encode()
            spoke = time.monotonic()
        if news.final:
            return
        if time.monotonic() - spoke >= heartbeat:
            yield b": still here\n\n"
            spoke = time.monotonic()
        await asyncio.sleep(news.pause)


def response(stream: AsyncIterator[bytes] | Iterable[bytes]) -> StreamingHttpResponse:
    """Wrap the stream into an answer that neither proxies nor browsers buffer or keep."""
    answer = StreamingHttpResponse(stream, content_type="text/event-stream; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    answer["X-Accel-Buffering"] = "no"
    return answer
