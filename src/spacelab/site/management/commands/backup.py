"""`spacelab backup FILE`: save all state while the platform runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from spacelab.kit.refusals import Refusal
from spacelab.site import backups


class Command(BaseCommand):
    """Write one file that holds everything which can't be made again."""

    help = "Save the database, settings, secrets and people's areas into one file. The file holds secrets: guard it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where to write it, e.g. spacelab-2026-11-21.tar.gz")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        target: Path = options["file"].absolute()
        try:
            size = backups.save(settings.SPACELAB, target, lambda text: self.stdout.write(f"  · {text}"))
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}") from refusal
        self.stdout.write(f"Saved {size / 1e6:.1f} MB to {target}")
