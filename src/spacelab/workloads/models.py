"""Workloads: what is wanted of them, what was last seen of them, and every change of phase."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from spacelab.accounts.models import Person
from spacelab.workloads import rules


class Workload(models.Model):
    """Anything the platform runs for somebody. The web writes `desired`; only the controller writes the rest."""

    id = models.CharField(primary_key=True, max_length=12)
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="workloads")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in rules.Kind])
    spec = models.JSONField()
    desired = models.CharField(
        max_length=4, choices=[(one.value, one.value) for one in rules.Desired], default=rules.Desired.RUN
    )
    stop_reason = models.CharField(max_length=300, blank=True)
    phase = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in rules.Phase], default=rules.Phase.QUEUED
    )
    reason = models.CharField(max_length=1000, blank=True)
    trouble = models.CharField(max_length=20, blank=True, default="")
    """The `rules.Trouble` that ended it or keeps it from starting, where that can be told."""
    address = models.CharField(max_length=300, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    cpu_seconds = models.FloatField(default=0)
    memory_bytes = models.BigIntegerField(default=0)
    scratch_bytes = models.BigIntegerField(default=0)
    active_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    held = models.BooleanField(default=False)
    """Whether somebody still collects what it printed: until then nothing of it is removed after its end."""
    forgotten = models.BooleanField(default=False)
    """Whether the runtime was told to remove what was left after the end."""

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["phase"],
                name="workloads_at_work",
                condition=models.Q(forgotten=False),
            ),
            models.Index(fields=["owner", "-created_at"], name="workloads_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.phase})"

    @property
    def is_final(self) -> bool:
        """Whether the workload has ended for good."""
        return rules.Phase(self.phase) in rules.FINAL


class PhaseChange(models.Model):
    """One step in a workload's life, with a reason that a person can read."""

    workload = models.ForeignKey(Workload, on_delete=models.CASCADE, related_name="changes")
    phase = models.CharField(max_length=10)
    reason = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"{self.workload_id} → {self.phase}"
