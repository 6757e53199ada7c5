"""Keeps a desktop that `start.sh` has begun: follows screen, windows and program, and serves them to the browser."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from program import Program
from serve import Desktop, Server
from windows import Windows

PATIENCE = 30.0
"""Seconds after which a program without a window counts as started all the same."""


class Kept(Desktop):
    """A screen with one program."""

    def __init__(self, program: Program, windows: Windows) -> None:
        self._program = program
        self._windows = windows
        self._begun = time.monotonic()
        self._seen = False
        self.name = program.name
        self.portal = os.environ.get("DATALABS_URL", "")
        icons = [Path("/opt/datalab") / name for name in ("icon.svg", "logo.svg")]
        self.icon = next((icon for icon in icons if icon.is_file()), None)

    @property
    def seen(self) -> bool:
        """Whether the program has shown a window since it was started."""
        self._seen = self._seen or bool(self._windows.shown)
        return self._seen

    def _phase(self) -> str:
        if self.seen and self._windows.shown:
            return "running"
        if self._program.status is not None:
            return "ended"
        return "starting" if time.monotonic() - self._begun < PATIENCE else "running"

    def ready(self) -> bool:
        return self._phase() != "starting"

    def state(self) -> dict[str, Any]:
        windows = [{"id": one.id, "title": one.title, "active": one.active} for one in self._windows.shown]
        return {
            "name": self.name,
            "state": self._phase(),
            "status": self._program.status,
            "portal": self.portal,
            "windows": windows,
        }

    def obey(self, order: dict[str, Any]) -> None:
        if order["do"] == "start":
            self._begun = time.monotonic()
            self._program.start()
        elif order["do"] == "raise":
            self._windows.raise_window(int(order["window"]))


async def keep(command: list[str]) -> int:
    """Keep the desktop until it is told to end, or its screen does."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[int] = loop.create_future()
    screen = int(os.environ["DESKTOP_SCREEN_PID"])
    program = Program(command, int(os.environ["DESKTOP_PROGRAM_PID"]))
    told: list[Server] = []

    def changed() -> None:
        for server in told:
            server.tell()

    windows = Windows(os.environ["DISPLAY"], changed)
    loop.add_reader(windows.fileno(), windows.pump)
    socket = os.environ["DESKTOP_SOCKET"]
    kept = Kept(program, windows)
    server = Server(kept, lambda: asyncio.open_unix_connection(socket))
    told.append(server)

    def end(status: int, reason: str = "") -> None:
        if not over.done():
            sys.stderr.write(reason)
            over.set_result(status)

    def child_ended() -> None:
        if program.look():
            changed()
            if program.status and not kept.seen:
                end(max(program.status, 1), "The program ended before it showed a window.\n")
        if not over.done() and os.waitpid(screen, os.WNOHANG)[0]:
            end(1, "The screen of the desktop has ended.\n")

    settling = asyncio.ensure_future(windows.keep_settled())
    loop.add_signal_handler(signal.SIGCHLD, child_ended)
    loop.add_signal_handler(signal.SIGTERM, end, 0)
    child_ended()
    await server.listen("127.0.0.1", int(os.environ.get("IF_main_port", "10000")))  # noqa: SIM112  its name
    status = await over
    settling.cancel()
    await program.stop()
    return status


if __name__ == "__main__":
    sys.exit(asyncio.run(keep(sys.argv[1:])))
