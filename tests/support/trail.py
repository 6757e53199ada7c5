"""Lets tests that empty the database empty the audit trail too, which the database refuses everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import flush
from django.db import connection

from spacelab.audit.append_only import PROTECT, RELEASE


@contextmanager
def released_trail() -> Iterator[None]:
    """Take the trail's protection away for a while."""
    with connection.cursor() as cursor:
        for statement in RELEASE[connection.vendor]:
            cursor.execute(statement)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for statement in PROTECT[connection.vendor]:
                cursor.execute(statement)


def let_flush_empty_the_trail() -> None:
    """Wrap Django's `flush`, with which transactional tests end, in `released_trail`."""
    plain = flush.Command.handle

    def handle(self: flush.Command, **options: Any) -> None:
        with released_trail():
            plain(self, **options)

    flush.Command.handle = handle  # type: ignore[method-assign] # for the whole test run
