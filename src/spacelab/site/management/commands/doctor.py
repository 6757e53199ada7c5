"""`spacelab doctor`: what this host can do, and what would mend what it can't."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console

from spacelab.site.doctor import look


class Command(BaseCommand):
    """Look at the host and print what was found; exit status 1 if something needed is missing."""

    help = "Explain what this host can and cannot do for Spacelab, and what would mend it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        findings = []
        console = Console(highlight=False, soft_wrap=True)
        for finding in look(settings.SPACELAB):
            findings.append(finding)
            if options["json"]:
                continue
            mark = "[green]✓[/]" if finding.ok else ("[red]✗[/]" if finding.needed else "[yellow]![/]")
            console.print(f" {mark} [bold]{finding.name:<22}[/]{finding.detail}")
            if finding.remedy and not finding.ok:
                console.print(f"   {'':<22}[dim]{finding.remedy}[/]")
        missing = [finding for finding in findings if finding.needed and not finding.ok]
        if options["json"]:
            self.stdout.write(json.dumps([finding.to_json() for finding in findings], indent=1))
        elif missing:
            console.print(f"\n{len(missing)} thing(s) must be mended before Spacelab can start.")
        else:
            console.print("\nSpacelab can run here.")
        sys.exit(1 if missing else 0)
