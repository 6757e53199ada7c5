"""Telling the owner of a run how it ended."""

from __future__ import annotations

from django.urls import reverse

from spacelab.notifications import actions as notifications
from spacelab.notifications.rules import Kind
from spacelab.runs.models import Run
from spacelab.runs.rules import State

WORDS = {State.SUCCEEDED: "has succeeded", State.FAILED: "failed", State.CANCELLED: "was stopped"}


def tell_end(run: Run) -> None:
    """Tell a run's owner that it has ended, how, and why."""
    text = run.reason or (f"Its outputs are in {run.results}." if run.state == State.SUCCEEDED else "")
    notifications.tell(
        people=[run.owner],
        kind=Kind.RUN_ENDED,
        title=f"Your run {run.title} {WORDS.get(State(run.state), 'was interrupted')}",
        text=text,
        url=reverse("runs:detail", args=[run.pk]),
        subject=f"run:{run.pk}",
    )
