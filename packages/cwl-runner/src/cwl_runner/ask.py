"""Asks a preloaded parent (`spacelab-cwl serve SOCKET`) to carry out a command line: `ask.py SOCKET ARGUMENT…`.

It imports the standard library's smallest parts only, so that asking takes a few milliseconds.
"""

from __future__ import annotations

import array
import json
import os
import socket
import sys

SENT = ("PATH", "TMPDIR", "HOME")


def main() -> int:
    """Send the command line and give the exit code that comes back."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(sys.argv[1])
    environment = {name: os.environ[name] for name in SENT if name in os.environ}
    asked = {"arguments": sys.argv[2:], "folder": os.getcwd(), "environment": environment}  # noqa: PTH109 - small
    streams = array.array("i", [0, 1, 2])
    connection.sendmsg([json.dumps(asked).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    answer = connection.recv(16)
    return int(answer) if answer else 70


if __name__ == "__main__":
    sys.exit(main())
