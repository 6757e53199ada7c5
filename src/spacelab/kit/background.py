"""Work that takes long, beside a loop that must not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import close_old_connections, connections


class Background:
    """One thread that does one thing, for a loop that asks for it again and again."""

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        """Take the thread's name, and the work: what it raises is raised in the loop, at its next look."""
        self._work = work
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._at_work: Future[None] | None = None

    @property
    def is_free(self) -> bool:
        """Whether the work is not under way; raises what went wrong the last time, once."""
        if self._at_work is None:
            return True
        if not self._at_work.done():
            return False
        done, self._at_work = self._at_work, None
        done.result()
        return True

    def look(self) -> None:
        """Begin the work, unless it is under way."""
        if self.is_free:
            self._at_work = self._pool.submit(self._do)

    def _do(self) -> None:
        close_old_connections()
        try:
            self._work()
        finally:
            connections.close_all()  # the database's connections are a thread's own
