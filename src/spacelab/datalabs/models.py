"""Datalabs and their versions: the catalogue that people launch from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from spacelab.accounts.models import Person
from spacelab.datalabs import rules
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.publishing.models import PublishedEntry, PublishedVersion, VersionChange, VersionEvidence
from spacelab.publishing.rules.families import Family
from spacelab.publishing.rules.terms import Kind

FAMILY = Family(
    word="datalab",
    namespace="datalabs",
    kind=Kind.DATALAB,
    entry="datalab",
    author=DatalabPermission.AUTHOR,
    share=DatalabPermission.SHARE,
    moderate=DatalabPermission.MODERATE,
    archive_any=DatalabPermission.ARCHIVE_ANY,
    launch_archived=DatalabPermission.LAUNCH_ARCHIVED,
    reviews="moderation",
    next=rules.NEXT,
    tabs=rules.AUTHORING_TABS,
    home_tabs=rules.HOME_TABS,
    evidence=rules.EVIDENCE_TITLES,
)
"""What the shared parts know of datalabs."""


class Datalab(PublishedEntry):
    """A catalogue entry: a packaged application and its relation to data."""

    icon = models.TextField(blank=True)
    """The icon as SVG; shown as an image, never as markup."""
    maintainer = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="datalabs")
    kind = models.CharField(max_length=20, default="web")
    """jupyter, desktop or web: what a person will see when it opens."""

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-popularity", "sort_key", "slug"], name="datalabs_by_popularity"),
        ]

    @property
    def last_start(self) -> datetime | None:
        """When the newest version found last started successfully."""
        return self.newest.started_at if self.newest else None

    def formats_of(self, version: DatalabVersion) -> Iterable[str]:
        """Name the types of files that a version opens."""
        return rules.Opens.from_json(version.opens).formats


class DatalabVersion(PublishedVersion):
    """One version of a datalab: what is started, and which volumes stand beside it by default."""

    family = FAMILY

    datalab = models.ForeignKey(Datalab, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=40)
    environment = models.CharField(max_length=100, blank=True)
    """What a runtime of environments starts it from: a folder's name below the environments directory."""
    image = models.CharField(max_length=300, blank=True)
    """What a runtime of images starts it from."""
    command = models.JSONField(default=list)
    variables = models.JSONField(default=dict)
    interface = models.JSONField(default=dict)
    """port, path, health_path as in `workloads.rules.Interface`."""
    activity_probe = models.CharField(max_length=20, blank=True)
    """How to ask the application whether it is at work: "jupyter", or empty for CPU use alone."""
    default_volumes = models.JSONField(default=list)
    opens = models.JSONField(default=dict)
    """What files it opens: `formats`, a list of their names, and `default`, the file opened if none is chosen."""
    threads = models.JSONField(default=list)
    """Its predefined processing threads, each as in `rules.Thread`."""
    package = models.CharField(max_length=1000, blank=True, default="")
    """The folder that holds the package's files on the host, or empty."""
    licence = models.CharField(max_length=200, blank=True, default="")
    notes = models.TextField(blank=True)
    kind = models.CharField(max_length=20, blank=True, default="")
    """What the entry's `kind` becomes with this version."""
    icon = models.TextField(blank=True, default="")
    """What the entry's `icon` becomes with this version."""
    image_digest = models.CharField(max_length=80, blank=True, default="")
    """The image's content address when it was published; empty in a runtime of environments."""
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When its present content last started and became ready: in a test that passed, or for somebody."""
    derived_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="derivatives"
    )
    """The version whose image or session this one was made from."""

    class Meta:
        ordering: ClassVar[list[Any]] = [models.F("published_at").desc(nulls_last=True), "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["datalab", "version"], name="version_once"),
        ]


class DatalabChange(VersionChange):
    """One change of a version's state."""

    version = models.ForeignKey(DatalabVersion, on_delete=models.CASCADE, related_name="changes")


class Evidence(VersionEvidence):
    """What was found out about a build of a version: kept with it, and never changed."""

    version = models.ForeignKey(DatalabVersion, on_delete=models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=20, choices=[(one.value, one.value) for one in rules.EvidenceKind])
    folder = models.CharField(max_length=100, blank=True, default="")
    """Where its files lie (a screenshot, a log), below `<state>/evidence`."""
