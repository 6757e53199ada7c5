"""The streams of a session through the ASGI application: what viewers are sent, when, and at what price."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.test import Client

from spacelab.accounts.actions import create_token
from spacelab.accounts.models import Person
from spacelab.kit import sse
from spacelab.sessions.models import Session
from spacelab.workloads.rules import Phase
from support.people import make_person
from support.sessions import QuietRuntime, launch, make_datalab, move

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(transactional_db: None, quiet_runtime: type[QuietRuntime]) -> Session:
    """Launch a session."""
    make_datalab("jupyterlab")
    return launch(make_person("ada"))


def cookie_of(person: Person) -> dict[str, str]:
    """Return the header with which this person's browser comes."""
    client = Client()
    client.force_login(person)
    return {"cookie": "; ".join(f"{name}={value.value}" for name, value in client.cookies.items())}


class Viewer:
    """One open stream."""

    def __init__(self, communicator: Any) -> None:
        self._communicator = communicator
        self._rest = b""
        self.status = 0

    async def start(self) -> None:
        """Take the head of the answer."""
        self.status = (await self._communicator.receive_output(5))["status"]

    async def event(self) -> tuple[str, Any]:
        """Take the next event: its name and its data; ("", None) at the end of the stream."""
        while True:
            block, found, rest = self._rest.partition(b"\n\n")
            if found:
                self._rest = rest
                fields = dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line)
                if "event" in fields:
                    return fields["event"], json.loads(fields["data"])
                continue
            message = await self._communicator.receive_output(5)
            self._rest += message.get("body", b"")
            if not message.get("more_body"):
                return "", None

    async def until(self, name: str) -> list[tuple[str, Any]]:
        """Take events until one has this name."""
        taken = [await self.event()]
        while taken[-1][0] not in {name, ""}:
            taken.append(await self.event())
        return taken


