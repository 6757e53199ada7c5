"""What else the controller's process does: other domains' reconcilers in turn, and asynchronous services."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from threading import Event, Thread
from typing import Any

from django.db import close_old_connections, connections

logger = logging.getLogger(__name__)

RESTART_SECONDS = 5.0
"""Between the end of a service that should have gone on and its next start."""
POLL_SECONDS = 0.2
"""Between two looks of a background thread at whether it is to end."""

Service = Callable[[], Coroutine[Any, Any, None]]


def run_reconcilers(reconcilers: Sequence[tuple[Callable[[], None], float]], until: Event) -> None:
    """Call each function again and again, with its seconds in between; one that fails is logged and called again."""
    due = [0.0] * len(reconcilers)
    while not until.is_set():
        for index, (reconcile, seconds) in enumerate(reconcilers):
            if until.is_set() or time.monotonic() < due[index]:
                continue
            try:
                close_old_connections()
                reconcile()
            except Exception:
                logger.exception("%s.%s failed", reconcile.__module__, getattr(reconcile, "__name__", reconcile))
            due[index] = time.monotonic() + seconds
        until.wait(POLL_SECONDS)
    connections.close_all()


async def run_services(services: Sequence[Service], until: Event) -> None:
    """Run all services until told to end; one that fails or returns is started again."""
    tasks = [asyncio.create_task(_keep_running(service)) for service in services]
    while not until.is_set():  # noqa: ASYNC110  `until` belongs to threads
        await asyncio.sleep(POLL_SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_running(service: Service) -> None:
    while True:
        try:
            await service()
            logger.warning("%s ended; starting it again", service)
        except Exception:
            logger.exception("%s failed; starting it again", service)
        await asyncio.sleep(RESTART_SECONDS)


def start_background(
    reconcilers: Sequence[tuple[Callable[[], None], float]], services: Sequence[Service], until: Event
) -> list[Thread]:
    """Start the threads that do all this; they end soon after `until` is set."""
    threads = []
    if reconcilers:
        threads.append(Thread(target=run_reconcilers, args=(reconcilers, until), name="reconcilers", daemon=True))
    if services:
        threads.append(Thread(target=lambda: asyncio.run(run_services(services, until)), name="services", daemon=True))
    for thread in threads:
        thread.start()
    return threads
