"""WebSockets and event streams through the real edge, and how they end when access is revoked."""

from __future__ import annotations

import asyncio
import os
import stat

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from edge.conftest import Lab
from support.edge import Edge

LAST_EVENT = b"data: 99"
"""What the application sends half a minute after the first one."""


def address(edge: Edge, session_id: str) -> str:
    return f"ws://{session_id}.localhost:{edge.port}/ws"


def carried(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "Host"}


def dial(edge: Edge, lab_id: str, headers: dict[str, str], origin: str = "") -> connect:
    extra = {**carried(headers), **({"Origin": origin} if origin else {})}
    return connect(
        address(edge, lab_id), host="127.0.0.1", port=edge.port, additional_headers=extra, max_size=None, proxy=None
    )


async def cut(socket: ClientConnection) -> None:
    """Wait until the connection is cut."""
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(socket.recv(), 60)


async def test_a_websocket_echoes(edge: Edge, lab: Lab) -> None:
    async with dial(edge, lab.id, lab.headers, f"http://{lab.id}.localhost:{edge.port}") as socket:
        await socket.send("hello")
        assert await socket.recv() == "hello"
        large = os.urandom(4_000_000)
        await socket.send(large)
        assert await socket.recv() == large


async def test_a_websocket_without_a_visit_is_refused(edge: Edge, lab: Lab) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with dial(edge, lab.id, edge.host(lab.id)):
            pass
    assert refused.value.response.status_code == 401


async def test_a_websocket_of_another_origin_is_refused(edge: Edge, lab: Lab) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with dial(edge, lab.id, lab.headers, f"http://other.localhost:{edge.port}"):
            pass
    assert refused.value.response.status_code == 403


async def test_a_websocket_to_an_application_that_is_gone_fails_at_once(edge: Edge) -> None:
    name = edge.call("session", "ada", f"unix/{edge.run / 'nobody.sock'}")
    with pytest.raises(InvalidStatus) as refused:
        async with dial(edge, name, edge.enter("ada", name)):
            pass
    assert refused.value.response.status_code == 502


@pytest.mark.parametrize("how", ["revoke", "sign out", "deactivate", "session ends"])
async def test_revoking_cuts_an_open_websocket(edge: Edge, how: str) -> None:
    who = f"w{abs(hash(how)) % 10**8}"
    edge.call("person", who)
    name, other = (edge.call("session", who, f"unix/{edge.run / 'one.sock'}") for _ in range(2))
    key = edge.call("sign_in", who)
    bystander = edge.call("session", "ada", f"unix/{edge.run / 'one.sock'}")
    async with (
        dial(edge, name, edge.enter(who, name, key)) as socket,
        dial(edge, bystander, edge.enter("ada", bystander)) as left_alone,
    ):
        await socket.send("x")
        await socket.recv()
        ways = {
            "revoke": ("revoke_visits", who),
            "sign out": ("sign_out", key),
            "deactivate": ("deactivate", who),
            "session ends": ("phase", name, "stopped"),
        }
        edge.call(*ways[how])
        await cut(socket)
        await left_alone.send("still here")
        assert await left_alone.recv() == "still here"
    assert other != name


async def test_revoking_a_token_cuts_its_websocket(edge: Edge, lab: Lab) -> None:
    value = "slt_" + "w" * 40
    row = edge.call("token", "ada", value, "sessions")
    async with dial(edge, lab.id, {"Authorization": f"Bearer {value}"}) as socket:
        await socket.send("x")
        assert await socket.recv() == "x"
        await asyncio.sleep(2)
        await socket.send("y")
        assert await socket.recv() == "y"
        edge.call("revoke_token", row)
        await cut(socket)


def test_events_arrive_as_they_are_sent_and_end_with_the_visit(http: httpx.Client, edge: Edge) -> None:
    edge.call("person", "eve")
    name = edge.call("session", "eve", f"unix/{edge.run / 'one.sock'}")
    headers = {**edge.enter("eve", name), "Accept": "text/event-stream", "Accept-Encoding": "gzip"}
    parts: list[bytes] = []

    def listen() -> None:
        with http.stream("GET", "/events", headers=headers) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            for part in answer.iter_bytes():
                parts.append(part)
                if len(parts) == 3:
                    edge.call("revoke_visits", "eve")

    with pytest.raises(httpx.RemoteProtocolError):
        listen()
    assert len(parts) >= 3
    assert parts[0].startswith(b"data: 0")
    assert LAST_EVENT not in b"".join(parts)


def test_events_asked_for_in_passing_are_not_held_back(http: httpx.Client, lab: Lab) -> None:
    headers = {**lab.headers, "Accept": "*/*", "Accept-Encoding": "gzip, zstd"}
    with http.stream("GET", "/events", headers=headers) as answer:
        assert LAST_EVENT not in next(answer.iter_bytes())


def test_only_the_platforms_user_reaches_the_relay(edge: Edge) -> None:
    assert stat.S_IMODE((edge.run / "streams.sock").stat().st_mode) == 0o600
