"""An application that answers slowly, or not at all, holds nobody up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from spacelab.workloads.rules import Interface, Kind, WorkloadSpec
from spacelab.workloads.runtimes.shared import interfaces, probe
from spacelab.workloads.runtimes.shared.interfaces import InterfaceWatch
from support.workloads import AtOnce


def serve(path: Path, answer: Callable[[socket.socket], None]) -> None:
    """Answer one connection at `path`."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()

    def one() -> None:
        with listener, listener.accept()[0] as connection:
            connection.recv(4096)
            try:
                answer(connection)
            except OSError:
                return

    threading.Thread(target=one, daemon=True).start()


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_dripped_answer_is_given_up_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    monkeypatch.setattr(probe, "TIMEOUT", 0.4)

    def drip(connection: socket.socket) -> None:
        connection.sendall(beginning)
        while True:  # until whoever asked hangs up
            connection.sendall(b"H")
            time.sleep(0.1)

    serve(tmp_path / "main.sock", drip)
    assert probe.get(tmp_path / "main.sock", "/") == (0, b"")


def test_an_answer_is_read_without_waiting_for_the_connections_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "TIMEOUT", 60.0)
    read = threading.Event()

    def stay(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n" + b'[{"execution_state":"busy"}]'[:27])
        stayed.append(read.wait(50))

    stayed: list[bool] = []
    serve(tmp_path / "main.sock", stay)
    assert probe.get(tmp_path / "main.sock", "/")[0] == 200
    assert not stayed
    read.set()


def spec(**interface: Any) -> WorkloadSpec:
    return WorkloadSpec("w", "ada", Kind.INTERACTIVE, ("true",), interface=Interface(**interface))


@pytest.mark.parametrize(
    ("interface", "misplaced"),
    [({}, "/"), ({"path": "/datalabs/{id}/", "health_path": "/datalabs/{id}/"}, "/datalabs/w/"), ({"path": "/x"}, "")],
    ids=["root", "below", "health elsewhere"],
)
def test_an_application_that_finds_nothing_where_it_opens_is_ready_and_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interface: dict[str, str], misplaced: str
) -> None:
    asked: list[str] = []
    statuses = [404, 200]

    def answer(path: Path, target: str) -> int:
        asked.append(target)
        return statuses[0 if path.name == "early" else 1]

    monkeypatch.setattr(probe, "answers", answer)
    monkeypatch.setattr(interfaces, "LOOK_AGAIN", 0.0)
    watch, mark = InterfaceWatch(), tmp_path / "ready"
    with AtOnce() as pool:
        watch.ask(pool, spec(**interface), Path("early"), mark)
        watch.take(mark)
        assert (watch.ready, watch.misplaced) == (True, misplaced)
        fresh = InterfaceWatch()
        assert (fresh.was_ready(mark), fresh.misplaced) == (True, misplaced)
        watch.ask(pool, spec(**interface), Path("late"), mark)
        watch.take(mark)
    assert (watch.ready, watch.misplaced, len(asked)) == (True, "", 2 if misplaced else 1)


def test_what_is_not_http_is_no_answer(tmp_path: Path) -> None:
    serve(tmp_path / "main.sock", lambda connection: connection.sendall(b"\0\xff nonsense\r\n\r\n"))
    assert not probe.answers(tmp_path / "main.sock", "/")
    assert not probe.answers(tmp_path / "nobody.sock", "/")


def test_an_answer_made_to_do_harm_hurts_no_observation(tmp_path: Path) -> None:
    body = b"[" * 100_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    serve(tmp_path / "main.sock", lambda connection: connection.sendall(head + body))
    assert not probe.jupyter_is_busy(tmp_path / "main.sock", "")
    watch = InterfaceWatch()
    for name in ("_readiness", "_business"):
        failed: Future[bool] = Future()
        failed.set_exception(RecursionError())
        setattr(watch, name, failed)
    watch.take(tmp_path / "ready")
    assert (watch.ready, watch.busy, watch._readiness, watch._business) == (False, False, None, None)
