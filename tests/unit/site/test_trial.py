"""Trying a package on one's own machine: what the command line is read to mean, and who is let through the port."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacelab.kit.refusals import Invalid
from spacelab.site import package_program
from spacelab.site.trial.forwarding import Target, forwarding, is_for_loopback
from spacelab.site.trial.program import volume_mounts


@pytest.mark.parametrize(
    ("head", "let_in"),
    [
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n", True),
        ("GET / HTTP/1.1\r\nAccept: */*\r\nhost:localhost:8000\r\n\r\n", True),
        ("GET / HTTP/1.1\r\nHost: evil.example:8000\r\n\r\n", False),
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example:8000\r\n\r\n", False),
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n\r\n", False),
        ("GET / HTTP/1.1\r\nX-Host: 127.0.0.1:8000\r\n\r\n", False),
        ("GET / HTTP/1.1\r\n\r\n", False),
    ],
)
def test_only_the_loopback_s_own_names_are_let_in(head: str, let_in: bool) -> None:  # noqa: FBT001  a parameter
    assert is_for_loopback(head.encode(), 8000) is let_in


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Path]:
    """Answer each connection on a Unix socket with what it sent."""
    path = tmp_path / "main.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                said = connection.recv(65536)
                body = b"it heard " + said.split(b"\r\n")[0]
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield path
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def ask(port: int, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/x", headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_a_port_leads_to_the_session(application: Path) -> None:
    target = Target()
    with forwarding(target, 0) as port:
        assert ask(port)[0] == 503
        target.socket = application
        assert ask(port) == (200, b"it heard GET /x HTTP/1.1")
        assert ask(port, Host="evil.example")[0] == 421
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        ask(port)


def test_volumes_are_named_by_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "stars").mkdir()
    mounts = volume_mounts([f"{tmp_path}/stars:gaia", f"{tmp_path}/stars"])
    assert [mount.target for mount in mounts] == [
        "/data/gaia",
        "/data/user/gaia",
        "/data/stars",
        "/data/user/stars",
    ]
    assert all(mount.read_only for mount in mounts)


@pytest.mark.parametrize("given", ["/nowhere:gaia", "{tmp}:../gaia", "{tmp}:user", "{tmp}:GAIA"])
def test_unfit_volumes_are_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(Invalid):
        volume_mounts([given.format(tmp=tmp_path)])


@pytest.mark.parametrize("arguments", [[], ["run"], ["build", ".", "--port", "8000"], ["run", ".", "--port", "70000"]])
def test_a_wrong_command_line_is_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        package_program.parser().parse_args(arguments)
    assert caught.value.code == 2
    assert "usage: spacelab package" in capsys.readouterr().err
