"""Builds images through the engine's build API: a workload whose specification has `build`.

The container runtime hands such workloads over to this module. It keeps their common parts: `<run directory>/<id>/`
with the lock and spec.json (see `folder.py`), the companion container with its network namespace and its way out
(see `companions.py`), and the end of both. A detached program (`building_program.py`) has the image built; this
module starts it, finds it again, and tells how it goes.

Besides, such a folder holds build.json (the program's orders), builder.lock (held while it lives), built.json (its
report), steps.json, and stop.json (the request to end). The log is `folder.log_file`, which the program appends to.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from spacelab.workloads.ports import RuntimeFault, StepSeen
from spacelab.workloads.rules import Observation, Seen, Usage, WorkloadSpec
from spacelab.workloads.runtimes.container import specification
from spacelab.workloads.runtimes.container.building_steps import steps_from
from spacelab.workloads.runtimes.container.folder import Folder

if TYPE_CHECKING:
    from spacelab.workloads.runtimes.container.runtime import Context

PROGRAM = "spacelab.workloads.runtimes.container.building_program"
PROOFS, LEFTOVERS = ".proofs", ".leftovers"
"""Beside the workloads' folders; no workload's id begins with a dot."""

LOCK = "builder.lock"
KILL_MARGIN = 60.0
"""Seconds beyond the grace after which a builder that does not obey is ended; what it leaves is cleaned up then."""

CLEANING = "The build was interrupted; what is left of it is being removed."
_children: list[subprocess.Popen[bytes]] = []
"""The programs that this process started, so that none stays a zombie."""


def start(context: Context, folder: Folder, spec: WorkloadSpec) -> None:
    """Start the detached builder unless it was started; raise `RuntimeFault` if that can't be done.

    The companion runs, and nobody else starts or forgets this workload meanwhile.
    """
    if folder.read("build.json"):
        return
    name = specification.companion_name(context.options, spec.id)
    facts = context.engine.facts()
    orders = {
        "engine": context.engine.address,
        "companion": name,
        "pid": context.companions.pid(name),
        "image": context.options.companion_image,
        "group": f"spacelab-{spec.id}",
        "facts": asdict(facts),
        "reserve": context.options.disk_reserve_mb * 2**20,
        "leftovers": str(context.options.run_directory / LEFTOVERS),
        "proofs": str(context.options.run_directory / PROOFS),
    }
    folder.write("build.json", json.dumps(orders))
    if not _spawn(folder, "build"):
        raise RuntimeFault("Its builder is being started already.", retry=True)


def _spawn(folder: Folder, what: str) -> bool:
    """Start the program, which holds the lock from its first moment; False where somebody else holds it."""
    lock = os.open(folder.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with (folder.path / "builder.log").open("ab") as said:
            child = subprocess.Popen(
                [sys.executable, "-I", "-m", PROGRAM, what, str(folder.path), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                pass_fds=[lock],
                start_new_session=True,
            )
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    _children.append(child)
    return True


def _alive(folder: Folder) -> bool:
    """Say whether a builder, or a program that cleans up after one, lives."""
    try:
        lock = os.open(folder.path / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def observe(context: Context, folder: Folder, spec: WorkloadSpec) -> Observation | None:
    """Report on a build; None where none was started. Called by one thread, as often as several times a second."""
    del context, spec
    _children[:] = [child for child in _children if child.poll() is None]
    if not folder.read("build.json"):
        return None
    alive = _alive(folder)  # asked before the report is read: the last report comes before the program's end
    state = folder.read("built.json")
    usage = Usage(**state.get("usage") or {})
    if state.get("phase") == "ended":
        return Observation(
            Seen.EXITED,
            "",
            int(state["exit_code"]),
            str(state["reason"]),
            usage,
            trouble=str(state["trouble"]),
            result=str(state["result"]),
        )
    if not alive:
        _spawn(folder, "clean")
        return Observation(Seen.RUNNING, reason=CLEANING, usage=usage)
    _enforce(folder, state.get("pid"))
    building = state.get("phase") in {"building", "stopping"}
    reason = "" if building else "The build is being prepared."
    return Observation(Seen.RUNNING if building else Seen.STARTING, reason=reason, usage=usage)


def _enforce(folder: Folder, pid: object) -> None:
    """End a builder that should have ended itself long ago."""
    kill_at = folder.read("stop.json").get("kill_at")
    if kill_at is None or time.time() < float(kill_at) + KILL_MARGIN or not isinstance(pid, int):
        return
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(pid)
        try:
            if _alive(folder):  # asked after the pidfd was opened, so the pid can't be somebody else's
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


def stop(context: Context, folder: Folder, grace_seconds: float) -> None:
    """Ask a build to end, and have it ended by force after the grace; return at once."""
    del context
    if not folder.read("stop.json"):
        folder.write("stop.json", json.dumps({"kill_at": time.time() + grace_seconds}))


def forget(context: Context, folder: Folder) -> None:
    """Remove what the engine still has of an ended build; the companion and the folder are removed right after."""
    del context
    deadline = time.monotonic() + 1.0
    while _alive(folder) and time.monotonic() < deadline:
        time.sleep(0.01)  # its last report comes a moment before its end


def steps(folder: Folder) -> list[StepSeen]:
    """List a build's steps as far as they have come."""
    return steps_from(folder.read("steps.json"))
