"""Orders to a supervisor that ends at just that moment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from spacelab.workloads.runtimes.process.control import ControlFolder


def test_an_order_to_one_who_ends_meanwhile_is_an_order_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "control"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    opened = os.open

    def ends_after(*arguments: Any, **named: Any) -> int:
        descriptor = opened(*arguments, **named)
        os.close(reader)
        return descriptor

    monkeypatch.setattr(os, "open", ends_after)
    assert not ControlFolder(tmp_path).order("stop 0\n")
    monkeypatch.undo()
    assert not ControlFolder(tmp_path).order("stop 0\n")
