"""A list of containers, from an engine that refuses to give one while a container ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from docker.errors import APIError

from spacelab.workloads.runtimes.container.engine import Engine

GONE = "read /proc/9354/cgroup: no such process"
"""What Podman 4.3 says."""


class Answers(BaseHTTPRequestHandler):
    """Answers as an engine does; each list takes the next of what the server was told to say."""

    def do_GET(self) -> None:
        refusals: list[str] = self.server.refusals  # type: ignore[attr-defined]
        refusal = refusals.pop(0) if "/containers/json" in self.path and refusals else ""
        body = json.dumps({"message": refusal} if refusal else [{"Names": ["/one"]}]).encode()
        self.send_response(500 if refusal else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.mark.parametrize(("refusals", "given"), [([GONE] * 2, True), ([GONE] * 9, False), (["no space left"], False)])
def test_a_container_that_ends_meanwhile_keeps_nobody_from_the_list(
    server: ThreadingHTTPServer, tmp_path: Path, refusals: list[str], *, given: bool
) -> None:
    server.refusals = list(refusals)  # type: ignore[attr-defined]
    engine = Engine(f"tcp://127.0.0.1:{server.server_port}", tmp_path)
    if given:
        assert list(engine.list("a=b")) == ["one"]
    else:
        with pytest.raises(APIError, match=refusals[0]):
            engine.list("a=b")
