"""Reading the trail."""

from __future__ import annotations

from django.db.models import QuerySet

from spacelab.audit.models import Entry


def entries(*, actor: str = "", subject: str = "") -> QuerySet[Entry]:
    """List the trail, newest first, of one actor or one subject where given."""
    found = Entry.objects.all()
    if actor:
        found = found.filter(actor=actor)
    if subject:
        found = found.filter(subject=subject)
    return found
