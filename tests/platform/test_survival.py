"""Sessions outlive the platform's programs: each is killed while a kernel computes, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from support.client import Client, Kernel
from support.platform import Platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow]

COUNT = (
    "import threading, time\n"
    "ticks = 0\n"
    "def count():\n"
    "    global ticks\n"
    "    while True:\n"
    "        ticks += 1\n"
    "        time.sleep(0.05)\n"
    "threading.Thread(target=count, daemon=True).start()"
)


@pytest.fixture(scope="module")
def client(platform: Platform) -> Client:
    return Client(platform)


@pytest.fixture(scope="module")
def kernel(client: Client) -> Iterator[Kernel]:
    session = client.launch()
    kernel = Kernel(client, session)
    kernel.run(COUNT)
    yield kernel
    client.stop(session)


def read_on(socket: ClientConnection) -> None:
    """Read messages until none come for a minute, or the connection is closed."""
    while True:
        socket.recv(60)


def again(platform: Platform, name: str, killed: int, seconds: float = 180) -> None:
    """Wait until the program runs again under another process id, at work, and the portal answers."""
    since, deadline = time.time(), time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(RuntimeError, httpx.TransportError):
            if platform.program(name) != killed and is_well(platform, since if name == "controller" else 0):
                return
        time.sleep(0.1)
    raise AssertionError(f"{name} did not come back")


def is_well(platform: Platform, since: float) -> bool:
    """Say whether the portal finds nothing wrong, and the controller has looked at its work since then."""
    looked = (platform.state / "controller.alive").stat().st_mtime
    health = httpx.get(f"http://127.0.0.1:{platform.port}/healthz", headers={"Host": f"localhost:{platform.port}"})
    return health.status_code == httpx.codes.OK and all(health.json().values()) and looked > since


@pytest.mark.parametrize("name", ["controller", "web", "edge"])
def test_a_kernel_computes_on_while_a_program_is_killed(name: str, platform: Platform, kernel: Kernel) -> None:
    before = int(kernel.run("print(ticks)"))
    killed = platform.program(name)
    os.kill(killed, signal.SIGKILL)
    again(platform, name, killed)
    after = int(kernel.run("print(ticks)"))
    assert after > before
    assert kernel.client.api("GET", f"/sessions/{kernel.session}").json()["phase"] == "running"


@pytest.mark.parametrize("name", ["web", "edge"])
def test_an_open_websocket_is_cut_and_connects_again(name: str, platform: Platform, kernel: Kernel) -> None:
    killed = platform.program(name)
    with kernel.connect() as socket:
        kernel.send(socket, "print('before')")
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            read_on(socket)
    again(platform, name, killed)
    assert kernel.run("print('the same', 'ticks' in globals())") == "the same True\n"


def test_the_whole_platform_ends_and_starts_and_the_session_is_found_again(platform: Platform, kernel: Kernel) -> None:
    before = int(kernel.run("print(ticks)"))
    assert platform.stop(sessions=False) == 0
    platform.start()
    kernel.client.wait_for(kernel.session, "running")
    assert int(kernel.run("print(ticks)")) > before


def test_signing_out_of_a_token_cuts_its_open_websocket(platform: Platform, kernel: Kernel) -> None:
    other = Client(platform)
    second = Kernel.__new__(Kernel)
    second.client, second.session, second.id = other, kernel.session, kernel.id
    tokens = other.api("GET", "/tokens").raise_for_status().json()
    newest = max(tokens, key=lambda token: token["id"])
    with second.connect() as socket:
        second.send(socket, "print('hello')")
        socket.recv(60)
        other.api("DELETE", f"/tokens/{newest['id']}").raise_for_status()
        with pytest.raises(ConnectionClosed):
            read_on(socket)
    assert kernel.run("print(1)") == "1\n"
