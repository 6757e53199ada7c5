"""What the front keeps from Django, and what it tells Django."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spacelab.edge.answers import Message, Receive, Scope, Send
from spacelab.edge.front import Front


async def ask(host: str, path: str, **headers: str) -> tuple[list[Scope], list[Message]]:
    reached: list[Scope] = []
    sent: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {}

    front = Front(inner, portal_url="https://lab.example.org", apps_domain="example.org", run_directory=Path("/none"))
    fields = [(b"host", host.encode()), *((name.encode(), value.encode()) for name, value in headers.items())]
    scope: dict[str, Any] = {"type": "http", "path": path, "method": "GET", "query_string": b"", "headers": fields}
    await front(scope, receive, send)
    return reached, sent


async def test_the_portal_is_djangos_with_the_visitors_address() -> None:
    reached, _ = await ask("lab.example.org", "/sessions", **{"x-real-ip": "203.0.113.9"})
    assert reached[0]["client"] == ("203.0.113.9", 0)


@pytest.mark.parametrize("path", ["/sessions", "/accounts/sign-in", "/api/v1/sessions", "/"])
@pytest.mark.parametrize("host", ["abcdefghjk23.example.org", "www.example.org", "ABCDEFGHJK23.EXAMPLE.ORG:443"])
async def test_no_page_of_the_portal_is_served_on_another_origin(host: str, path: str) -> None:
    reached, sent = await ask(host, path)
    assert not reached
    assert sent[0]["status"] == 404


async def test_a_question_about_no_session_is_answered_with_no() -> None:
    reached, sent = await ask("lab.example.org", "/edge/authorize")
    assert not reached
    assert sent[0]["status"] == 404
