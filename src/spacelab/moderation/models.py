"""What moderators write about versions: comments with their answers, and ticks on the checklist."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from spacelab.accounts.models import Person
from spacelab.datalabs.models import DatalabVersion
from spacelab.feedback.rules import LONGEST_COMMENT
from spacelab.pipelines.models import PipelineVersion

ONE_OF_THEM = models.Q(version__isnull=False, pipeline_version__isnull=True) | models.Q(
    version__isnull=True, pipeline_version__isnull=False
)
"""Each row is about one version, of a datalab or of a pipeline."""


class ReviewComment(models.Model):
    """A remark on a version, on a file of it or on one line, or the answer to such a remark."""

    version = models.ForeignKey(
        DatalabVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="review_comments"
    )
    pipeline_version = models.ForeignKey(
        PipelineVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="review_comments"
    )
    content_hash = models.CharField(max_length=80, blank=True, default="")
    """The files that were looked at: another build has other lines."""
    path = models.CharField(max_length=500, blank=True, default="")
    """A file of the package; empty for a remark on the whole."""
    line = models.PositiveIntegerField(null=True, blank=True)
    text = models.TextField(max_length=LONGEST_COMMENT)
    author = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    answers = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="answered_by")
    """The remark that it answers, itself no answer."""
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=ONE_OF_THEM, name="comment_on_one"),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def about(self) -> DatalabVersion | PipelineVersion:
        """The version that it is about."""
        found = self.version or self.pipeline_version
        assert found is not None  # noqa: S101  a constraint of the table
        return found

    @property
    def place(self) -> str:
        """The file and line that it is about, as people write it; empty for the whole."""
        return f"{self.path}:{self.line}" if self.line else self.path


class Tick(models.Model):
    """One point of the checklist that a moderator found in order, for one submission of a version."""

    version = models.ForeignKey(DatalabVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="ticks")
    pipeline_version = models.ForeignKey(
        PipelineVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="ticks"
    )
    submitted_at = models.DateTimeField()
    """Which submission was looked at: what is submitted again is looked at again."""
    point = models.CharField(max_length=40)
    person = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["version", "submitted_at", "point"], name="tick_once"),
            models.UniqueConstraint(fields=["pipeline_version", "submitted_at", "point"], name="pipeline_tick_once"),
            models.CheckConstraint(condition=ONE_OF_THEM, name="tick_on_one"),
        ]

    def __str__(self) -> str:
        return self.point
