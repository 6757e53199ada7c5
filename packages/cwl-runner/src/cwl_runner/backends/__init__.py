"""Backends start a job's command somewhere and tell how it ended; `protocol` says what one has to offer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from cwl_runner.backends import bubblewrap
from cwl_runner.backends.local import Local
from cwl_runner.backends.slots import Slots


def choose(
    name: str, folder: Path, count: int, visible: Iterable[str | Path], hidden: Sequence[str | Path] = ()
) -> Slots:
    """Make the backend of that name; "auto" takes sandboxes where the program for them is there.

    `visible` are the paths that sandboxes show, read-only; `hidden` are folders below those that they don't.
    """
    if name == "bubblewrap" or (name == "auto" and bubblewrap.available()):
        return bubblewrap.Bubblewrap(folder, count, visible, hidden)
    return Local(folder, count)


def fall_back(folder: Path, count: int) -> Slots:
    """Make the backend that works everywhere."""
    return Local(folder, count)
