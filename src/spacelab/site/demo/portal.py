"""Talking to a running platform: its API, its event streams, and a session through the edge."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from spacelab.site.demo.report import DemoError

PATIENCE = 30.0
"""Seconds that one answer may take."""


class LoopbackNames(httpx.AsyncHTTPTransport):
    """Connects `*.localhost` to this machine, as browsers do and the C library does not."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not (request.url.host.endswith(".localhost") or request.url.host == "localhost"):
            return await super().handle_async_request(request)
        here = httpx.Request(  # a new one: cookies belong to the name that was asked for
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await super().handle_async_request(here)


class Portal:
    """A signed-in client of one platform."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.AsyncClient(base_url=url, timeout=PATIENCE, transport=LoopbackNames())

    async def close(self) -> None:
        await self.http.aclose()

    async def call(self, method: str, path: str, **arguments: Any) -> Any:
        """Call the API and return its JSON; raise `DemoError` with the platform's own words on a refusal."""
        try:
            answer = await self.http.request(method, f"/api/v1{path}", **arguments)
        except httpx.HTTPError as error:
            raise DemoError(f"{method} {path}: the platform doesn't answer ({error!r})") from error
        if answer.is_error:
            raise DemoError(f"{method} {path}: {answer.status_code} {self._words(answer)}")
        return answer.json() if answer.content else None

    @staticmethod
    def _words(answer: httpx.Response) -> str:
        try:
            problem = answer.json()
        except ValueError:
            return answer.text[:300]
        return " ".join(str(problem.get(key, "")) for key in ("detail", "advice")).strip() or str(problem)[:300]

    async def sign_in(self, username: str, password: str | None = None) -> None:
        """Get a token, with a password or as a demo person, and use it from now on."""
        if password is None:
            made = await self.call("POST", "/demo-tokens", json={"username": username})
        else:
            made = await self.call("POST", "/tokens", json={"username": username, "password": password})
        self.http.headers["Authorization"] = f"Bearer {made['token']}"

    @property
    def token_header(self) -> dict[str, str]:
        """The header that proves who is asking, for a WebSocket."""
        return {"Authorization": self.http.headers["Authorization"]}

    async def events(self, session: str) -> AsyncIterator[dict[str, Any]]:
        """Yield a session's phase changes from its event stream, as they happen."""
        path = f"/api/v1/sessions/{quote(session)}/events"
        timeout = httpx.Timeout(PATIENCE, read=120.0)
        async with self.http.stream("GET", path, timeout=timeout) as answer:
            if answer.is_error:
                raise DemoError(f"the event stream answers {answer.status_code}")
            name, data = "", ""
            async for line in answer.aiter_lines():
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    data += line[5:].strip()
                elif not line and (name or data):
                    if name == "end":
                        return
                    if data:
                        yield json.loads(data)
                    name, data = "", ""

    def origin(self, session_url: str) -> str:
        """Return the origin of a session's address."""
        parts = urlsplit(session_url)
        return f"{parts.scheme}://{parts.netloc}"
