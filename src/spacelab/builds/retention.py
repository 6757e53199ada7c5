"""Removes, now and then and when the disk runs low, what nothing needs: in a thread of its own, since it takes long."""

from __future__ import annotations

import time
from functools import cache

from spacelab.builds import unneeded
from spacelab.builds.actions import SYSTEM, prune
from spacelab.kit.background import Background

EVERY = 3600.0
"""Seconds between two looks while there is room on the disk."""
EVERY_WHEN_LOW = 120.0
FIRST = 300.0
"""Seconds from the controller's start to the first look, which is not to hold up what waits then."""


class _Warden:
    """Says when it is time to remove."""

    def __init__(self) -> None:
        self._removal = Background("retention", lambda: prune(by=SYSTEM))
        self._last = time.monotonic() - EVERY + FIRST

    def look(self) -> None:
        """Begin, if it is time to and nothing is at work."""
        if not self._removal.is_free:
            return
        low = unneeded.free_bytes() < unneeded.retention().floor
        if time.monotonic() - self._last > (EVERY_WHEN_LOW if low else EVERY):
            self._last = time.monotonic()
            self._removal.look()


@cache
def _warden() -> _Warden:
    return _Warden()


def attend_retention() -> None:
    """Remove what is due; the controller calls this again and again."""
    _warden().look()
