"""Asking the database from the event loop: a few threads of our own, so that a slow page never holds up the edge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

Answer = TypeVar("Answer")

THREADS = 4
"""Questions to the database at one time; each is short, and answers are kept for a moment."""

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="edge")


async def ask(question: Callable[[], Answer]) -> Answer:
    """Run `question` in one of the edge's threads and return its answer."""

    def with_connection() -> Answer:
        close_old_connections()
        try:
            return question()
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_threads, with_connection)
