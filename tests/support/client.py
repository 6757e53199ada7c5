"""A signed-in client of a test's platform, by its API and by its sessions' own origins."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from spacelab.site.demo.messages import SUBPROTOCOL, decode, execute_request
from support.platform import Platform

PATIENCE = 120.0


class Client:
    """One demo person, with a token."""

    def __init__(self, platform: Platform, username: str = "demo-scientist") -> None:
        self.platform = platform
        self.http = httpx.Client(timeout=60)
        made = self.api("POST", "/demo-tokens", json={"username": username})
        self.token = made.raise_for_status().json()["token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def api(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Call the API."""
        url = f"http://127.0.0.1:{self.platform.port}/api/v1{path}"
        return self.http.request(method, url, headers={"Host": f"localhost:{self.platform.port}"}, **arguments)

    def inside(self, session: str, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Ask a session's own origin, through the edge."""
        headers = {"Host": f"{session}.localhost:{self.platform.port}", **arguments.pop("headers", {})}
        return self.http.request(method, f"http://127.0.0.1:{self.platform.port}{path}", headers=headers, **arguments)

    def launch(self, datalab: str = "jupyterlab", **wanted: Any) -> str:
        """Launch a datalab, wait until it runs, and return the session's id."""
        body = {"datalab": datalab, "profile": "small", "volumes": ["hipparcos"], "teams": [], **wanted}
        session: str = self.api("POST", "/sessions", json=body).raise_for_status().json()["id"]
        self.wait_for(session, "running")
        return session

    def wait_for(self, session: str, phase: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait until the session is in this phase; fail at once if it ended in another one."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.api("GET", f"/sessions/{session}").raise_for_status().json()
            if found["phase"] == phase:
                return found
            if found["phase"] in {"failed", "stopped", "succeeded"}:
                raise AssertionError(f"the session {found['phase']}: {found}")
            time.sleep(0.1)
        raise AssertionError(f"the session is not {phase} after {seconds} s")

    def stop(self, session: str) -> None:
        """Stop the session and wait for its end."""
        self.api("DELETE", f"/sessions/{session}").raise_for_status()
        self.wait_for(session, "stopped")


class Kernel:
    """A kernel of a JupyterLab session."""

    def __init__(self, client: Client, session: str) -> None:
        self.client = client
        self.session = session
        page = client.inside(session, "GET", f"/datalabs/{session}/lab")
        xsrf = page.cookies.get("_xsrf") or ""
        made = client.inside(
            session,
            "POST",
            f"/datalabs/{session}/api/kernels",
            json={"name": "python3"},
            headers={"X-XSRFToken": xsrf, "Cookie": f"_xsrf={xsrf}"},
        )
        self.id: str = made.raise_for_status().json()["id"]
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        """Ask until it answers: what it is asked while it starts may be lost, and its state is told only afterwards."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                self.run("", timeout=5)
                return
        raise AssertionError("the kernel never answered")

    def connect(self) -> ClientConnection:
        """Open the kernel's WebSocket, through the edge."""
        port = self.client.platform.port
        return connect(
            f"ws://{self.session}.localhost:{port}/datalabs/{self.session}/api/kernels/{self.id}/channels",
            sock=socket.create_connection(("127.0.0.1", port), timeout=60),  # the C library knows no *.localhost
            proxy=None,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            additional_headers={"Authorization": f"Bearer {self.client.token}"},
            open_timeout=60,
        )

    def send(self, stream: ClientConnection, code: str) -> str:
        """Ask for a cell to be run and return the message's id."""
        message, frame = execute_request(code)
        stream.send(frame)
        return message

    def run(self, code: str, timeout: float = PATIENCE) -> str:
        """Run a cell and return what it printed, tracebacks included."""
        printed = ""
        with self.connect() as stream:
            asked = self.send(stream, code)
            while True:
                message = decode(stream.recv(timeout, decode=False))
                if message.get("parent_header", {}).get("msg_id") != asked:
                    continue
                kind, body = message["header"]["msg_type"], message["content"]
                if kind == "stream":
                    printed += body["text"]
                elif kind == "error":
                    printed += f"{body['ename']}: {body['evalue']}"
                elif kind == "status" and body["execution_state"] == "idle":
                    return printed
