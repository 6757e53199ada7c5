"""A workload that can't be looked at hides no other, and is no reason to end the controller."""

from __future__ import annotations

import pytest

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Observation, Seen
from spacelab.workloads.runtimes.shared.apart import UNREADABLE, Apart

FINE = Observation(Seen.RUNNING, "unix//there")


def broken() -> Observation:
    raise ValueError("it wrote nonsense")


def test_one_that_cannot_be_read_hides_no_other() -> None:
    seen = Apart().look({"a": broken, "b": lambda: FINE, "c": lambda: None})
    assert seen == {"a": Observation(Seen.STARTING, reason=UNREADABLE), "b": FINE}


def test_its_last_report_stands() -> None:
    apart = Apart()
    apart.look({"a": lambda: FINE})
    assert apart.look({"a": broken}) == apart.look({"a": broken}) == {"a": FINE}


def test_a_fault_of_the_runtime_concerns_them_all() -> None:
    def away() -> Observation:
        raise RuntimeFault("the engine is away", retry=True)

    with pytest.raises(RuntimeFault):
        Apart().look({"a": away})
