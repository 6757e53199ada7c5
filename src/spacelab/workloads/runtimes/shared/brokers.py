"""The brokers of pipeline runs: each is a detached program that starts the jobs of one run outside of its sandbox.

The coordinator runs in a sandbox and has no way to what carries jobs; it asks the broker over a socket (see
`brokering.py`). `<run directory>/.brokers/<id>/` holds what they share: `places/<number>`, each a folder that the
sandbox sees as a mount of its own, so that nothing inside can put a link in its place; `socket/broker.sock`; and, for
the platform alone, orders.json, the lock that the broker holds while it lives, and its log.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from spacelab.volumes.rules import Mount
from spacelab.workloads.rules import BROKERS, RUN_BROKER, RUN_PLACES, WorkloadSpec

MOST_PLACES = 16
PLACES_PER_CORE = 2
END_PATIENCE = 10.0
_children: list[subprocess.Popen[bytes]] = []
"""The programs that this process started, so that none stays a zombie."""


def folder_of(run_directory: Path, workload_id: str) -> Path:
    """Return the folder of a run's broker."""
    return run_directory / BROKERS / workload_id


def with_places(run_directory: Path, spec: WorkloadSpec, least: int = 2) -> WorkloadSpec:
    """Make the folders that a run shares with its broker; return the specification that shows them inside."""
    folder = folder_of(run_directory, spec.id)
    count = min(MOST_PLACES, max(least, math.ceil(spec.resources.cpu) * PLACES_PER_CORE))
    for path in (folder / "socket", *(folder / "places" / str(number) for number in range(count))):
        path.mkdir(parents=True, exist_ok=True)
    (run_directory / BROKERS).chmod(0o700)
    places = [
        Mount(str(folder / "places" / str(number)), f"{RUN_PLACES}/{number}", read_only=False)
        for number in range(count)
    ]
    return replace(spec, mounts=(*spec.mounts, *places, Mount(str(folder / "socket"), RUN_BROKER)))


def write_orders(folder: Path, orders: dict[str, Any]) -> None:
    """Write what a broker is to know."""
    fresh = folder / f".orders.{os.getpid()}"
    fresh.write_text(json.dumps(orders))
    fresh.replace(folder / "orders.json")


def _spawn(folder: Path, program: str) -> None:
    """Start the program, which holds the lock from its first moment; nothing happens where one lives."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return
    try:
        with (folder / "log").open("ab") as said:
            child = subprocess.Popen(
                [sys.executable, "-I", "-m", program, str(folder), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                pass_fds=[lock],
                start_new_session=True,
            )
        _children.append(child)
    finally:
        os.close(lock)


def alive(folder: Path) -> bool:
    """Say whether the broker of a folder lives."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def look_after(run_directory: Path, workload_id: str, program: str) -> None:
    """Start the broker of a run that is at work unless it lives: for the first time, or because it was ended."""
    _children[:] = [child for child in _children if child.poll() is None]
    folder = folder_of(run_directory, workload_id)
    if (folder / "orders.json").exists() and not alive(folder):
        _spawn(folder, program)


def wait_for_end(folder: Path) -> None:
    """Give a broker whose run has ended the time to end by itself."""
    deadline = time.monotonic() + END_PATIENCE
    while alive(folder) and time.monotonic() < deadline:
        time.sleep(0.02)


def remove(folder: Path) -> None:
    """Remove a broker's folder."""
    shutil.rmtree(folder, ignore_errors=True)
