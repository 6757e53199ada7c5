"""Pipelines and steps with their versions: the catalogue that people launch runs from."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from spacelab.accounts.models import Person
from spacelab.pipelines import rules
from spacelab.pipelines.permissions import PipelinePermission
from spacelab.publishing.models import PublishedEntry, PublishedVersion, VersionChange, VersionEvidence
from spacelab.publishing.rules.families import Family
from spacelab.publishing.rules.terms import Kind
from spacelab.repositories.rules import LONGEST_URL
from spacelab.workloads.models import Workload

FAMILY = Family(
    word="pipeline",
    namespace="pipelines",
    kind=Kind.PIPELINE,
    entry="pipeline",
    author=PipelinePermission.AUTHOR,
    share=PipelinePermission.PUBLISH,
    moderate=PipelinePermission.MODERATE,
    archive_any=PipelinePermission.ARCHIVE_ANY,
    launch_archived=PipelinePermission.LAUNCH,
    reviews="pipeline-reviews",
    next=rules.NEXT,
    tabs=rules.AUTHORING_TABS,
    home_tabs=rules.HOME_TABS,
    evidence=rules.EVIDENCE_TITLES,
    words=rules.STATE_WORDS,
)
"""What the shared parts know of pipelines."""


class Pipeline(PublishedEntry):
    """A catalogue entry: a workflow in CWL, or a tool that is used as a step of workflows."""

    kind = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in rules.Kind], default=rules.Kind.PIPELINE.value
    )
    maintainer = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="pipelines")
    """Empty for what the platform ships."""

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "-updated_at", "slug"], name="pipelines_by_change"),
        ]

    @property
    def is_system(self) -> bool:
        """Whether the platform ships it."""
        return self.maintainer_id is None

    @property
    def is_step(self) -> bool:
        """Whether it is a step."""
        return self.kind == rules.Kind.STEP


class PipelineVersion(PublishedVersion):
    """One version: its documents as texts, and what was read from them."""

    family = FAMILY

    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=40)
    files = models.JSONField(default=dict)
    """Path → text, byte for byte as they were brought."""
    main = models.CharField(max_length=300)
    """The path of the main document, with `#id` where a document holds several."""
    reading = models.JSONField(default=dict)
    """What was read from the documents when they were saved: `cwl_version`, `cwl_class`, `errors`, `warnings` …"""
    licence = models.CharField(max_length=200, blank=True, default="")
    source = models.JSONField(default=dict)
    """The repository that its files were taken from: `url`, `ref`, `commit`, `path`, and their `content_hash` then."""
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar[list[Any]] = [models.F("published_at").desc(nulls_last=True), "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["pipeline", "version"], name="pipeline_version_once"),
        ]

    @property
    def is_as_fetched(self) -> bool:
        """Whether its files are still those of the commit that they were taken from."""
        return bool(self.source) and self.source.get("content_hash") == self.content_hash

    @property
    def is_valid(self) -> bool:
        """Whether its documents had no error when they were saved."""
        return not self.reading.get("errors")


class StepUse(models.Model):
    """A version uses a step of the catalogue, by its short name and version: there may be no such step."""

    user = models.ForeignKey(PipelineVersion, on_delete=models.CASCADE, related_name="uses")
    slug = models.CharField(max_length=60)
    version = models.CharField(max_length=40)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["slug", "version"], name="uses_of_step")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "slug", "version"], name="use_once"),
        ]

    def __str__(self) -> str:
        return f"{self.slug} {self.version}"


class PipelineChange(VersionChange):
    """One change of a version's state."""

    version = models.ForeignKey(PipelineVersion, on_delete=models.CASCADE, related_name="changes")


class PipelineEvidence(VersionEvidence):
    """What a run of a version's documents showed."""

    version = models.ForeignKey(PipelineVersion, on_delete=models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=20, choices=[(one.value, one.value) for one in rules.EvidenceKind])


class Software(models.Model):
    """An environment that steps may name as `software/<name>:<version>` where there is no container engine."""

    name = models.CharField(max_length=60)
    version = models.CharField(max_length=40)
    environment = models.CharField(max_length=100)
    """Its folder's name below the environments directory."""
    packages = models.TextField(blank=True, default="")
    """What was asked for: the requirements, line by line."""

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["name", "version"], name="software_once"),
        ]

    def __str__(self) -> str:
        return f"software/{self.name}:{self.version}"


class PipelineImport(models.Model):
    """A repository on its way to a draft: what was asked for, how far that has come, and what came of it."""

    id = models.CharField(primary_key=True, max_length=12)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="pipeline_imports")
    slug = models.CharField(max_length=60)
    version = models.CharField(max_length=40)
    title = models.CharField(max_length=120, blank=True)
    git_url = models.CharField(max_length=LONGEST_URL)
    git_ref = models.CharField(max_length=200, blank=True)
    git_path = models.CharField(max_length=rules.LONGEST_PATH, blank=True)
    """A folder or a document in the repository; empty for all of it."""
    git_commit = models.CharField(max_length=64, blank=True)
    state = models.CharField(
        max_length=10,
        choices=[(one.value, one.value) for one in rules.ImportState],
        default=rules.ImportState.WAITING.value,
    )
    reason = models.CharField(max_length=1000, blank=True)
    """Why it failed and what to try, or what was left out."""
    made = models.ForeignKey(PipelineVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    workload = models.ForeignKey(Workload, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["created_at"], name="imports_to_attend", condition=models.Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.slug} {self.version} from {self.git_url}"
