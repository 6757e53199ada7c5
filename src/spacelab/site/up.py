"""`spacelab up`: prepares what is missing, starts edge, web and controller, and keeps them running until Ctrl-C."""

from __future__ import annotations

import errno
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from spacelab.kit.refusals import Conflict
from spacelab.site import edge_program, engine_program, web_program
from spacelab.site.configuration import Configuration
from spacelab.site.privacy import check_owner
from spacelab.site.programs import Program

START_PATIENCE = 60.0
"""Seconds that the portal may take to answer before `up` says that something is wrong."""

LOOK_INTERVAL = 0.2
"""Seconds between two looks at the programs."""

GRACE = 8.0
"""Seconds that a program has to end by itself."""


def say(text: str = "") -> None:
    """Print one line at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class AlreadyRunningError(Exception):
    """Another `spacelab up` holds this state directory."""


@contextmanager
def only_one(run_directory: Path) -> Iterator[None]:
    """Hold the state directory's lock, or raise `AlreadyRunningError`, or `Conflict` if the folder is another's."""
    run_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    check_owner(run_directory)
    with (run_directory / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunningError from error
        os.set_inheritable(lock.fileno(), False)
        yield


def port_trouble(bind: str, port: int) -> str:
    """Say what keeps the edge from listening there, or nothing if it could."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except PermissionError:
            return "not allowed for this user"
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            return "in use by another program" if in_use else f"not to be had: {error.strerror or error}"
    return ""


def portal_answers(configuration: Configuration) -> bool:
    """Say whether the portal's health page answers through the edge."""
    host = "127.0.0.1" if configuration.bind == "0.0.0.0" else configuration.bind  # noqa: S104  a comparison
    connection = http.client.HTTPConnection(host, configuration.port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": configuration.portal_url.split("//")[1]})
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    except http.client.HTTPException:
        return False
    finally:
        connection.close()


def programs(configuration: Configuration) -> list[Program]:
    """List the platform's programs in the order in which they start."""
    log = configuration.state / "log"
    spacelab = [sys.executable, "-m", "spacelab"]
    engine = engine_program.program(configuration)
    catalogue = Program("catalogue", [*spacelab, "prepare", "--rest"], log / "catalogue.log", once=True)
    return [
        *([engine] if engine else []),
        Program("controller", [*spacelab, "controller"], log / "controller.log"),
        Program("web", web_program.argv(configuration), log / "web.log"),
        Program("edge", edge_program.argv(configuration), log / "edge.log", edge_program.variables(configuration)),
        *([catalogue] if configuration.runtime == engine_program.CONTAINER else []),
    ]


def wait_until_ready(configuration: Configuration, running: Sequence[Program]) -> bool:
    """Wait for the portal's first answer; return False when it did not come in time."""
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        if portal_answers(configuration):
            return True
        for program in running:
            if news := program.watch():
                say(f"  {news}")
        time.sleep(0.1)
    return False


class Stop(Exception):  # noqa: N818  a request, not an error
    """Somebody asked the platform to end."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stop


def end(running: Sequence[Program]) -> None:
    """End the programs, the edge first, so that no request meets a half-ended platform."""
    for program in reversed(running):
        program.ask_to_end()
    for program in reversed(running):
        program.end(GRACE)


def sessions_left(configuration: Configuration) -> int:
    """Count the workloads that go on without the platform's programs."""
    kinds = ("*/main.sock", "*/io/main.sock")
    sockets = [socket for kind in kinds for socket in configuration.run_directory.glob(kind)]
    folders = {
        configuration.run_directory / socket.relative_to(configuration.run_directory).parts[0] for socket in sockets
    }
    return sum(1 for folder in folders if not (folder / "ended.json").exists())


def keep_running(configuration: Configuration, running: Sequence[Program]) -> None:
    """Start the programs and watch them until somebody asks for the end."""
    for program in running:
        program.start()
    started = time.monotonic()
    if not wait_until_ready(configuration, running):
        say(f"The portal doesn't answer after {START_PATIENCE:.0f} s; see the logs in {configuration.state / 'log'}")
    else:
        say(f"  · Starting edge, web and controller … {time.monotonic() - started:.1f} s")
        say()
        say(f"  Spacelab is ready:  {configuration.portal_url}")
        say("  Ctrl-C ends it; running sessions go on and are found again at the next start.")
    while True:
        for program in running:
            if news := program.watch():
                say(f"  {news}")
        time.sleep(LOOK_INTERVAL)


def main(arguments: list[str]) -> int:
    """Run the platform until Ctrl-C or SIGTERM; return the exit status."""
    del arguments
    configuration = Configuration()
    say(f"Spacelab, with its state in {configuration.state}")
    try:
        with only_one(configuration.run_directory):
            if trouble := port_trouble(configuration.bind, configuration.port):
                say(f"Port {configuration.port} on {configuration.bind} is {trouble}.")
                say("Change that, or choose another port: SPACELAB_PORT=8090 make up")
                return 1
            return run(configuration)
    except AlreadyRunningError:
        say(f"Spacelab is already running with this state: {configuration.portal_url}")
        say("End it with Ctrl-C in its terminal, or choose another directory with SPACELAB_STATE.")
        return 1
    except Conflict as refusal:
        say(f"{refusal.message} {refusal.advice}")
        return 1


def run(configuration: Configuration) -> int:
    """Prepare, run and end the platform; return the exit status."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    running = programs(configuration)
    try:
        prepared = subprocess.run([sys.executable, "-m", "spacelab", "prepare"], check=False).returncode
        if prepared:
            return prepared
        keep_running(configuration, running)
    except Stop:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("\nEnding …")
        end(running)
        left = sessions_left(configuration)
        if left:
            say(f"{left} session{'s' if left > 1 else ''} still running; `spacelab stop-sessions` ends them.")
        say("Spacelab has ended. Everything is kept.")
    return 0
