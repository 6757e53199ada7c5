"""`spacelab password-link`: makes a one-time link with which a person sets a password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from spacelab.accounts import actions, queries
from spacelab.audit.actions import System
from spacelab.kit.refusals import Refusal


class Command(BaseCommand):
    """Makes a password link."""

    help = "Make a one-time link with which a person sets a password; it is shown this one time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        person = queries.find_person(options["username"])
        if person is None:
            raise CommandError(f"Nobody has the username “{options['username']}”.")
        try:
            secret = actions.make_password_link(by=System("command"), person=person)
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.advice}".strip()) from refusal
        self.stdout.write(settings.SPACELAB.portal_url + reverse("accounts:password-link", args=[secret]))
