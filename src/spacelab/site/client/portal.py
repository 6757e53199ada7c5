"""Asking a platform's API: one call, one upload, one log; refusals come back as the platform's own words."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from spacelab.site.client.access import Access
from spacelab.site.client.trouble import Refused, Unreachable, Wrong

PATIENCE = 60.0
"""Seconds that one answer may take."""
UPLOAD_PATIENCE = 600.0
"""Seconds that the platform may take to look into an upload."""
TRIES, PAUSE = 5, 1.0
"""How often a read is tried while the platform does not answer, as during its restart; the pause doubles."""
MOST = 200
"""Entries of one answer, as the API allows."""

SERVER_TROUBLE = 500
UNAUTHORIZED = 401


class _Watched(io.FileIO):
    """A file that says how much of it was read."""

    def __init__(self, file: Path, told: Callable[[int], None]) -> None:
        super().__init__(file, "rb")
        self.told = told

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(-1 if size is None else size) or b""
        self.told(self.tell())
        return found


class Portal:
    """A platform, asked with somebody's token."""

    def __init__(self, access: Access) -> None:
        self.url = access.url
        self.has_answered = False
        self.http = httpx.Client(
            base_url=f"{access.url}/api/v1",
            timeout=PATIENCE,
            headers={"Authorization": f"Bearer {access.token}", "User-Agent": "spacelab-datalab"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> Any:
        """Read something; tried again for a while where a platform that did answer does so no more."""
        pause = PAUSE
        for left in reversed(range(TRIES)):
            try:
                return self._said(self._send("GET", path, params=query))
            except Unreachable:
                if not left or not self.has_answered:
                    raise
            time.sleep(pause)
            pause *= 2
        return None

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Change something; never twice by itself."""
        return self._said(self._send(method, path, json=body) if body is not None else self._send(method, path))

    def upload(self, path: str, field: str, file: Path, name: str, told: Callable[[int], None]) -> Any:
        """Send a file; `told` hears how many bytes are on their way."""
        timeout = httpx.Timeout(PATIENCE, read=UPLOAD_PATIENCE)
        with _Watched(file, told) as content:
            return self._said(self._send("POST", path, files={field: (name, content)}, timeout=timeout))

    def text(self, path: str, **query: Any) -> httpx.Response:
        """Read something that is no JSON."""
        return self._good(self._send("GET", path, params=query))

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of a list, part after part."""
        offset = 0
        while True:
            part = self.get(path, offset=offset, limit=MOST)
            yield from part["items"]
            offset += MOST
            if offset >= part["count"] or not part["items"]:
                return

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            return self.http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise Unreachable(f"{self.url} does not answer ({error}).", "Is the address right?") from error

    def _said(self, answer: httpx.Response) -> Any:
        self._good(answer)
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            raise Unreachable(f"{self.url} is no Spacelab: it answers no JSON.", "Is the address right?") from error

    def _good(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            self.has_answered = True
            return answer
        try:
            problem = answer.json()
            words, advice = str(problem.get("detail", "")), str(problem.get("advice", ""))
        except (ValueError, AttributeError):
            words, advice = "", ""
        if answer.status_code == UNAUTHORIZED:
            raise Wrong(words or "The token was not accepted.", "Run `spacelab datalab sign-in URL`.")
        if not words and (answer.status_code >= SERVER_TROUBLE or answer.is_redirect):
            raise Unreachable(f"{self.url} answers {answer.status_code}.", "Try again, or tell an operator.")
        raise Refused(words or f"{self.url} answers {answer.status_code}.", advice, answer.status_code)


def path_of(*parts: str) -> str:
    """Join the parts of an address, none of which can become two."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def as_text(data: Any) -> str:
    """Write data for a program."""
    return json.dumps(data, indent=2, ensure_ascii=False)
