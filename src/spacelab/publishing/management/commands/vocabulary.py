"""`spacelab vocabulary load|show|remove`: the thesaurus that keywords are picked from, for operators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from spacelab.audit.actions import System
from spacelab.kit.refusals import Refusal
from spacelab.publishing import actions, queries

SYSTEM = System("vocabulary")


class Command(BaseCommand):
    """Load, show and remove the thesaurus."""

    help = "Load the thesaurus that keywords are picked from, show which one it is, or remove it."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        load = verbs.add_parser("load", help="take the concepts of a SKOS file into use, in place of those before")
        load.add_argument("file", type=Path, help="RDF/XML (.rdf), Turtle (.ttl), N-Triples (.nt) or JSON-LD (.jsonld)")
        load.add_argument("--language", default="en", help="the language of the labels")
        verbs.add_parser("show", help="say which thesaurus is in use")
        verbs.add_parser("remove", help="take it out of use; keywords stay as they are")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        try:
            if options["verb"] == "load":
                actions.load_thesaurus(by=SYSTEM, file=options["file"], language=options["language"])
            elif options["verb"] == "remove" and actions.remove_thesaurus(by=SYSTEM):
                self.stdout.write("The thesaurus is removed; keywords stay as they are.")
                return
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}") from refusal
        self._show()

    def _show(self) -> None:
        found = queries.thesaurus()
        if not found:
            self.stdout.write("No thesaurus is loaded: keywords are free words.")
            return
        labels = len(found) + sum(len(concept.others) for concept in found.concepts)
        self.stdout.write(f"{found.title}: {len(found):,} concepts, {labels:,} labels.")
        for name, value in (("version", found.version), ("licence", found.licence)):
            if value:
                self.stdout.write(f"  {name}: {value}")
