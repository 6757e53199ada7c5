"""The edge with authorisation against the same Caddy without: small files, a large download, a WebSocket's round trip.

Run from the repository: `python benchmarks/edge.py [--json FILE]`. It starts everything it needs on loopback and ends
it. Each ratio is taken in one run on one machine, the two sides by turns; the bars are those of the documentation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import httpx  # noqa: E402  the path comes first
from websockets.asyncio.client import connect  # noqa: E402  as above

from support.edge import CADDY, CADDYFILE, Edge, running_edge  # noqa: E402  as above
from support.ports import free_port  # noqa: E402  as above

SMALL = 1024
GIBIBYTE = 1024**3
ROUNDS = 5
WRK_SECONDS = 4
CONNECTIONS = 16
DOWNLOADS = 5
ROUND_TRIPS = 2000

FILES = """{
	admin off
	auto_https off
	persist_config off
	log default {
		level WARN
	}
}
http:// {
	bind unix/{$FILES_SOCKET}
	root {$FILES_ROOT}
	file_server
}
"""


def without_authorisation(upstream: str) -> str:
    """Return the platform's Caddyfile with the question left out and a fixed upstream."""
    text = CADDYFILE.read_text()
    text = text.replace("\t\timport authorize\n", "").replace("\timport authorize\n", "")
    text = re.sub(r"\t\theader_up X-Spacelab-.*\n", "", text)
    text = text.replace("unix/{$SPACELAB_STREAMS_SOCKET}", upstream)
    return text.replace("{http.reverse_proxy.header.X-Upstream}", upstream)


class Bench:
    """A running edge, and beside it the same Caddy that asks nobody."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.files = edge.run / "files.sock"
        self._serve_files()
        app = edge.start_app("app")
        self.session = edge.call("session", "ada", f"unix/{self.files}")
        self.echo = edge.call("session", "ada", app)
        self.headers = {
            "files": edge.enter("ada", self.session),
            "echo": edge.enter("ada", self.echo),
        }
        self.plain = {"files": self._plain("files", f"unix/{self.files}"), "echo": self._plain("echo", app)}

    def _serve_files(self) -> None:
        folder = self.edge.state / "files"
        folder.mkdir()
        (folder / "small").write_bytes(b"x" * SMALL)
        with (folder / "large").open("wb") as large:
            for _ in range(1024):
                large.write(b"\0" * 1_048_576)
        config = self.edge.state / "files.Caddyfile"
        config.write_text(FILES)
        argv = [str(CADDY), "run", "--config", str(config), "--adapter", "caddyfile"]
        self.edge.spawn("files", argv, {"FILES_SOCKET": str(self.files), "FILES_ROOT": str(folder)})

    def _plain(self, name: str, upstream: str) -> Edge:
        config = self.edge.state / f"plain-{name}.Caddyfile"
        config.write_text(without_authorisation(upstream))
        plain = Edge(state=self.edge.state, port=free_port(), processes=self.edge.processes, caddyfile=config)
        plain.start_caddy()
        self.edge.processes[f"plain-{name}"] = self.edge.processes.pop("caddy")
        return plain


def wrk(edge: Edge, path: str, headers: dict[str, str]) -> dict[str, float]:
    """Return requests per second and the 99th percentile in ms."""
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{WRK_SECONDS}s", "--latency"]
    for name, value in headers.items():
        argv += ["-H", f"{name}: {value}"]
    text = subprocess.run([*argv, f"{edge.base}{path}"], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise RuntimeError(text)
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", text)[0])
    number, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", text)[0]
    return {"rate": rate, "p99_ms": float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]}


def download(edge: Edge, headers: dict[str, str]) -> float:
    """Return bytes per second of one download of 1 GiB."""
    argv = ["curl", "-s", "-o", "/dev/null", "-w", "%{speed_download} %{size_download}"]
    for name, value in headers.items():
        argv += ["-H", f"{name}: {value}"]
    text = subprocess.run([*argv, f"{edge.base}/large"], capture_output=True, text=True, check=True).stdout
    speed, size = text.split()
    if int(size) != GIBIBYTE:
        raise RuntimeError(text)
    return float(speed)


async def round_trips(edge: Edge, session: str, headers: dict[str, str]) -> list[float]:
    """Return the times in ms of echoes of a kernel message's size."""
    message = b"m" * 600
    extra = {name: value for name, value in headers.items() if name != "Host"}
    url = f"ws://{session}.localhost:{edge.port}/ws"
    times = []
    async with connect(
        url, host="127.0.0.1", port=edge.port, additional_headers=extra, proxy=None, compression=None
    ) as socket:
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter()
            await socket.send(message)
            await socket.recv()
            times.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.0005)
    return times


