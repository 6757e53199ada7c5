"""`spacelab stop-sessions`: end everything that runs for people, before a maintenance or for good."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils.module_loading import import_string

from spacelab.audit.actions import System
from spacelab.kit.refusals import Unavailable
from spacelab.site import engine_program
from spacelab.workloads import queries
from spacelab.workloads.actions import request_stop
from spacelab.workloads.controller import Controller
from spacelab.workloads.lock import Lock, controller_lock
from spacelab.workloads.reconcile import Policy
from spacelab.workloads.rules import FINAL

LOOK_SECONDS = 0.3


class Command(BaseCommand):
    """Ask every workload to stop, and wait until all have."""

    help = "Stop every session; what is in workspaces stays. Works with and without a running platform."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--patience", type=float, default=60, help="seconds to wait for the last to end")
        parser.add_argument(
            "--reason", default="The operators stopped all sessions for a maintenance.", help="what people read"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        asked = 0
        for workload in queries.at_work():
            if workload.phase not in FINAL:
                request_stop(by=System("stop-sessions"), workload_id=workload.pk, reason=options["reason"])
                asked += 1
        self.stdout.write(f"{asked} to stop")
        lock = controller_lock(settings.SPACELAB.state)
        if lock.take():
            try:
                with engine_program.at_work(settings.SPACELAB):
                    left = self._control(lock, options["patience"])
            except Unavailable as refusal:
                raise CommandError(f"{refusal.message} {refusal.advice}") from refusal
        else:
            left = self._wait(options["patience"])
        if left:
            raise CommandError(f"{left} did not end in {options['patience']:g} s; see `spacelab doctor`.")
        self.stdout.write("Nothing is running.")

    def _wait(self, patience: float) -> int:
        """Let the running controller do it; return how many are left."""
        deadline = time.monotonic() + patience
        while (left := queries.at_work().count()) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return left

    def _control(self, lock: Lock, patience: float) -> int:
        """Be the controller for as long as it takes; return how many are left."""
        until = Event()
        with ThreadPoolExecutor(8) as pool:
            controller = Controller(import_string(settings.WORKLOAD_RUNTIME)(), policy=Policy(), executor=pool)

            def work() -> None:
                try:
                    controller.run(until, interval=LOOK_SECONDS)
                finally:
                    connections.close_all()

            thread = Thread(target=work, name="controller")
            thread.start()
            try:
                return self._wait(patience)
            finally:
                until.set()
                thread.join()
                lock.release()
