"""Reads the events that a run's coordinator writes: piece by piece, and as what a stranger's program left there."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from spacelab.runs.untrusted import LARGEST_OUTPUTS

EVENTS = "events.jsonl"
MOST_BYTES = 2**20
"""Bytes taken in at one look."""
LONGEST_LINE = 2**19
"""Bytes of one event; a longer line is passed over."""
LONGEST_END = 4 * LARGEST_OUTPUTS + LONGEST_LINE
"""Bytes of the event that ends a run, with all its outputs: a character may take four."""
LARGEST_FILE = 512 * 2**20
"""Bytes of all events of a run; what comes after is not read."""


@dataclass(frozen=True)
class News:
    """What one look found: events, lines that made no sense, where to go on, and whether there is more already."""

    events: Sequence[dict[str, Any]] = field(default_factory=list)
    bad: int = 0
    read_bytes: int = 0
    more: bool = False


def open_inside(folder: Path, parts: Sequence[str]) -> BinaryIO | None:
    """Open a regular file below a folder that a workload writes into, following no link; None if there is none."""
    if not parts or any(part in {"", ".", ".."} or "/" in part or "\0" in part for part in parts):
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        for part in parts[:-1]:
            try:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            finally:
                os.close(descriptor)
            descriptor = inner
        try:
            found = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        return None
    return os.fdopen(found, "rb")


def read_news(folder: Path, since: int, *, most: int = MOST_BYTES) -> News:
    """Read the whole lines from byte `since` on; a line that is still being written waits for the next look."""
    file = open_inside(folder, (EVENTS,))
    if file is None:
        return News(read_bytes=since)
    with file:
        size = min(os.fstat(file.fileno()).st_size, LARGEST_FILE)
        if size <= since:
            return News(read_bytes=since)
        file.seek(since)
        piece = file.read(min(most, size - since))
        longest = LONGEST_LINE
        if b"\n" not in piece and _ends_run(piece):
            longest = most = LONGEST_END
            piece += file.read(min(most, size - since) - len(piece))
    end = piece.rfind(b"\n") + 1
    if not end:
        whole_line_missing = len(piece) < longest and len(piece) < most
        return News(read_bytes=since) if whole_line_missing else News([], 1, since + len(piece), more=True)
    events, bad = [], 0
    for line in piece[:end].split(b"\n"):
        if line.strip():
            event = _event(line)
            if event is None:
                bad += 1
            else:
                events.append(event)
    return News(events, bad, since + end, more=since + end < size)


def _ends_run(line: bytes) -> bool:
    """Say whether an event, or the beginning of one, is that of a run's end."""
    return b'"event": "run-ended"' in line[:200]


def _event(line: bytes) -> dict[str, Any] | None:
    if len(line) > (LONGEST_END if _ends_run(line) else LONGEST_LINE):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
