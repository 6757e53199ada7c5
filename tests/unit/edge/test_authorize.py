"""What the authorizer keeps in memory, and when it writes activity down."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from spacelab.edge import authorize, queries, rules
from spacelab.edge.answers import Message
from spacelab.edge.authorize import Authorizer
from spacelab.workloads.rules import Phase

ID = "abcdefghjk23"


class Database:
    """Answers as the database would, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.valid = True
        self.noted: list[str] = []

    def find_visit(self, session_id: str, cookie: str) -> queries.Found | None:
        self.asked += 1
        by = rules.Pass("visit", 1, session_id, 1)
        return queries.Found(by, Phase.RUNNING, "", f"unix//run/{cookie}.sock") if self.valid else None

    def note(self, *, by: rules.Pass) -> None:
        self.noted.append(by.session_id)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    """Put a counting database and a clock of its own beneath the authorizer."""
    database = Database()

    async def ask(question: Any) -> Any:
        await asyncio.sleep(0)
        return question()

    monkeypatch.setattr(authorize, "ask", ask)
    monkeypatch.setattr(queries, "find_visit", database.find_visit)
    monkeypatch.setattr(authorize, "note_use", database.note)
    return database


@pytest.fixture
def authorizer() -> Authorizer:
    """Make an authorizer with an empty memory."""
    return Authorizer(portal_url="http://localhost", apps_domain="localhost", secure=False)


async def settled() -> None:
    """Let what was begun beside the caller come to its end; none of it waits for anything but its turn."""
    for _ in range(20):
        await asyncio.sleep(0)


async def status(authorizer: Authorizer, cookie: str = "c") -> int:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {}

    headers = [(b"host", f"{ID}.localhost".encode()), (b"cookie", f"spacelab_visit={cookie}".encode())]
    await authorizer({"headers": [*headers, (b"x-forwarded-method", b"GET")]}, receive, send)
    await settled()
    return int(sent[0]["status"])


async def test_an_answer_is_repeated_from_memory(authorizer: Authorizer, database: Database) -> None:
    assert {await status(authorizer) for _ in range(10)} == {200}
    assert database.asked == 1


async def test_many_who_wait_ask_once(authorizer: Authorizer, database: Database) -> None:
    assert set(await asyncio.gather(*(status(authorizer) for _ in range(50)))) == {200}
    assert database.asked == 1


async def test_a_refusal_is_not_remembered(authorizer: Authorizer, database: Database) -> None:
    database.valid = False
    assert await status(authorizer) == 401
    database.valid = True
    assert await status(authorizer) == 200


async def test_an_answer_is_renewed_and_never_older_than_two_seconds(
    authorizer: Authorizer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(authorize, "time", SimpleNamespace(monotonic=lambda: now))
    assert await status(authorizer) == 200
    now = 1001.5
    assert await status(authorizer) == 200
    assert database.asked == 2
    database.valid = False
    now = 1003.6
    assert await status(authorizer) == 401


async def test_memory_is_bounded(authorizer: Authorizer, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorize, "MOST_ANSWERS", 10)
    for number in range(50):
        assert await status(authorizer, f"c{number}") == 200
    assert len(authorizer._kept) == 10


async def test_activity_is_written_down_at_most_every_twenty_seconds(
    authorizer: Authorizer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment in (100.0, 110.0, 119.9, 120.1, 130.0):
        authorizer.note(rules.Pass("visit", 1, ID, 1), moment)
        await settled()
    assert database.noted == [ID, ID]
