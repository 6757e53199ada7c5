"""A preloaded parent on a socket: each command line that comes is carried out by a forked child.

`spacelab-cwl serve SOCKET` listens; `ask.py SOCKET ARGUMENT…` sends it a command line with its working directory and
its three streams, and ends with the exit code that comes back. For whoever runs many documents, such as cwltest.
Only the owner of the socket can reach it: whoever can has its rights.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

from cwl_runner import cli, warm

LONGEST = 1 << 20
"""Bytes of the longest command line."""


def serve(path: Path) -> None:
    """Listen until SIGTERM ends this process."""
    warm.preload()
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.umask(0o077)
    listener.bind(str(path))
    os.umask(0o022)
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children report to whoever asked, nobody waits for them
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _answer(connection)
        connection.close()


def _answer(connection: socket.socket) -> None:
    """Carry out one command line in this child, and end."""
    code = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        message, descriptors, _, _ = socket.recv_fds(connection, LONGEST, 3)
        asked = json.loads(message)
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(asked["folder"])
        os.environ.update(asked["environment"])
        try:
            code = cli.main(asked["arguments"])
        except SystemExit as end:  # argparse's way to show its help
            code = end.code if isinstance(end.code, int) else 1
        connection.sendall(str(code).encode())
    finally:
        os._exit(code)
