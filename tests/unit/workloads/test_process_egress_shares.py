"""One sandbox can't take the whole way out for itself."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from pathlib import Path

import pytest

from spacelab.workloads.runtimes.shared import egress, egress_shares
from spacelab.workloads.runtimes.shared.egress import EgressPolicy, egress_server
from spacelab.workloads.runtimes.shared.egress_shares import Shares, TooManyConnections


def test_a_share_ends_and_another_sandboxs_goes_on() -> None:
    shares = Shares()
    shares.most, shares.most_each = 5, 3
    with contextlib.ExitStack() as held:
        for _ in range(3):
            held.enter_context(shares.connection("greedy"))
        with pytest.raises(TooManyConnections), shares.connection("greedy"):
            pass
        for _ in range(2):
            held.enter_context(shares.connection("modest"))
        with pytest.raises(TooManyConnections), shares.connection("third"):
            pass
    with shares.connection("greedy"), shares.connection("third"):
        pass


def test_connections_leave_the_process_files_for_its_own_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    shares = Shares()
    assert shares.most * 2 <= 512
    assert shares.most_each * egress_shares.SANDBOXES_AT_LEAST <= shares.most


async def test_silent_connections_beyond_the_share_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress_shares, "MOST_EACH", 4)
    path = tmp_path / "egress" / "egress.sock"
    async with egress_server(path, EgressPolicy.of([], [])):
        silent = [await asyncio.open_unix_connection(str(path)) for _ in range(4)]
        reader, writer = await asyncio.open_unix_connection(str(path))
        assert (await asyncio.wait_for(reader.read(), 60)).startswith(b"HTTP/1.1 503 ")
        for _, one in [*silent, (reader, writer)]:
            one.close()
        for _ in range(6000):  # the share is free again once the server has seen their ends
            if (answer := await refusal_of(path)).startswith(b"HTTP/1.1 400 "):
                break
            await asyncio.sleep(0.01)
        assert answer.startswith(b"HTTP/1.1 400 ")


async def refusal_of(path: Path) -> bytes:
    """Ask nonsense; return the answer, or nothing where the connection was cut before the question was sent."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(b"nonsense\r\n\r\n")
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_names_that_nobody_answers_hold_up_their_own_sandbox_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look_up(host: str, _port: int) -> list[str]:
        asked.append(host)
        if host.startswith("slow"):
            asyncio.run_coroutine_threadsafe(done.wait(), loop).result(60)
        return ["127.0.0.1"]

    monkeypatch.setattr(egress, "_look_up", look_up)
    policy, greedy = EgressPolicy.of(["127.0.0.0/8"], []), egress_shares.Share()
    waiting = [
        asyncio.create_task(egress._connect(f"slow{number}.example", 80, policy, greedy)) for number in range(40)
    ]
    for _ in range(6000):
        if len(asked) >= egress_shares.LOOKUPS_EACH:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    assert len(asked) == egress_shares.LOOKUPS_EACH
    with pytest.raises(egress.Refused, match="may not reach"):
        await asyncio.wait_for(egress._connect("quick.example", 80, policy, egress_shares.Share()), 60)
    done.set()
    await asyncio.gather(*waiting, return_exceptions=True)
