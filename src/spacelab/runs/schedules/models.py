"""Schedules, what each of them did, and the files that one which watches a folder remembers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from spacelab.accounts.models import Person
from spacelab.kit.ids import new_id
from spacelab.runs.schedules.rules import Missed, Outcome, State, Trigger


def _values(kind: type[Missed | Outcome | State | Trigger]) -> list[tuple[str, str]]:
    return [(one.value, one.value) for one in kind]


class Schedule(models.Model):
    """A pipeline that is launched by itself for a person, as she could launch it at that moment."""

    id = models.CharField(primary_key=True, max_length=12, default=new_id)
    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="schedules")
    title = models.CharField(max_length=120)
    pipeline_slug = models.CharField(max_length=60)
    version_number = models.CharField(max_length=40, blank=True)
    """Empty: the newest one at each start."""
    job = models.JSONField(default=dict)
    choices = models.JSONField(default=dict)
    """profile, volumes, teams, results, title, shown_to: as the launcher takes them."""
    trigger = models.CharField(max_length=10, choices=_values(Trigger))
    cron = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    missed = models.CharField(max_length=10, choices=_values(Missed), default=Missed.SKIP)
    folder = models.CharField(max_length=1000, blank=True)
    """The watched folder, as runs see it: `/data/<volume>/…`, `/media/user/…`."""
    patterns = models.JSONField(default=list)
    with_subfolders = models.BooleanField(default=False)
    settle_seconds = models.PositiveIntegerField(default=30)
    input = models.CharField(max_length=200, blank=True)
    """The input that gets the files."""
    one_run_each = models.BooleanField(default=False)
    """A run for each file; else one for all that are ready, as an array."""
    may_overlap = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=_values(State), default=State.ACTIVE)
    reason = models.CharField(max_length=1000, blank=True)
    """Why it was stopped, or what keeps it from starting a run now."""
    next_at = models.DateTimeField(null=True, blank=True)
    """When it is looked at next: its next time, or the next look at its folder."""
    not_before = models.DateTimeField(null=True, blank=True)
    """Until when a time that is due waits, after its start was refused for something that passes."""
    tries = models.PositiveIntegerField(default=0)
    """How often in a row a start was refused for something that passes."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_at"], name="schedules_due", condition=models.Q(state="active")),
            models.Index(fields=["owner", "-created_at"], name="schedules_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.state})"


class Firing(models.Model):
    """One time of a schedule, or one lot of files, and what became of it."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="firings")
    due = models.DateTimeField()
    """The time that it is for; for files, when they were ready."""
    at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=10, choices=_values(Outcome))
    reason = models.CharField(max_length=1000, blank=True)
    times = models.PositiveIntegerField(default=1)
    """How many times it stands for, where several were left out at once."""
    files = models.JSONField(default=list)
    """Paths of its files, the first hundred."""
    run = models.ForeignKey("runs.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="firings")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["schedule", "-at"], name="firings_of_schedule")]

    def __str__(self) -> str:
        return f"{self.outcome} for {self.due:%Y-%m-%d %H:%M}"


class WatchedFile(models.Model):
    """A file of a watched folder: how it was at the last look, and since when it is so."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="watched")
    path = models.CharField(max_length=2000)
    size = models.BigIntegerField()
    changed = models.BigIntegerField()
    """Nanoseconds since 1970."""
    since = models.DateTimeField()
    taken = models.BooleanField(default=False)
    """Whether it was given to a run as it is, or was there before the schedule."""

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["schedule", "path"], name="file_watched_once"),
        ]

    def __str__(self) -> str:
        return self.path
