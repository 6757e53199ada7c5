"""How lists show a session: its badge, and what the rule for idle sessions says of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.timesince import timesince

from spacelab.sessions import progress, queries
from spacelab.sessions.models import Session

register = template.Library()


@register.filter
def badge(session: Session) -> progress.Badge:
    """Return the session's state in one word and one tone."""
    return progress.badge_of(session)


@register.filter
def ago(moment: datetime) -> str:
    """Say how long ago something was, in words: the first minute is “just now”."""
    since = timezone.now() - moment
    return f"{timesince(moment)} ago" if since >= timedelta(minutes=1) else "just now"


@register.filter
def idleness(session: Session) -> queries.Idleness | None:
    """Say when the session ends if nobody uses it; None unless it is running."""
    return queries.idleness_of(session)
