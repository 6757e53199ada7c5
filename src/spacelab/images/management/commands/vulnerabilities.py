"""`spacelab vulnerabilities update|show`: the database of known vulnerabilities, for operators."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console

from spacelab.audit.actions import System
from spacelab.images import queries
from spacelab.images.actions import update_vulnerabilities
from spacelab.images.rules.report import Database
from spacelab.kit.refusals import Invalid, Refusal

BY = System("vulnerabilities")


class Command(BaseCommand):
    """Import the database of vulnerabilities, or say what it holds."""

    help = "Import known vulnerabilities from OSV records, or say what the database holds and how old it is."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        update = verbs.add_parser("update", help="replace the database by these records; the old one serves meanwhile")
        update.add_argument(
            "paths",
            nargs="*",
            type=Path,
            metavar="PATH",
            help="folders, zips or JSON files of OSV records; none: what vulnerability_database names",
        )
        verbs.add_parser("show", help="say what the database holds and how old it is")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        try:
            if options["verb"] == "update":
                self._update(options["paths"])
            else:
                self._show(queries.known_database())
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}") from refusal

    def _update(self, paths: list[Path]) -> None:
        configured = settings.SPACELAB.vulnerability_database
        wanted = paths or ([configured] if configured else [])
        if not wanted:
            raise Invalid(
                "Nothing says where the records are.", advice="Name files, or set vulnerability_database to a folder."
            )
        started = time.monotonic()
        with Console(highlight=False).status("  reading records") as status:
            database = update_vulnerabilities(by=BY, paths=wanted, progress=lambda text: status.update(f"  {text}"))
        self.stdout.write(f"Imported in {time.monotonic() - started:.1f} s.")
        self._show(database)

    def _show(self, database: Database | None) -> None:
        if database is None:
            self.stdout.write(f"There is no database of vulnerabilities. {queries.NO_DATABASE}")
            return
        days = database.days_old(timezone.now())
        old = days > settings.SPACELAB.vulnerability_database_days
        self.stdout.write(
            f"{database.records} records; the newest was changed {days} days ago"
            + (": import a newer database." if old else ".")
        )
        if database.skipped:
            self.stdout.write(f"{database.skipped} files could not be read as records.")
        for ecosystem, count in database.ecosystems.items():
            self.stdout.write(f"  {ecosystem:24} {count:8} affected packages")
