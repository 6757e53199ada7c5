"""The lock that lets one controller act at a time: a file beside SQLite, an advisory lock in PostgreSQL."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

ADVISORY_KEY = 7_305_812_046
"""Names the controller among PostgreSQL's advisory locks of one database; any number that stays the same."""


class LockLost(Exception):  # noqa: N818  it says what happened
    """The lock was held and is no longer; another controller may act."""


class Lock(Protocol):
    """At most one holder at a time; the operating system or the database frees it when the holder dies."""

    def take(self) -> bool:
        """Try to take the lock, and say whether that worked."""

    def check(self) -> None:
        """Raise `LockLost` unless the lock is still held."""

    def release(self) -> None:
        """Let go."""


class FileLock:
    """A lock on a file in the state directory, which serves one machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def check(self) -> None:
        if self._descriptor is None:
            raise LockLost("The controller's lock is not held.")

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class AdvisoryLock:
    """PostgreSQL's advisory lock, held by a connection that does nothing else."""

    def __init__(self) -> None:
        self._connection: BaseDatabaseWrapper | None = None

    def take(self) -> bool:
        held = connections.create_connection("default")
        with held.cursor() as cursor:
            cursor.execute("select pg_try_advisory_lock(%s)", [ADVISORY_KEY])
            taken = bool(cursor.fetchone()[0])
        if not taken:
            held.close()
            return False
        self._connection = held
        return True

    def check(self) -> None:
        held = self._connection.connection if self._connection is not None else None
        if held is None:
            raise LockLost("The controller's lock is not held.")
        try:
            with held.cursor() as cursor:  # Django's own cursor would connect anew, without the lock
                cursor.execute("select 1")
        except Exception as error:
            raise LockLost("The connection that held the controller's lock is gone.") from error

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def controller_lock(state: Path) -> Lock:
    """Make the lock that fits the database in use."""
    return AdvisoryLock() if connection.vendor == "postgresql" else FileLock(state / "controller.lock")
