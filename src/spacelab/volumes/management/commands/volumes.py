"""`spacelab volumes apply|list|retire`: the archive volumes, for operators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from spacelab.audit.actions import System
from spacelab.kit.refusals import Refusal
from spacelab.volumes import actions, queries
from spacelab.volumes.declarations import read_declaration

SYSTEM = System("volumes")


class Command(BaseCommand):
    """Declare, list and retire archive volumes."""

    help = "Declare archive volumes from YAML files, list them, or take one out of use."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        apply = verbs.add_parser("apply", help="declare the volumes of these files; repeat it as often as you like")
        apply.add_argument("files", nargs="+", type=Path)
        verbs.add_parser("list", help="show every archive volume")
        retire = verbs.add_parser("retire", help="take a volume out of use; its files stay")
        retire.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        try:
            if options["verb"] == "apply":
                self._apply(options["files"])
            elif options["verb"] == "list":
                self._list()
            else:
                actions.retire_archive(by=SYSTEM, name=options["name"])
                self.stdout.write(f"{options['name']} is retired; its files stay.")
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}") from refusal

    def _apply(self, files: list[Path]) -> None:
        for declaration in [read_declaration(file) for file in files]:
            changes = actions.declare_archive(by=SYSTEM, declaration=declaration)
            self.stdout.write(f"{declaration.name}: {'changed' if changes else 'as declared already'}")
            for key, (before, after) in changes.items():
                self.stdout.write(f"  {key}: {before or 'none'} → {after or 'none'}")

    def _list(self) -> None:
        for volume in queries.archives():
            state = "retired" if volume.retired_at else volume.access
            self.stdout.write(f"{volume.name:24} {state:10} {volume.path}  {volume.title}")
