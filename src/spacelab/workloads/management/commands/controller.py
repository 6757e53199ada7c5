"""`spacelab controller`: runs the controller until it is told to end; workloads go on without it."""

from __future__ import annotations

import logging
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.module_loading import import_string

from spacelab.workloads import queries
from spacelab.workloads.background import start_background
from spacelab.workloads.controller import REST_SECONDS, Controller
from spacelab.workloads.lock import Lock, LockLost, controller_lock
from spacelab.workloads.reconcile import Policy

logger = logging.getLogger(__name__)

CALLS_AT_ONCE = 16
"""Calls to the runtime that may wait at the same time."""
STANDBY_SECONDS = 1.0
"""Between two tries of a controller on standby to take over."""
HEARTBEAT_SECONDS = 2.0
THREADS_END_SECONDS = 5.0


class Heartbeat:
    """Shows others that the controller sees its workloads, and itself that it still holds the lock."""

    def __init__(self, file: Path, fault: Path, lock: Lock) -> None:
        self._file = file
        self._fault = fault
        self._lock = lock
        self._check_due = 0.0
        self._beat_due = 0.0

    def check(self) -> None:
        """Raise `LockLost` if it is time to look and the lock is gone."""
        if time.monotonic() >= self._check_due:
            self._lock.check()
            self._check_due = time.monotonic() + HEARTBEAT_SECONDS

    def beat(self) -> None:
        """Touch the file if it is time to."""
        if time.monotonic() >= self._beat_due:
            self._file.touch()
            self._fault.unlink(missing_ok=True)
            self._beat_due = time.monotonic() + HEARTBEAT_SECONDS

    def blind(self, why: str) -> None:
        """Show others why the workloads can't be seen, until they can."""
        self._fault.write_text(why)
        self._beat_due = 0.0


class Command(BaseCommand):
    """Run the controller."""

    help = "Starts, watches and stops workloads, until SIGTERM or SIGINT. A second one waits to take over."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        until = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: until.set())
        lock = controller_lock(settings.SPACELAB.state)
        if not self._wait_for(lock, until):
            return
        try:
            self._control(lock, until)
        except LockLost as error:
            raise CommandError(f"{error} Start it again: it will wait for its turn.") from error
        finally:
            lock.release()

    def _wait_for(self, lock: Lock, until: Event) -> bool:
        said = False
        while not until.is_set():
            try:
                if lock.take():
                    return True
            except DatabaseError as error:
                logger.warning("The database did not answer; trying again: %s", error)
                until.wait(REST_SECONDS)
                continue
            if not said:
                logger.info("Another controller is at work; this one is on standby")
                said = True
            until.wait(STANDBY_SECONDS)
        return False

    def _control(self, lock: Lock, until: Event) -> None:
        configuration = settings.SPACELAB
        secrets = import_string(settings.WORKLOAD_SECRETS) if settings.WORKLOAD_SECRETS else None
        reconcilers = [(import_string(name), seconds) for name, seconds in settings.RECONCILERS]
        services = [import_string(name) for name in settings.CONTROLLER_SERVICES]
        pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="runtime")
        runtime = import_string(settings.WORKLOAD_RUNTIME)()
        controller = Controller(
            runtime,
            policy=Policy(start_timeout=configuration.start_timeout_seconds),
            executor=pool,
            secrets=secrets,
        )
        threads = start_background(reconcilers, services, until)
        heartbeat = Heartbeat(queries.heartbeat_file(), queries.fault_file(), lock)
        logger.info("The controller is at work")
        try:
            controller.run(
                until,
                interval=configuration.controller_interval_ms / 1000,
                before=heartbeat.check,
                after=heartbeat.beat,
                blind=heartbeat.blind,
            )
        finally:
            until.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for thread in threads:
                thread.join(THREADS_END_SECONDS)
            if end := getattr(runtime, "end", None):  # see `ports.KeepsThingsReady`
                end()
        logger.info("The controller has ended; workloads go on")
