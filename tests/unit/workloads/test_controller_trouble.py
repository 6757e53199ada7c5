"""A controller in trouble: a runtime that can't be observed or hangs, a database that does not answer, no secrets."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError

from spacelab.accounts.models import Person
from spacelab.site.configuration import Configuration
from spacelab.workloads import actions, queries
from spacelab.workloads import controller as controllers
from spacelab.workloads.lock import FileLock, LockLost
from spacelab.workloads.management.commands import controller as command
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Observation, WorkloadSpec
from support.workloads import AtOnce, Bench, submit


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rest for no longer than the tests have patience."""
    monkeypatch.setattr(controllers, "REST_SECONDS", 0.02)
    monkeypatch.setattr(command, "HEARTBEAT_SECONDS", 0.0)


class Rounds(Event):
    """An `until` that is set after so many rounds."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.left = rounds

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        if self.left <= 0:
            self.set()
        return super().wait(timeout)


def test_a_controller_that_cannot_observe_does_not_beat_and_does_when_it_can_again(
    scientist: Person, caplog: pytest.LogCaptureFixture
) -> None:
    bench, beats, blind = Bench(), [], True
    submit(scientist)

    def report(truth: dict[str, Observation]) -> dict[str, Observation]:
        if blind:
            raise RuntimeFault("the engine does not answer", retry=True)
        return truth

    bench.runtime.report = report
    told: list[str] = []
    with caplog.at_level(logging.WARNING):
        bench.controller.run(Rounds(8), interval=0.01, after=lambda: beats.append(1), blind=told.append)
    assert not beats
    assert set(told) == {"the engine does not answer"}
    assert "can't be observed: the engine does not answer" in caplog.text
    blind = False
    bench.controller.run(Rounds(8), interval=0.01, after=lambda: beats.append(1))
    assert beats


def test_a_lost_lock_ends_the_controller_even_while_the_runtime_is_blind(scientist: Person, tmp_path: Path) -> None:
    bench, lock = Bench(), FileLock(tmp_path / "lock")
    heartbeat = command.Heartbeat(tmp_path / "alive", tmp_path / "fault", lock)
    assert lock.take()
    workload = submit(scientist)

    def blind(_truth: dict[str, Observation]) -> dict[str, Observation]:
        lock.release()
        raise RuntimeFault("the engine does not answer", retry=True)

    bench.runtime.report = blind
    with pytest.raises(LockLost):
        bench.controller.run(Rounds(100), interval=0.01, before=heartbeat.check, after=heartbeat.beat)
    assert workload.pk not in bench.runtime.started
    assert not (tmp_path / "alive").exists()


def test_a_database_that_does_not_answer_is_waited_for(
    scientist: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench, beats = Bench(), []
    workload = submit(scientist)
    real, failures = actions.change_phase, [OperationalError("database is locked")] * 3

    def failing(**arguments: object) -> bool:
        if failures:
            raise failures.pop()
        return real(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "change_phase", failing)
    monkeypatch.setattr(controllers, "close_old_connections", lambda: None)  # the test's own transaction
    bench.controller.run(Rounds(12), interval=0.01, after=lambda: beats.append(1))
    assert bench.runtime.started == {workload.pk: 1}
    assert beats
    assert "The database did not answer" in caplog.text


def test_secrets_that_cannot_be_had_are_the_reason_of_the_wait_and_nothing_starts(scientist: Person) -> None:
    trouble: list[Exception] = [OSError("the vault does not answer")]

    def secrets(_spec: WorkloadSpec) -> Mapping[str, str]:
        if trouble:
            raise trouble.pop()
        return {"SPACELAB_TOKEN": "t"}

    bench = Bench(secrets=secrets)
    workload = submit(scientist)
    bench.look(2)
    workload.refresh_from_db()
    assert (workload.phase, bench.runtime.started) == ("starting", {})
    assert "the vault does not answer" in workload.reason
    bench.look(4, seconds=2)
    assert bench.runtime.copies[workload.pk].secrets == {"SPACELAB_TOKEN": "t"}


def test_a_hung_start_holds_up_nobody_else_and_fails_with_a_reason(scientist: Person) -> None:
    bench, release = Bench(), Event()
    stuck, other = submit(scientist), None

    def hang(point: str) -> None:
        if point == "runtime.start" and other is None:
            release.wait(120)

    bench.runtime.before = hang
    with ThreadPoolExecutor(2) as pool:
        bench.controller._executor = pool
        bench.look(2)
        bench.controller._executor = AtOnce()
        other = submit(scientist)
        bench.look(2)
        assert other.pk in bench.runtime.started
        bench.look(2, seconds=61)
        stuck.refresh_from_db()
        assert (stuck.phase, stuck.reason) == ("failed", "The runtime did not start it within 60 s.")
        release.set()
    bench.look(4)
    assert bench.runtime.copies[stuck.pk].asked_to_stop, "what started late after all is stopped"


@pytest.mark.parametrize(("age", "alive"), [(1, "alive"), (60, "gone"), (-3600, "gone")])
def test_the_health_page_goes_by_the_heartbeat_whichever_way_the_clock_jumped(
    age: float, alive: str, tmp_path: Path, settings: Any
) -> None:
    settings.SPACELAB = Configuration(state=tmp_path)
    queries.heartbeat_file().touch()
    at = time.time() - age
    os.utime(queries.heartbeat_file(), (at, at))
    assert queries.controller_is_running(datetime.now(UTC)) is (alive == "alive")


def test_what_is_launched_while_all_is_idle_is_watched_at_once(scientist: Person) -> None:
    bench, looks, rounds = Bench(), [], 0

    def report(truth: dict[str, Observation]) -> dict[str, Observation]:
        looks.append(len(truth))
        return truth

    def launch_in_the_third_round() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            submit(scientist)

    bench.runtime.report = report
    bench.controller.run(Rounds(30), interval=0.01, before=launch_in_the_third_round)
    assert looks[0] == 0
    assert looks[-1] == 1
