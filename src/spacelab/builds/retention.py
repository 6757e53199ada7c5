"""Removes, now and then and when the disk runs low, what nothing needs: in a thread of its own, since it takes long."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from django.db import connection

from spacelab.builds import unneeded
from spacelab.builds.actions import SYSTEM, prune

EVERY = 3600.0
"""Seconds between two looks while there is room on the disk."""
EVERY_WHEN_LOW = 120.0
FIRST = 300.0
"""Seconds from the controller's start to the first look, which is not to hold up what waits then."""


def _at_work() -> None:
    try:
        prune(by=SYSTEM)
    finally:
        connection.close()


class _Warden:
    """One thread that removes."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="retention")
        self._at_work: Future[None] | None = None
        self._last = time.monotonic() - EVERY + FIRST

    def look(self) -> None:
        """Begin, if it is time to and nothing is at work."""
        if self._at_work is not None:
            if not self._at_work.done():
                return
            done, self._at_work = self._at_work, None
            done.result()
        low = unneeded.free_bytes() < unneeded.retention().floor
        if time.monotonic() - self._last > (EVERY_WHEN_LOW if low else EVERY):
            self._last = time.monotonic()
            self._at_work = self._pool.submit(_at_work)


@cache
def _warden() -> _Warden:
    return _Warden()


def attend_retention() -> None:
    """Remove what is due; the controller calls this again and again."""
    _warden().look()
