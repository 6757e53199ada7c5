"""`spacelab person add`: adds a person from the terminal, the first operator above all."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from spacelab.accounts import actions
from spacelab.audit.actions import System
from spacelab.kit.refusals import Refusal


class Command(BaseCommand):
    """Adds people."""

    help = "Add a person: spacelab person add USERNAME --email ADDRESS --role operator"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["add"])
        parser.add_argument("username")
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", default="", help="How pages name the person; the username if left out.")
        parser.add_argument("--affiliation", default="")
        parser.add_argument("--role", action="append", dest="roles", help="May be given several times.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        actions.install_roles()
        try:
            person = actions.add_person(
                by=System("command"),
                username=options["username"],
                email=options["email"],
                display_name=options["name"] or options["username"],
                affiliation=options["affiliation"],
                roles=options["roles"] or ["scientist"],
            )
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}".strip()) from refusal
        self.stdout.write(f"{person.username} is there. Next: spacelab password-link {person.username}")
