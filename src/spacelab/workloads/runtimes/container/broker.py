"""The brokers of pipeline runs: each is a detached program that starts the containers of one run's steps.

The coordinator runs in a sandbox and has no way to the engine; it asks the broker over a socket (see
`broker_program.py`). `<run directory>/.brokers/<id>/` holds what they share: `places/<number>`, each a folder that the
sandbox sees as a mount of its own, so that nothing inside can put a link in its place; `socket/broker.sock`; and, for
the platform alone, orders.json, the lock that the broker holds while it lives, and its log.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import APIError

from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import RUN_BROKER, RUN_FOLDER, RUN_PLACES, WorkloadSpec
from spacelab.workloads.runtimes.container import seccomp, specification, users
from spacelab.workloads.runtimes.shared import pipelines

if TYPE_CHECKING:
    from spacelab.workloads.runtimes.container.runtime import Context

PROGRAM = "spacelab.workloads.runtimes.container.broker_program"
FOLDER = ".brokers"
MOST_PLACES = 16
PLACES_PER_CORE = 2
END_PATIENCE = 10.0
_children: list[subprocess.Popen[bytes]] = []
"""The programs that this process started, so that none stays a zombie."""


def folder_of(run_directory: Path, workload_id: str) -> Path:
    """Return the folder of a run's broker."""
    return run_directory / FOLDER / workload_id


def with_places(run_directory: Path, spec: WorkloadSpec) -> WorkloadSpec:
    """Make the folders that a run shares with its broker; return the specification that shows them inside."""
    if not (spec.run and spec.run.images):
        return spec
    folder = folder_of(run_directory, spec.id)
    count = min(MOST_PLACES, max(2, math.ceil(spec.resources.cpu) * PLACES_PER_CORE))
    for path in (folder / "socket", *(folder / "places" / str(number) for number in range(count))):
        path.mkdir(parents=True, exist_ok=True)
    (run_directory / FOLDER).chmod(0o700)
    places = [
        Mount(str(folder / "places" / str(number)), f"{RUN_PLACES}/{number}", read_only=False)
        for number in range(count)
    ]
    return replace(spec, mounts=(*spec.mounts, *places, Mount(str(folder / "socket"), RUN_BROKER)))


def prepare(context: Context, spec: WorkloadSpec, control: Path) -> None:
    """Write the orders of a run's broker; `control` is the folder of the workload that it serves.

    Raises `RuntimeFault` if the engine is away.
    """
    if not (spec.run and spec.run.images):
        return
    options, engine = context.options, context.engine
    facts = engine.facts()
    user = users.workload_user(facts, options.workload_uid)
    own = (RUN_PLACES, RUN_BROKER)
    shown = [one for one in pipelines.all_mounts(spec) if not one.target.startswith(own)]
    orders: dict[str, Any] = {
        "engine": engine.address,
        "facts": asdict(facts),
        "name": f"{specification.application_name(options, spec.id)}.job",
        "labels": specification.labels(options, spec.id, "job"),
        "control": str(control),
        "folder": spec.run.folder,
        "user": asdict(user),
        "binds": [[one.source, one.target] for one in shown if one.target != RUN_FOLDER],
        "places": [one.source for one in spec.mounts if one.target.startswith(f"{RUN_PLACES}/")],
        "images": spec.run.images,
        "resources": asdict(spec.resources),
        "network": spec.network.value,
        "filter": seccomp.write(options.run_directory / ".seccomp.json") if facts.podman and facts.seccomp else "",
    }
    folder = folder_of(options.run_directory, spec.id)
    fresh = folder / f".orders.{os.getpid()}"
    fresh.write_text(json.dumps(orders))
    fresh.replace(folder / "orders.json")


def _spawn(folder: Path) -> None:
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
                [sys.executable, "-I", "-m", PROGRAM, str(folder), str(lock)],
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


def look_after(run_directory: Path, workload_id: str) -> None:
    """Start the broker of a run that is at work unless it lives: for the first time, or because it was ended."""
    _children[:] = [child for child in _children if child.poll() is None]
    folder = folder_of(run_directory, workload_id)
    if (folder / "orders.json").exists() and not alive(folder):
        _spawn(folder)


def forget(context: Context, workload_id: str) -> None:
    """Remove the containers and the folders of a run that has ended."""
    folder = folder_of(context.options.run_directory, workload_id)
    if not folder.exists():
        return
    deadline = time.monotonic() + END_PATIENCE
    while alive(folder) and time.monotonic() < deadline:
        time.sleep(0.02)  # it ends by itself when the run has
    with contextlib.suppress(APIError, RuntimeFault):
        remove_jobs(context.engine, specification.labels(context.options, workload_id, "job"))
    shutil.rmtree(folder, ignore_errors=True)


def remove_jobs(engine: Any, labels: dict[str, str]) -> None:
    """Remove all containers of a run's steps, ending those that run."""
    wanted = labels.items()
    found = engine.list(f"{specification.WORKLOAD_LABEL}={labels[specification.WORKLOAD_LABEL]}")
    for name, described in found.items():
        if wanted <= (described.get("Labels") or {}).items():
            engine.remove(name)
