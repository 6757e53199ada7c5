"""Podman's service as a program of the platform, where containers are wanted and no engine listens yet."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from spacelab.kit.refusals import Unavailable
from spacelab.site.configuration import Configuration
from spacelab.site.programs import Program
from spacelab.workloads.runtimes.shared.engine_addresses import own_service, podman_program, usual_addresses

GRACE = 8.0
START_PATIENCE = 15.0
"""Seconds that the service may take to listen; what needs it then says itself that it is not there."""
CONTAINER = "container"


def _listens_already() -> bool:
    """Say whether an engine is where everybody looks for one."""
    return any(Path(one.removeprefix("unix://")).exists() for one in usual_addresses())


def program(configuration: Configuration) -> Program | None:
    """Return the program, or None where none is needed or none can be had.

    Containers go on when it ends: each is watched by a small process of its own.
    """
    socket = own_service(configuration.run_directory)
    if configuration.runtime != CONTAINER or configuration.container_engine or _listens_already():
        socket.unlink(missing_ok=True)  # of an earlier time, when there was no other engine
        return None
    podman = podman_program()
    if not podman:
        return None
    log = configuration.state / "log" / "engine.log"
    return Program("engine", [podman, "system", "service", "--time=0", f"unix://{socket}"], log, folder=log.parent)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line[:300] for line in reversed(lines) if line.strip()), "it says nothing.")


@contextlib.contextmanager
def at_work(configuration: Configuration) -> Iterator[None]:
    """Have the service run for as long as the context lasts, for commands that work while the platform doesn't.

    Raises `Unavailable` with the service's own last words if it ends instead.
    """
    socket = own_service(configuration.run_directory)
    needed = None if socket.exists() else program(configuration)
    if needed is None:
        yield
        return
    needed.start()
    deadline = time.monotonic() + START_PATIENCE
    while not socket.exists() and time.monotonic() < deadline:
        if needed.process is not None and needed.process.poll() is not None:
            raise Unavailable(
                f"Podman's service does not start: {_last_line(needed.log)}",
                advice=f"Try `{' '.join(needed.argv)}` in a shell, or start an engine and name it in "
                "SPACELAB_CONTAINER_ENGINE.",
            )
        time.sleep(0.05)
    try:
        yield
    finally:
        needed.ask_to_end()
        needed.end(GRACE)
        socket.unlink(missing_ok=True)
