"""Pilots: one allocation carries one command after the other. Slurm's part is played by nothing: pilots start here."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from spacelab.workloads.runtimes.process import slurm_pilots
from spacelab.workloads.runtimes.process.slurm_pilots import Lost, Pilot, Pilots
from spacelab.workloads.runtimes.shared.brokering import Refused

VARIABLES = {"PATH": os.environ["PATH"]}


@pytest.fixture
def pilots() -> Iterator[Pilots]:
    made = Pilots(lambda _shape, _number: [], sys.executable, VARIABLES)
    yield made
    made.end()


def taken(pilots: Pilots, shape: tuple[int, int] = (1, 64)) -> Pilot:
    found = pilots.take(shape, 0, lambda: False)
    assert found
    return found


def carried_out(pilot: Pilot, *words: str) -> tuple[int, str, str]:
    pilot.send(b"o", json.dumps(words).encode())
    said = {b"1": b"", b"2": b""}
    while True:
        kind, data = pilot.receive()
        if kind == b"e":
            told = slurm_pilots.ended(data)
            assert told["cpu_seconds"] >= 0
            assert told["memory_bytes"] > 0
            return told["exit_code"], said[b"1"].decode(), said[b"2"].decode()
        said[kind] += data


def test_one_after_the_other_with_streams_and_exit_codes(pilots: Pilots) -> None:
    first = taken(pilots)
    assert carried_out(first, "sh", "-c", "echo out; echo err >&2; cat; exit 7") == (7, "out\n", "err\n")
    assert carried_out(first, "no-such-program")[0] == 127
    assert len(carried_out(first, "head", "-c", "1000000", "/dev/zero")[1]) == 1_000_000
    pilots.give_back(first)
    assert taken(pilots) is first
    assert taken(pilots) is not first
    first.ready_at -= slurm_pilots.OLDEST
    pilots.give_back(first)
    assert taken(pilots) is not first


def test_other_cores_get_other_pilots_and_idle_ones_end(pilots: Pilots, monkeypatch: pytest.MonkeyPatch) -> None:
    first = taken(pilots)
    pilots.give_back(first)
    second = taken(pilots, (2, 64))
    assert second is not first
    with pytest.raises(Lost):
        first.receive()
    pilots.give_back(second)
    monkeypatch.setattr(slurm_pilots, "IDLE", 0.0)
    time.sleep(0.01)
    pilots.tick()
    with pytest.raises(Lost):
        second.receive()


def test_a_command_ends_when_it_is_no_longer_wanted_and_with_its_pilot(pilots: Pilots) -> None:
    pilot = taken(pilots)
    pilot.send(b"o", json.dumps(["sleep", "60"]).encode())
    threading.Timer(0.1, pilot.send, (b"k",)).start()
    kind, data = pilot.receive()
    assert (kind, slurm_pilots.ended(data)["exit_code"]) == (b"e", -9)
    assert carried_out(pilot, "true")[0] == 0
    assert pilots.take((1, 128), 0, lambda: True) is None


def test_what_the_cluster_refuses_is_told() -> None:
    refusing = Pilots(lambda _shape, _number: ["sh", "-c", "echo no such partition >&2; exit 1"], "", VARIABLES)
    with pytest.raises(Refused, match="no such partition"):
        refusing.take((1, 64), 0, lambda: False)