def by_turns(one: Callable[[], Any], other: Callable[[], Any], rounds: int) -> tuple[list[Any], list[Any]]:
    """Run both by turns, so that neither has the quieter machine."""
    pairs = [(one(), other()) for _ in range(rounds)]
    return [first for first, _ in pairs], [second for _, second in pairs]


def measure(bench: Bench) -> dict[str, Any]:
    """Take all measurements."""
    files, echo = bench.headers["files"], bench.headers["echo"]
    plain_files, plain_echo = bench.plain["files"], bench.plain["echo"]
    with httpx.Client() as client:
        for edge in (bench.edge, plain_files):
            answer = client.get(f"{edge.base}/small", headers=files)
            if len(answer.content) != SMALL:
                raise RuntimeError(answer.text)
    small, small_plain = by_turns(
        lambda: wrk(bench.edge, "/small", files), lambda: wrk(plain_files, "/small", files), ROUNDS
    )
    large, large_plain = by_turns(lambda: download(bench.edge, files), lambda: download(plain_files, files), DOWNLOADS)
    trips, trips_plain = by_turns(
        lambda: statistics.median(asyncio.run(round_trips(bench.edge, bench.echo, echo))),
        lambda: statistics.median(asyncio.run(round_trips(plain_echo, bench.echo, echo))),
        3,
    )

    def middle(values: list[dict[str, float]], key: str) -> float:
        return statistics.median(value[key] for value in values)

    return {
        "small_requests_per_second": middle(small, "rate"),
        "small_requests_per_second_without": middle(small_plain, "rate"),
        "small_ratio": middle(small, "rate") / middle(small_plain, "rate"),
        "small_p99_ms": middle(small, "p99_ms"),
        "small_p99_ms_without": middle(small_plain, "p99_ms"),
        "small_p99_ratio": middle(small_plain, "p99_ms") / middle(small, "p99_ms"),
        "large_mb_per_second": statistics.median(large) / 1e6,
        "large_mb_per_second_without": statistics.median(large_plain) / 1e6,
        "large_ratio": statistics.median(large) / statistics.median(large_plain),
        "websocket_ms": statistics.median(trips),
        "websocket_ms_without": statistics.median(trips_plain),
        "websocket_added_ms": statistics.median(trips) - statistics.median(trips_plain),
    }


BARS: dict[str, Callable[[float], bool]] = {
    "small_ratio": lambda value: value >= 0.5,
    "small_p99_ratio": lambda value: value >= 0.5,
    "large_ratio": lambda value: value >= 0.9,
    "websocket_added_ms": lambda value: value <= 1.0,
}


def main() -> int:
    """Measure, print, and say by the exit status whether all bars hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None or shutil.which("curl") is None:
        print("This benchmark needs wrk and curl: apt-get install wrk curl")
        return 2
    with running_edge() as edge:
        numbers = measure(Bench(edge))
    for name, value in numbers.items():
        bar = BARS.get(name)
        print(f"{name:36} {value:12.3f}  {'' if bar is None else 'holds' if bar(value) else 'MISSED'}")
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=2) + "\n")
    missed = [name for name, bar in BARS.items() if not bar(numbers[name])]
    print("edge: all bars hold" if not missed else f"edge: missed {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