@asynccontextmanager
async def viewing(path: str, headers: dict[str, str]) -> AsyncIterator[Viewer]:
    """Open a stream as a browser would, and leave it."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [
            (b"host", b"localhost"),
            *((key.lower().encode(), value.encode()) for key, value in headers.items()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    communicator: Any = ApplicationCommunicator(get_asgi_application(), scope)  # type: ignore[no-untyped-call]
    await communicator.send_input({"type": "http.request", "body": b"", "more_body": False})
    viewer = Viewer(communicator)
    try:
        await viewer.start()
        yield viewer
        await communicator.send_input({"type": "http.disconnect"})
        await communicator.wait(5)
    finally:
        communicator.stop(exceptions=False)


async def test_a_page_follows_its_session_to_the_end(session: Session) -> None:
    headers = await sync_to_async(cookie_of)(session.owner)
    async with viewing(f"/sessions/{session.id}/events", headers) as viewer:
        first = [await viewer.event() for _ in range(7)]
        assert {data["id"] for _, data in first} == {
            f"session-{name}" for name in ("state", "notices", "steps", "results", "idle", "usage", "log")
        }
        await sync_to_async(move)(session, Phase.STARTING, reason="Preparing the sandbox.")
        name, data = await viewer.event()
        assert (name, data["id"]) == ("fragment", "session-state")
        name, data = await viewer.event()
        assert data["id"] == "session-steps"
        assert "Preparing the sandbox." in data["html"]
        await sync_to_async(move)(session, Phase.RUNNING, reason="It answers.")
        changed = {data["id"]: data["html"] for _, data in [await viewer.event() for _ in range(3)]}
        assert f"/sessions/{session.id}/open" in changed["session-state"]
        assert "data-countdown" in changed["session-idle"]
        await sync_to_async(move)(session, Phase.FAILED, reason="It was killed: out of memory.")
        rest = await viewer.until("end")
        assert any("out of memory" in data.get("html", "") for _, data in rest)
        assert await viewer.event() == ("", None)


async def test_a_restart_leads_the_page_to_the_new_session(session: Session) -> None:
    fresh = await sync_to_async(launch)(session.owner)
    await sync_to_async(Session.objects.filter(pk=session.id).update)(restarted_as=fresh)
    await sync_to_async(move)(session, Phase.STOPPED)
    headers = await sync_to_async(cookie_of)(session.owner)
    async with viewing(f"/sessions/{session.id}/events", headers) as viewer:
        taken = await viewer.until("end")
    assert ("go", {"url": f"/sessions/{fresh.id}"}) in taken


async def test_a_viewer_who_may_not_see_it_gets_nothing(session: Session) -> None:
    headers = await sync_to_async(lambda: cookie_of(make_person("eve")))()
    async with viewing(f"/sessions/{session.id}/events", headers) as viewer:
        assert viewer.status == 404


async def test_the_stream_ends_when_its_viewer_is_deactivated(session: Session) -> None:
    headers = await sync_to_async(cookie_of)(session.owner)
    async with viewing(f"/sessions/{session.id}/events", headers) as viewer:
        await viewer.event()
        await sync_to_async(Person.objects.update)(is_active=False)
        assert (await viewer.until("end"))[-1][0] == "end"


async def test_no_viewer_holds_a_thread(session: Session) -> None:
    headers = await sync_to_async(cookie_of)(session.owner)

    async def view(leave: asyncio.Event, arrived: asyncio.Semaphore) -> None:
        async with viewing(f"/sessions/{session.id}/events", headers) as viewer:
            for _ in range(6):
                await viewer.event()
            arrived.release()
            await leave.wait()

    async def threads_with(viewers: int) -> int:
        leave, arrived = asyncio.Event(), asyncio.Semaphore(0)
        tasks = [asyncio.create_task(view(leave, arrived)) for _ in range(viewers)]
        for _ in tasks:
            await arrived.acquire()
        await asyncio.sleep(0.3)
        number = threading.active_count()
        leave.set()
        await asyncio.gather(*tasks)
        return number

    await threads_with(2)
    assert await threads_with(12) <= await threads_with(2) + 2


async def test_programs_follow_the_phases_and_resume(session: Session) -> None:
    await sync_to_async(move)(session, Phase.STARTING, reason="Preparing.")
    _, secret = await sync_to_async(create_token)(by=session.owner, name="t", scopes=["sessions"], lifetime_days=1)
    headers = {"authorization": f"Bearer {secret}"}
    path = f"/api/v1/sessions/{session.id}/events"
    async with viewing(path, headers) as viewer:
        assert [(await viewer.event())[1]["phase"] for _ in range(2)] == ["queued", "starting"]
        await sync_to_async(move)(session, Phase.RUNNING, Phase.STOPPED, reason="You stopped it.")
        rest = await viewer.until("end")
        assert [(name, data.get("phase")) for name, data in rest] == [
            ("phase", "running"),
            ("phase", "stopped"),
            ("end", None),
        ]
    last = await session.workload.changes.order_by("-pk").afirst()
    assert last is not None
    async with viewing(path, {**headers, "last-event-id": str(last.pk - 1)}) as viewer:
        assert [name for name, _ in await viewer.until("end")] == ["phase", "end"]
    async with viewing(path, {**headers, "last-event-id": "rubbish"}) as viewer:
        assert len(await viewer.until("end")) == 5


async def test_a_quiet_stream_still_beats() -> None:
    looks = 0

    async def look() -> sse.News:
        nonlocal looks
        looks += 1
        return sse.News((sse.Event("end", {}),), final=True) if looks > 5 else sse.News(pause=0.01)

    sent = [part async for part in sse.follow(look, heartbeat=0.02)]
    assert sent[0].startswith(b"retry:")
    assert b": still here\n\n" in sent
    assert sent[-1] == b"event: end\ndata: {}\n\n"


async def test_a_stream_does_not_last_for_ever() -> None:
    async def look() -> sse.News:
        return sse.News(pause=0.01)

    sent = [part async for part in sse.follow(look, longest=0.05)]
    assert sent == [b"retry: 2000\n\n"]
