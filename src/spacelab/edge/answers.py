"""Raw ASGI answers: what the edge's own handlers send back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from django.template.loader import render_to_string

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

NO_STORE: Header = (b"cache-control", b"no-store")
PAGE_POLICY: Header = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
)
"""For a page with one style element and nothing else; it holds no text that it does not escape."""


async def answer(send: Send, status: int, headers: Iterable[Header] = (), body: bytes = b"") -> None:
    """Send a whole answer that nobody may keep."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [length, NO_STORE, *headers]})
    await send({"type": "http.response.body", "body": body})


async def say(send: Send, status: int, sentence: str) -> None:
    """Send a plain sentence, for programs."""
    await answer(send, status, [(b"content-type", b"text/plain; charset=utf-8")], f"{sentence}\n".encode())


async def show(
    send: Send, status: int, *, title: str, message: str, link: str, link_text: str, refresh: int = 0
) -> None:
    """Send a page that needs nothing else; it asks again after `refresh` seconds, if that is not 0."""
    context = {"title": title, "message": message, "link": link, "link_text": link_text, "refresh": refresh}
    body = render_to_string("edge/standing.html", context).encode()
    await answer(send, status, [(b"content-type", b"text/html; charset=utf-8"), PAGE_POLICY], body)


async def redirect(send: Send, status: int, location: str, headers: Iterable[Header] = ()) -> None:
    """Send the browser elsewhere."""
    await answer(send, status, [(b"location", location.encode()), (b"referrer-policy", b"no-referrer"), *headers])
