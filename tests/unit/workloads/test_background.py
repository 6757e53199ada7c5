"""What runs beside the controller goes on when one part of it fails."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from threading import Event

import pytest

from spacelab.workloads import background


@pytest.fixture
def until() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until the condition holds; fail if it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def test_a_reconciler_that_fails_is_logged_and_called_again_and_holds_up_no_other(
    until: Event, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "POLL_SECONDS", 0.01)
    calls = {"broken": 0, "sound": 0}

    def broken() -> None:
        calls["broken"] += 1
        raise OSError("the disk is full")

    def sound() -> None:
        calls["sound"] += 1

    threads = background.start_background([(broken, 0.01), (sound, 0.01)], [], until)
    with caplog.at_level(logging.ERROR):
        wait_for(lambda: min(calls.values()) >= 3)
    until.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert "broken failed" in caplog.text
    assert "the disk is full" in caplog.text


def test_a_reconciler_is_not_called_before_its_time(until: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "POLL_SECONDS", 0.01)
    calls = {"often": 0, "rarely": 0}

    def often() -> None:
        calls["often"] += 1

    def rarely() -> None:
        calls["rarely"] += 1

    background.start_background([(often, 0), (rarely, 60)], [], until)
    wait_for(lambda: calls["often"] >= 5 and calls["rarely"])
    assert calls["rarely"] == 1


def test_a_service_that_fails_or_returns_is_started_again_and_the_others_end_when_told_to(
    until: Event, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "RESTART_SECONDS", 0.01)
    monkeypatch.setattr(background, "POLL_SECONDS", 0.01)
    starts = {"failing": 0, "returning": 0, "steady": 0}
    ended = []

    async def failing() -> None:
        starts["failing"] += 1
        raise OSError("the port is taken")

    async def returning() -> None:
        starts["returning"] += 1

    async def steady() -> None:
        starts["steady"] += 1
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("steady")

    (thread,) = background.start_background([], [failing, returning, steady], until)
    wait_for(lambda: starts["failing"] >= 2 and starts["returning"] >= 2)
    until.set()
    thread.join(60)
    assert not thread.is_alive()
    assert (starts["steady"], ended) == (1, ["steady"])
    assert "the port is taken" in caplog.text
