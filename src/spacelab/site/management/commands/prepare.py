"""`spacelab prepare`: bring the state directory to where the platform can start; quick when nothing is missing."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.console import Console

from spacelab.kit.refusals import Refusal
from spacelab.site.preparation import check_disk, tasks
from spacelab.site.privacy import check_owner, close_to_others

SHOWN_FROM = 0.5
"""Seconds from which a task is worth a line of its own."""


class Command(BaseCommand):
    """Prepare what is missing, with progress."""

    help = "Create tables, people, archives, environments and datalabs where they are missing."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
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
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}") from refusal
        except OperationalError as error:
            raise CommandError(f"The database can't be used: {error} Check that it runs, and database_url.") from error
