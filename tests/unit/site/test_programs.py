"""The platform's programs are started again when they end by themselves, and end when they are asked to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from spacelab.kit.refusals import Conflict
from spacelab.site.programs import Program
from spacelab.site.up import AlreadyRunningError, only_one, port_trouble

SLEEPER = "import time\nprint('up', flush=True)\ntime.sleep(60)"


def until(condition: Callable[[], object], seconds: float = 60) -> bool:
    """Wait until the condition holds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def sleeper(tmp_path: Path) -> Program:
    return Program("sleeper", [sys.executable, "-c", SLEEPER], tmp_path / "log" / "sleeper.log")


def test_a_program_that_is_killed_comes_back(sleeper: Program) -> None:
    sleeper.start()
    assert sleeper.process
    first = sleeper.process.pid
    os.kill(first, signal.SIGKILL)
    said: list[str] = []

    def it_is_back() -> bool:
        said.append(sleeper.watch())
        return sleeper.process is not None and sleeper.process.pid != first

    assert until(it_is_back)
    assert any("signal 9" in line for line in said)
    assert any("started again" in line for line in said)
    sleeper.ask_to_end()
    sleeper.end(5)
    assert sleeper.process.returncode == -signal.SIGTERM


def test_a_program_that_keeps_ending_is_not_started_in_a_tight_loop(tmp_path: Path) -> None:
    program = Program("crasher", ["/bin/sh", "-c", "exit 3"], tmp_path / "crasher.log")
    program.start()
    starts = 0

    def count() -> int:
        nonlocal starts
        starts += "started again" in program.watch()
        return starts

    assert until(count)
    until(lambda: count() > 2, 3)
    assert starts <= 2
    program.end(1)


def test_a_program_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(60)"
    )
    program = Program("stubborn", [sys.executable, "-c", stubborn], tmp_path / "stubborn.log")
    program.start()
    assert until(lambda: "up" in program.log.read_text())
    program.ask_to_end()
    program.end(0.3)
    assert program.process
    assert program.process.returncode == -signal.SIGKILL


def test_programs_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom spacelab.site.programs import Program\n"
        f"p = Program('s', [sys.executable, '-c', {SLEEPER!r}], Path({str(tmp_path / 's.log')!r}))\n"
        "p.start()\nprint(p.process.pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    status = Path(f"/proc/{child}/status")
    assert until(lambda: not status.exists() or "State:\tZ" in status.read_text())


def test_one_state_directory_is_used_by_one_platform(tmp_path: Path) -> None:
    with only_one(tmp_path / "run"), pytest.raises(AlreadyRunningError), only_one(tmp_path / "run"):
        pass
    with only_one(tmp_path / "run"):
        pass


def test_a_port_in_use_is_seen() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port_trouble("127.0.0.1", port) == "in use by another program"
    assert not port_trouble("127.0.0.1", port)
    assert "not to be had" in port_trouble("192.0.2.1", port), "an address that this machine does not have"


def test_up_says_what_to_do_about_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "spacelab", "up"],
            env={"PATH": "/usr/bin:/bin", "SPACELAB_STATE": str(tmp_path / "state"), "SPACELAB_PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 1
    assert f"Port {port}" in done.stdout
    assert "SPACELAB_PORT=" in done.stdout
    assert not (tmp_path / "state" / "spacelab.sqlite3").exists()


def test_no_lock_is_written_where_another_user_made_the_folder(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "theirs")
    with pytest.raises(Conflict), only_one(tmp_path / "run"):
        pass
    assert not list((tmp_path / "theirs").iterdir())
