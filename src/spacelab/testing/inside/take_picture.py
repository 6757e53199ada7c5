"""Runs a browser where nothing can be reached but one interface, and has it draw that interface's page.

Run as `take_picture.py <socket> <port> <seconds> <browser…>`: what connects to the port goes to the socket.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

PIECE = 65536


def carry(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until the source ends."""
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def serve(listener: socket.socket, dial: Callable[[], socket.socket]) -> None:
    """Join every connection with one that `dial` opens, until the listener is closed."""
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        try:
            far = dial()
        except OSError:
            near.close()
            continue
        for pair in ((near, far), (far, near)):
            threading.Thread(target=carry, args=pair, daemon=True).start()


def main() -> None:
    """Carry connections, and run the browser for so many seconds at the most."""
    path, port, seconds, *browser = sys.argv[1:]

    def dial() -> socket.socket:
        there = socket.socket(socket.AF_UNIX)
        there.connect(path)
        return there

    listener = socket.create_server(("127.0.0.1", int(port)))
    threading.Thread(target=serve, args=(listener, dial), daemon=True).start()
    try:
        sys.exit(subprocess.run(browser, timeout=float(seconds), check=False).returncode)
    except subprocess.TimeoutExpired:
        sys.exit(124)


if __name__ == "__main__":
    main()
