"""`spacelab prepare`: bring the state directory to where the platform can start; quick when nothing is missing."""

from __future__ import annotations

import signal
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from rich.console import Console

from spacelab.kit.refusals import Refusal
from spacelab.site import engine_program, shipped
from spacelab.site.preparation import check_disk, tasks
from spacelab.site.privacy import check_owner, close_to_others
from spacelab.workloads.ports import RuntimeFault

SHOWN_FROM = 0.5
"""Seconds from which a task is worth a line of its own."""


class Command(BaseCommand):
    """Prepare what is missing, with progress."""

    help = "Create tables, people, archives, environments and datalabs where they are missing."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rest", action="store_true", help="build what the catalogue offers beyond what a start waits for"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is being built is ended with this command
        try:
            with engine_program.at_work(settings.SPACELAB):
                if options["rest"]:
                    self._rest()
                else:
                    self._prepare()
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}") from refusal

    def _prepare(self) -> None:
        console = Console(highlight=False)
        close_to_others(settings.SPACELAB.state)
        try:
            settings.SPACELAB.run_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_owner(settings.SPACELAB.run_directory)
            close_to_others(settings.SPACELAB.run_directory)
            check_disk()
            for task in tasks():
                if not task.needed():
                    continue
                started = time.monotonic()
                with console.status(f"  {task.title} …") as status:

                    def progress(text: str, title: str = task.title, show: Any = status) -> None:
                        show.update(f"  {title} … [dim]{text}[/]")

                    task.work(progress)
                seconds = time.monotonic() - started
                if seconds > SHOWN_FROM:
                    console.print(f"  · {task.title} … {seconds:.1f} s")
        except OperationalError as error:
            raise CommandError(f"The database can't be used: {error} Check that it runs, and database_url.") from error

    def _rest(self) -> None:
        """Build one after another; a failure of one keeps none of the others."""

        def tell(name: str, text: str) -> None:
            self.stdout.write(f"{name}: {text}" if text else f"{name} is offered.")
            self.stdout.flush()

        try:
            failed = shipped.install_rest(tell)
        except RuntimeFault as fault:
            raise CommandError(str(fault)) from fault
        except KeyboardInterrupt:
            self.stdout.write("Ended; the next start goes on.")
            return
        for name, refusal in failed:
            self.stderr.write(f"{name} can't be offered: {refusal.message} {refusal.advice}")
        if failed:
            raise SystemExit(1)
