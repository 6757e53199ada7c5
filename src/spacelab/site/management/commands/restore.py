"""`spacelab restore FILE`: bring a backup back into an empty state directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from spacelab.kit.refusals import Refusal
from spacelab.site import backups


class Command(BaseCommand):
    """Read what `spacelab backup` wrote."""

    help = "Bring a backup back. The state directory (SPACELAB_STATE) must be empty; then run `spacelab up`."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a file made by `spacelab backup`")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        try:
            backups.restore(
                settings.SPACELAB, options["file"].absolute(), lambda text: self.stdout.write(f"  · {text}")
            )
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}") from refusal
        self.stdout.write(f"Restored into {settings.SPACELAB.state}. Start it with `spacelab up`.")

    def _progress(self, text: str) -> None:
        self.stdout.write(f"  · {text}")
