"""Keeps a workload's output in a file that never grows beyond its limit; the standard library alone."""

from __future__ import annotations

import os

PUNCH_HOLE_KEEP_SIZE = 3
"""FALLOC_FL_PUNCH_HOLE and FALLOC_FL_KEEP_SIZE of fallocate(2)."""


class Log:
    """The application's output on its way to a file whose beginning is given back to the disk when it grows large."""

    def __init__(self, descriptor: int, limit: int) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._kept_from = 0
        self._size = os.fstat(descriptor).st_size

    def write(self, data: bytes) -> None:
        """Append; the file keeps between half of the limit and the limit, and offsets stay what they were."""
        try:
            os.write(self._descriptor, data)
        except OSError:
            return  # a full disk must not end the application
        self._size += len(data)
        if self._size - self._kept_from > self._limit:
            keep_from = (self._size - self._limit // 2) & ~4095
            import ctypes  # noqa: PLC0415  most workloads never print that much, and it would cost each start 6 ms

            libc = ctypes.CDLL(None, use_errno=True)
            offset, length = ctypes.c_long(0), ctypes.c_long(keep_from)
            if libc.fallocate(self._descriptor, PUNCH_HOLE_KEEP_SIZE, offset, length):
                os.ftruncate(self._descriptor, 0)
                self._size = keep_from = 0
            self._kept_from = keep_from
