"""Large, compressed and interrupted transfers through the real edge."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import psutil

from edge.conftest import Lab
from support.edge import Edge

BLOCK = b"\0" * 1_048_576
UPLOAD_BLOCKS = 300


def test_an_upload_of_300_mb_is_streamed(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    programs = [psutil.Process(edge.processes[name].pid) for name in ("caddy", "web")]
    before = sum(program.memory_info().rss for program in programs)
    highest = 0

    def blocks() -> Iterator[bytes]:
        nonlocal highest
        for number in range(UPLOAD_BLOCKS):
            yield BLOCK
            if number % 20 == 0:
                highest = max(highest, sum(program.memory_info().rss for program in programs))

    answer = http.post("/swallow", headers=lab.headers, content=blocks(), timeout=120)
    assert answer.text == str(UPLOAD_BLOCKS * len(BLOCK))
    assert highest - before < 50_000_000


def test_a_download_arrives_whole(http: httpx.Client, lab: Lab) -> None:
    size = 30_000_001
    with http.stream("GET", f"/download?{size}", headers=lab.headers) as answer:
        assert sum(len(part) for part in answer.iter_raw()) == size


def test_text_is_compressed_for_who_understands_it(http: httpx.Client, lab: Lab) -> None:
    packed = http.get("/text", headers={**lab.headers, "Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    plain = http.get("/text", headers={**lab.headers, "Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text


def test_a_killed_web_program_only_delays(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    assert http.get("/headers", headers=lab.headers).status_code == 200
    edge.kill("web")
    again = threading.Timer(1.0, edge.start_web)
    again.start()
    began = time.monotonic()
    assert http.get("/headers", headers=lab.headers).status_code == 200
    assert time.monotonic() - began > 0.9
    again.join()
    assert http.get("/headers", headers=lab.headers).json()["app"] == "one"
