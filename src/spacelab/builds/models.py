"""Builds: what somebody brought, what is planned for it, how far it has come, and what came out."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from spacelab.accounts.models import Person
from spacelab.builds import rules
from spacelab.datalabs.models import DatalabVersion
from spacelab.repositories.rules import LONGEST_URL
from spacelab.workloads.models import Workload


class Build(models.Model):
    """One package on its way to something that can be launched. Only the controller moves it once it is queued."""

    id = models.CharField(primary_key=True, max_length=12)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="builds")
    state = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in rules.State], default=rules.State.RECEIVED
    )
    reason = models.CharField(max_length=1000, blank=True)
    source = models.CharField(max_length=10, choices=[("upload", "upload"), ("git", "git")])
    git_url = models.CharField(max_length=LONGEST_URL, blank=True)
    git_ref = models.CharField(max_length=200, blank=True)
    git_commit = models.CharField(max_length=64, blank=True)
    brought = models.CharField(max_length=200, blank=True)
    """What was brought, in words: a file's name, the number of files, the repository."""
    package = models.CharField(max_length=64, blank=True)
    """The hash of the package's files; it names their folder below `<state>/packages`."""
    answers = models.JSONField(default=dict)
    """What the person answered: metadata that the package lacks, and the proposed requirements that she took."""
    plan = models.JSONField(default=dict)
    slug = models.CharField(max_length=60, blank=True)
    title = models.CharField(max_length=120, blank=True)
    version = models.CharField(max_length=40, blank=True)
    number = models.PositiveIntegerField(null=True, blank=True)
    """Counts the person's builds of this datalab; given when it is queued."""
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="later")
    """The build whose files were changed for this one."""
    workload = models.ForeignKey(Workload, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """What is at work for it at the moment, or was last."""
    steps = models.JSONField(default=list)
    failure = models.JSONField(default=dict)
    """step, file, line, message, advice."""
    result = models.JSONField(default=dict)
    checks = models.JSONField(default=list)
    datalab_version = models.ForeignKey(
        DatalabVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="builds"
    )
    cleaned = models.BooleanField(default=False)
    """Whether nothing is left of its work but its log and what came out."""
    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField(null=True, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["cleaned"], name="builds_to_attend", condition=models.Q(cleaned=False)),
            models.Index(fields=["person", "-created_at"], name="builds_of_person"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["person", "slug", "number"], name="build_number_once", condition=models.Q(number__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title or self.brought or self.id} ({self.state})"

    @property
    def is_final(self) -> bool:
        """Whether the build has ended for good."""
        return rules.State(self.state) in rules.FINAL


class ShortName(models.Model):
    """Whose a datalab's short name is from the start of its first build on; the row is locked while that is decided."""

    slug = models.CharField(primary_key=True, max_length=60)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return self.slug


class BuildChange(models.Model):
    """One change of a build's state, with a reason that a person can read."""

    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="changes")
    state = models.CharField(max_length=10)
    reason = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"{self.build_id} → {self.state}"
