"""A second controller waits, and takes over when the first is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.client import Client
from support.platform import Platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow, pytest.mark.long]

TAKE_OVER_SECONDS = 5.0


@pytest.fixture(params=["platform", "postgres_platform"])
def running(request: pytest.FixtureRequest) -> Platform:
    """Run a platform on SQLite, then one on PostgreSQL."""
    platform: Platform = request.getfixturevalue(request.param)
    return platform


@pytest.fixture
def log(running: Platform, tmp_path: Path) -> Iterator[Path]:
    """Run a second controller of the platform, and yield its log."""
    file = tmp_path / "standby.log"
    with file.open("wb") as output:
        second = subprocess.Popen(
            [sys.executable, "-m", "spacelab", "controller"], env=running.variables, stdout=output, stderr=output
        )
    yield file
    second.terminate()
    assert second.wait(15) == 0


def says(log: Path, text: str, seconds: float) -> bool:
    """Wait until the log holds the text."""
    deadline = time.monotonic() + seconds
    while text not in log.read_text():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_controller_on_standby_takes_over_within_seconds(running: Platform, log: Path) -> None:
    assert says(log, "on standby", 15)
    assert "at work" not in log.read_text().replace("Another controller is at work", "")
    os.kill(running.program("controller"), signal.SIGKILL)
    assert says(log, "The controller is at work", TAKE_OVER_SECONDS)
    client = Client(running)
    client.stop(client.launch())
