"""`spacelab web`: becomes the ASGI server, on a Unix socket that only the edge reaches."""

from __future__ import annotations

import os
import sys

from spacelab.site.configuration import Configuration


def argv(configuration: Configuration) -> list[str]:
    """Return the command line that starts the web program."""
    return [
        sys.executable,
        "-m",
        "uvicorn",
        "spacelab.site.asgi:application",
        "--uds",
        str(configuration.run_directory / "web.sock"),
        "--no-access-log",
        "--log-level",
        "warning",
        "--timeout-graceful-shutdown",
        "2",
    ]


def main(arguments: list[str]) -> int:
    """Replace this process by the web program."""
    del arguments
    command = argv(Configuration())
    os.execv(command[0], command)  # noqa: S606  our own argv
