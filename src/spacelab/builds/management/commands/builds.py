"""`spacelab builds prune`: remove now what the platform would remove by itself sooner or later, or only show it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from spacelab.audit.actions import System
from spacelab.builds import actions, unneeded
from spacelab.builds.rules import Unneeded
from spacelab.kit.refusals import Refusal

BY = System("builds")
MEGABYTE = 1_000_000


def _described(one: Unneeded) -> dict[str, object]:
    return {"kind": one.kind, "name": one.name, "bytes": one.size, "since": one.since.isoformat(timespec="seconds")}


class Command(BaseCommand):
    """Clear up after builds."""

    help = "Remove environments, images, packages, caches and papers of builds that nothing needs any more."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        prune = verbs.add_parser("prune", help="remove what the settings don't keep")
        prune.add_argument("--dry-run", action="store_true", help="only say what would go, and how much it frees")
        prune.add_argument("--json", action="store_true", help="as JSON, for programs")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        dry = options["dry_run"]
        try:
            found = actions.prunable() if dry else actions.prune(by=BY)
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}") from refusal
        if options["json"]:
            self.stdout.write(json.dumps([_described(one) for one in found], indent=2))
            return
        for one in found:
            self.stdout.write(f"{one.kind:12} {one.size / MEGABYTE:10.1f} MB  {one.since:%Y-%m-%d}  {one.name}")
        total = sum(one.size for one in found) / MEGABYTE
        free = unneeded.free_bytes() / MEGABYTE
        did = "would go, which frees" if dry else "went, which freed"
        self.stdout.write(f"{len(found)} {did} up to {total:.1f} MB; {free:.0f} MB of the disk are free.")
