"""Work beside a loop: one at a time, and what it raises is told once."""

from __future__ import annotations

import threading
import time

import pytest

from spacelab.kit.background import Background


def wait_until_free(work: Background) -> None:
    deadline = time.monotonic() + 60
    while not work.is_free:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_is_done_once_at_a_time_and_again_when_asked() -> None:
    go_on, begun = threading.Event(), list[str]()

    def work() -> None:
        begun.append(threading.current_thread().name)
        go_on.wait(60)

    background = Background("slow", work)
    for _ in range(3):
        background.look()
    assert not background.is_free
    go_on.set()
    wait_until_free(background)
    assert [name.startswith("slow") for name in begun] == [True]
    background.look()
    wait_until_free(background)
    assert len(begun) == 2


def test_what_it_raises_is_raised_in_the_loop_once() -> None:
    def work() -> None:
        raise ValueError("no such mail server")

    background = Background("broken", work)
    background.look()
    with pytest.raises(ValueError, match="no such mail server"):
        wait_until_free(background)
    assert background.is_free
