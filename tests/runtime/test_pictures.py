"""Pictures of interfaces by a real Chromium: the page is drawn, and a hostile one reaches nothing else."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import settings

from spacelab.site import doctor
from spacelab.testing import picture
from support.chromium import CHROMIUM

UID = settings.SPACELAB.workload_uid if os.geteuid() == 0 else None
asked: list[str] = []


class Elsewhere(BaseHTTPRequestHandler):
    """Something else on this machine's loopback that a page would like to talk to."""

    def do_GET(self) -> None:  # the name is http.server's
        asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[int]:
    asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def answer(listener: socket.socket, page: bytes, seen: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            seen.append(connection.recv(65536).split(b"\r\n")[0])
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
            connection.sendall(head + page)


def draw(state: Path, page: str) -> tuple[bytes, list[bytes]]:
    seen: list[bytes] = []
    path = state / "main.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen()
        threading.Thread(target=answer, args=(listener, page.encode(), seen), daemon=True).start()
        drawn = picture.take(CHROMIUM, f"unix/{path}", "/datalabs/x/lab", UID)
        listener.shutdown(socket.SHUT_RDWR)
    return drawn, seen


def test_an_interface_is_drawn_and_reaches_nothing_else(state: Path, elsewhere: int) -> None:
    page = (
        "<body style='background:#c03'><h1>Stars</h1>"
        f"<img src='http://127.0.0.1:{elsewhere}/img'><iframe src='file:///etc/passwd'></iframe>"
        f"<script>fetch('http://localhost:{elsewhere}/fetch', {{mode: 'no-cors'}})"
        ".catch(() => fetch('/told-no-way-out'))</script>"
    )
    drawn, seen = draw(state, page)
    assert drawn.startswith(picture.PNG)
    assert len(drawn) > 3000
    assert b"GET /datalabs/x/lab HTTP/1.1" in seen
    assert b"GET /told-no-way-out HTTP/1.1" in seen, "its script ran, and found no way out"
    assert asked == []


def test_without_a_browser_there_is_no_picture(state: Path) -> None:
    assert picture.take("", f"unix/{state}/main.sock", "/", UID) == b""
    assert picture.take("/nonexistent", f"unix/{state}/main.sock", "/", UID) == b""


def test_the_doctor_says_whether_pictures_can_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.SPACELAB, "browser", CHROMIUM)
    assert doctor._pictures(settings.SPACELAB).ok
    monkeypatch.setattr(settings.SPACELAB, "browser", "/nonexistent")
    assert "Name a Chromium" in doctor._pictures(settings.SPACELAB).remedy
    monkeypatch.setattr(settings.SPACELAB, "browser", "")
    assert "take none" in doctor._pictures(settings.SPACELAB).detail
