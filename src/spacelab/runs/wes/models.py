"""What a run was asked for with, where it was launched through WES."""

from __future__ import annotations

from django.db import models


class WesRequest(models.Model):
    """The parts of a WES request that a run itself doesn't keep."""

    run = models.OneToOneField("runs.Run", primary_key=True, on_delete=models.CASCADE, related_name="wes")
    workflow_url = models.CharField(max_length=1000)
    type_version = models.CharField(max_length=20)
    engine_version = models.CharField(max_length=40, blank=True)
    parameters = models.JSONField(default=dict)
    """Parameters of the engine: name → text."""
    params = models.JSONField(default=dict)
    """The job order as it was sent."""
    tags = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.workflow_url} of {self.run_id}"
