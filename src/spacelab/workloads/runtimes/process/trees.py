"""Copies of parts of the host's file system that another process mounts: see open_tree(2) and mount_setattr(2)."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

MOUNT_SETATTR, OPEN_TREE = 442, 428
"""The kernel's numbers of the calls, the same on all machines; Debian 12's C library has no names for them."""

AT_FDCWD, AT_EMPTY_PATH, AT_RECURSIVE, CLONE = -100, 0x1000, 0x8000, 1
READ_ONLY, NO_SUID, NO_DEVICES, PRIVATE = 1, 2, 4, 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


def _called(number: int, *arguments: int | bytes) -> int:
    known = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    found = int(_libc.syscall(ctypes.c_long(number), *known))
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found


def copied(source: Path, *, read_only: bool) -> int:
    """Return a descriptor of a copy of what is mounted at a path and below, which nobody sees until it is mounted.

    Neither setuid programs nor devices count in it, as with a bind mount of bubblewrap's, and what is mounted at the
    source later does not appear in it. Raises `OSError`; ordinary users may not.
    """
    tree = _called(OPEN_TREE, AT_FDCWD, os.fsencode(source), CLONE | os.O_CLOEXEC | AT_RECURSIVE)
    flags = NO_SUID | NO_DEVICES | (READ_ONLY if read_only else 0)
    attributes = struct.pack("QQQQ", flags, 0, PRIVATE, 0)
    try:
        _called(MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH | AT_RECURSIVE, attributes, len(attributes))
    except OSError:
        os.close(tree)
        raise
    return tree


def possible() -> bool:
    """Say whether this process can make such copies."""
    try:
        os.close(copied(Path("/usr"), read_only=True))
    except OSError:
        return False
    return True
