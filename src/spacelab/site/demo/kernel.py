"""Running a notebook in a session: a real kernel over a real WebSocket, through the edge.

The messages follow "Messaging in Jupyter", protocol 5.3, and the REST and WebSocket interface of Jupyter Server.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from spacelab.site.demo.messages import SUBPROTOCOL, decode, execute_request
from spacelab.site.demo.portal import Portal
from spacelab.site.demo.report import DemoError

CELL_PATIENCE = 120.0
"""Seconds that one cell may take."""


class Kernel:
    """A kernel of a JupyterLab session, addressed at the session's own origin."""

    def __init__(self, portal: Portal, base_url: str) -> None:
        self.portal = portal
        self.base_url = base_url.rstrip("/")
        self.id = ""
        self.socket: ClientConnection | None = None

    async def _request(self, method: str, path: str, **arguments: Any) -> Any:
        answer = await self.portal.http.request(method, self.base_url + path, **arguments)
        if answer.is_error:
            raise DemoError(f"{method} {path} in the session: {answer.status_code} {answer.text[:200]}")
        return answer.json() if answer.content else None

    async def read_notebook(self, path: str) -> dict[str, Any]:
        """Return the notebook document at `path`, a path below the server's root, as nbformat 4 JSON."""
        model = await self._request("GET", f"/api/contents/{quote(path)}?content=1")
        notebook: dict[str, Any] = model["content"]
        return notebook

    async def start(self) -> None:
        """Start a kernel and open its WebSocket."""
        page = await self.portal.http.get(f"{self.base_url}/lab")
        xsrf = self.portal.http.cookies.get("_xsrf") or page.cookies.get("_xsrf") or ""
        made = await self._request("POST", "/api/kernels", json={"name": "python3"}, headers={"X-XSRFToken": xsrf})
        self.id = made["id"]
        parts = urlsplit(self.base_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        port = parts.port or (443 if scheme == "wss" else 80)
        host = parts.hostname or ""
        self.socket = await connect(
            f"{scheme}://{parts.netloc}{parts.path}/api/kernels/{self.id}/channels",
            host="127.0.0.1" if host.endswith(".localhost") else host,
            port=port,
            additional_headers=self.portal.token_header,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=64 * 1024 * 1024,
        )

    async def run(self, code: str) -> str:
        """Run one cell and return what it printed; raise `DemoError` with the traceback's last line if it failed."""
        try:
            return await asyncio.wait_for(self._run(code), CELL_PATIENCE)
        except TimeoutError as error:
            raise DemoError(f"a cell took longer than {CELL_PATIENCE:.0f} s") from error

    async def _run(self, code: str) -> str:
        if self.socket is None:
            raise DemoError("the kernel was not started")
        message_id, frame = execute_request(code)
        await self.socket.send(frame)
        printed = ""
        async for raw in self.socket:
            if isinstance(raw, str):
                continue
            message = decode(raw)
            if message.get("parent_header", {}).get("msg_id") != message_id:
                continue
            kind, body = message["header"]["msg_type"], message["content"]
            if kind == "stream":
                printed += body["text"]
            elif kind == "error":
                raise DemoError(f"a cell failed: {body['ename']}: {body['evalue']}")
            elif kind == "status" and body["execution_state"] == "idle":
                return printed
        raise DemoError("the kernel's WebSocket was closed")

    async def close(self) -> None:
        """Close the WebSocket; the kernel ends with its session."""
        if self.socket is not None:
            await self.socket.close()
