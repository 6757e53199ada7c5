"""Loopback ports for the programs of tests: none that another test, or a connection on its way out, may take first."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import TextIO

BELOW_THE_SYSTEMS = range(20_000, 32_000)
"""Where no connection gets its own end from, unlike the ports that the system gives for port 0."""
_CLAIMS = Path(tempfile.gettempdir()) / f"spacelab-test-ports-{os.geteuid()}"
_claimed: list[TextIO] = []
"""Open and locked for as long as this process lives."""


def free_port() -> int:
    """Return a loopback port that nobody listens on, and that no other test is given as long as this process lives."""
    _CLAIMS.mkdir(mode=0o700, exist_ok=True)
    for port in random.sample(BELOW_THE_SYSTEMS, 1000):
        if _is_claimed(port):
            return port
    raise RuntimeError("this machine has no free port")


def _is_claimed(port: int) -> bool:
    claim = (_CLAIMS / str(port)).open("w")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        claim.close()
        return False
    _claimed.append(claim)
    return True
