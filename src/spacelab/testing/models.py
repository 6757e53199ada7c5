"""Launch tests: which version is tried, how far that has come, and what was found so far."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from spacelab.datalabs.models import DatalabVersion, Evidence
from spacelab.datalabs.rules import EvidenceKind
from spacelab.testing import rules
from spacelab.workloads.models import Workload


class LaunchTest(models.Model):
    """One launch test. Only the controller moves it; what it finds for good becomes the version's evidence."""

    version = models.ForeignKey(DatalabVersion, null=True, on_delete=models.SET_NULL, related_name="launch_tests")
    """Empty once the version was deleted."""
    kind = models.CharField(max_length=20, choices=[(one.value, one.value) for one in EvidenceKind])
    content_hash = models.CharField(max_length=80, blank=True)
    """The package that is tried: a test of other content says nothing."""
    state = models.CharField(
        max_length=12, choices=[(one.value, one.value) for one in rules.State], default=rules.State.WAITING
    )
    reason = models.CharField(max_length=300, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    workload = models.ForeignKey(Workload, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """What is at work for it at the moment, or was last."""
    findings = models.JSONField(default=dict)
    """What was found so far; becomes the evidence's `data`."""
    evidence = models.OneToOneField(Evidence, null=True, blank=True, on_delete=models.SET_NULL, related_name="test")
    cleaned = models.BooleanField(default=False)
    """Whether nothing is left of its work."""
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["version"],
                name="one_launch_test_at_once",
                condition=models.Q(state__in=["waiting", "interface", "notebooks"]),
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["cleaned"], name="tests_to_attend", condition=models.Q(cleaned=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.version} ({self.state})"

    @property
    def is_final(self) -> bool:
        """Whether it has ended for good."""
        return rules.State(self.state) in rules.FINAL
