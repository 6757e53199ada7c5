"""`spacelab images build|list|export|import|push|pull|scan`: the images in the platform's container engine."""

from __future__ import annotations

import json
import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spacelab.images import commands
from spacelab.images.base_images import BaseImage
from spacelab.kit.refusals import Refusal
from spacelab.site.base_building import build_base_images, standings
from spacelab.workloads.runtimes.container.engine import EngineAway

MEGABYTE = 1_000_000
TONES = {"current": "green", "outdated": "yellow", "missing": "red"}


class Command(BaseCommand):
    """Build and list base images; carry any image elsewhere, and look into it."""

    help = "Build and list the base images that datalabs start from; carry images elsewhere, and look into them."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        build = verbs.add_parser("build", help="build what is missing or outdated")
        build.add_argument("names", nargs="*", metavar="NAME", help="only these, and what they start from")
        build.add_argument("--fresh", action="store_true", help="build anew, with Debian's updates")
        listed = verbs.add_parser("list", help="say what there is")
        listed.add_argument("--json", action="store_true", help="as JSON, for programs")
        commands.add_verbs(verbs)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        console = Console(highlight=False)
        try:
            if options["verb"] == "build":
                self._build(console, options["names"], fresh=options["fresh"])
            elif options["verb"] == "list":
                self._list(console, as_json=options["json"])
            else:
                with console.status(f"  {options['verb']}") as status:
                    commands.run(options, lambda text: status.update(f"  {escape(text)}"), self.stdout.write)
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}") from refusal
        except EngineAway as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as interrupt:
            raise CommandError("Cancelled; what was finished stays.", returncode=130) from interrupt

    def _build(self, console: Console, names: list[str], *, fresh: bool) -> None:
        with console.status("  looking at what there is …") as status:

            def progress(image: BaseImage, text: str) -> None:
                if text.startswith("step ") and ": LABEL " not in text:
                    console.print(f"  [dim]{image.name} · {escape(text)}[/]", overflow="ellipsis", no_wrap=True)
                status.update(f"  {image.name} … [dim]{escape(text)}[/]")

            for built in build_base_images(names, fresh=fresh, progress=progress):
                size = f"{built.size / MEGABYTE:.0f} MB, {built.packages}"
                took = "unchanged" if built.seconds is None else f"{built.seconds:.1f} s"
                console.print(f"  · {built.reference} … {took}, {size}")

    def _list(self, console: Console, *, as_json: bool) -> None:
        rows = standings()
        if as_json:
            facts = ("reference", "state", "id", "size", "created", "packages")
            self.stdout.write(json.dumps([{fact: getattr(row, fact) for fact in facts} for row in rows], indent=2))
            return
        table = Table(box=None, pad_edge=False)
        for title in ("image", "state", "size", "digest", "made", "contents"):
            table.add_column(title, justify="right" if title == "size" else "left", overflow="fold")
        for row in rows:
            table.add_row(
                row.reference,
                f"[{TONES[row.state]}]{row.state}[/]",
                f"{row.size / MEGABYTE:.0f} MB" if row.size else "",
                row.id.removeprefix("sha256:")[:12],
                row.created,
                row.packages,
            )
        console.print(table)
        if any(row.state != "current" for row in rows):
            console.print("\n`spacelab images build` makes what is missing or outdated.")
