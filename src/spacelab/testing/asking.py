"""Asks a test's interface for its start page by the workload's address, as the edge would, and never waits long."""

from __future__ import annotations

import http.client
import socket
import time
from urllib.parse import urljoin, urlsplit

from spacelab.testing.rules import Page

PATIENCE = 20.0
"""Seconds for the page with all that it is sent on to."""
ONE_ANSWER = 10.0
MOST_BYTES = 4 * 2**20
"""Of a page so much is read."""
MOST_HOPS = 5


class _Connection(http.client.HTTPConnection):
    """A connection to a workload's address: `unix/<path>` or `<host>:<port>`."""

    def __init__(self, address: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._address = address

    def connect(self) -> None:
        """Reach the workload, by its socket or its port."""
        self.sock = dial(self._address, self.timeout or ONE_ANSWER)


def dial(address: str, seconds: float) -> socket.socket:
    """Connect to a workload's address; raises `OSError` or `ValueError`."""
    address = address.replace("unix://", "unix/", 1)
    if not address.startswith("unix/"):
        host, _, port = address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), timeout=seconds)
    there = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        there.settimeout(seconds)
        there.connect(address.removeprefix("unix/"))
    except OSError:
        there.close()
        raise
    return there


def fetch(address: str, host: str, path: str) -> Page:
    """Get `path` from the interface at `address`, as a browser at `host` asks; follows the interface to its own pages.

    Returns the status 0 with the reason where nothing sound is answered in time.
    """
    deadline = time.monotonic() + PATIENCE
    page = Page(0, trouble="it sends on and on.")
    for _ in range(MOST_HOPS):
        try:
            page, target = _ask(address, host, path, deadline)
        except (OSError, ValueError, http.client.HTTPException) as error:
            return Page(0, trouble=str(error) or type(error).__name__)
        if not target:
            return page
        there = urlsplit(urljoin(f"http://{host}{path}", target))
        if there.netloc != host:
            return page
        path = f"{there.path or '/'}{f'?{there.query}' if there.query else ''}"
    return page


def _ask(address: str, host: str, path: str, deadline: float) -> tuple[Page, str]:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long.")
    connection = _Connection(address, min(left, ONE_ANSWER))
    try:
        connection.request("GET", path, headers={"Host": host, "Accept": "text/html,*/*;q=0.8", "Connection": "close"})
        answer = connection.getresponse()
        size = 0
        while size < MOST_BYTES and time.monotonic() < deadline and (piece := answer.read1(65536)):
            size += len(piece)
        sent_on = answer.headers.get("Location", "") if answer.status in range(300, 400) else ""
        return Page(answer.status, answer.headers.get("Content-Type", "")[:100], size), sent_on
    finally:
        connection.close()
