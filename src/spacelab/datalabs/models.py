"""Datalabs and their versions: the catalogue that people launch from."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.datalabs import rules
from spacelab.publishing.models import PublishedVersion, VersionChange
from spacelab.publishing.rules.facets import facet_index, facets_of


class Datalab(models.Model):
    """A catalogue entry: a packaged application and its relation to data."""

    slug = models.CharField(max_length=60, unique=True, validators=[RegexValidator(rules.SLUG, rules.SLUG_ADVICE)])
    title = models.CharField(max_length=120)
    abstract = models.TextField(max_length=1000)
    description = models.TextField(max_length=20000, blank=True)
    icon = models.TextField(blank=True)
    """The icon as SVG; shown as an image, never as markup."""
    author = models.CharField(max_length=120)
    contact = models.EmailField(blank=True)
    maintainer = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="datalabs")
    tags = models.JSONField(default=list)
    kind = models.CharField(max_length=20, default="web")
    """jupyter, desktop or web: what a person will see when it opens."""
    search_text = models.TextField(blank=True, default="", editable=False)
    """Title, abstract, tags and author, folded: what the search looks through."""
    tag_index = models.TextField(blank=True, default="", editable=False)
    sort_key = models.CharField(max_length=120, blank=True, default="", editable=False, db_index=True)
    """The title, folded: what the catalogue is ordered by."""
    listed_at = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)
    """When the newest version came that everybody finds in the catalogue; empty where there is none."""
    facets = models.JSONField(default=dict, editable=False)
    """Missions, fields of science and file types of the version in the catalogue, and whether it is official."""
    facet_index = models.TextField(blank=True, default="", editable=False)
    popularity = models.PositiveIntegerField(default=0, editable=False)
    """How many people have used it, its author apart: each counts once."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-popularity", "sort_key", "slug"], name="datalabs_by_popularity"),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = rules.fold("\n".join([self.title, self.abstract, self.author, *self.tags]))
        self.tag_index = rules.tag_index(self.tags)
        self.sort_key = rules.fold(self.title)[:120]
        super().save(*args, **kwargs)

    @property
    def _seen(self) -> list[DatalabVersion]:
        """The versions that a visitor sees, as `queries.listing` found them: published ones first, the newest first."""
        return list(getattr(self, "seen_versions", ()))

    @property
    def published_versions(self) -> list[DatalabVersion]:
        """Those of the versions found that stand in the catalogue."""
        return [one for one in self._seen if one.state in rules.OFFERED]

    @property
    def drafts(self) -> list[DatalabVersion]:
        """Those of the versions found that are not published."""
        return [one for one in self._seen if one.state not in rules.KEPT]

    @property
    def archived_versions(self) -> list[DatalabVersion]:
        """Those of the versions found that are in the archive."""
        return [one for one in self._seen if one.state == rules.State.ARCHIVED]

    @property
    def _newest(self) -> DatalabVersion | None:
        return next(iter(self.published_versions or self._seen), None)

    @property
    def latest_version(self) -> str:
        """The number of the newest version found, a published one before all others."""
        return self._newest.version if self._newest else ""

    @property
    def latest_at(self) -> datetime | None:
        """When that version was published; None for a draft."""
        return self._newest.published_at if self._newest else None

    @property
    def last_start(self) -> datetime | None:
        """When that version last started successfully."""
        return self._newest.started_at if self._newest else None

    def speaker(self) -> DatalabVersion | None:
        """Return the version that the entry speaks for: the newest for everybody, so that it tells nobody too much.

        What is offered comes before the archive; without one for everybody it is the newest that was published.
        """
        published = self.versions.filter(
            models.Q(visibility=rules.Visibility.EVERYBODY, state__in=rules.KEPT) | models.Q(state__in=rules.OFFERED)
        )
        return max(published, key=_loudness, default=None)

    def relist(self) -> None:
        """Note since when it stands in everybody's catalogue, and what it is found by there.

        Whoever changes a version says so here. Facets are those of the version that the entry speaks for.
        """
        one = self.speaker()
        listed = one is not None and one.visibility == rules.Visibility.EVERYBODY and one.state in rules.OFFERED
        self.listed_at = one.published_at or self.created_at if one and listed else None
        self.facets = facets_of(one.metadata, rules.Opens.from_json(one.opens).formats) if one else {}
        self.facet_index = facet_index(self.facets)
        row = Datalab.objects.filter(pk=self.pk)
        same = row.filter(listed_at=self.listed_at) if self.listed_at else row.filter(listed_at=None)
        if not same.filter(facet_index=self.facet_index).exists():  # drafts come and go without touching the entry
            values = {"listed_at": self.listed_at, "facets": self.facets, "facet_index": self.facet_index}
            row.update(**values, updated_at=timezone.now())


def _loudness(version: DatalabVersion) -> tuple[bool, bool, datetime, int]:
    """Compare versions by which of them the entry speaks for."""
    everybody = version.visibility == rules.Visibility.EVERYBODY
    at = version.published_at or version.datalab.created_at
    return everybody, version.state in rules.OFFERED, at, version.pk


class DatalabVersion(PublishedVersion):
    """One version of a datalab: what is started, and which volumes stand beside it by default."""

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

    def __str__(self) -> str:
        return f"{self.datalab.title} {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        self.datalab.relist()

    @property
    def subject(self) -> str:
        """How the audit trail names its datalab."""
        return f"datalab:{self.datalab.slug}"


class DatalabChange(VersionChange):
    """One change of a version's state."""

    version = models.ForeignKey(DatalabVersion, on_delete=models.CASCADE, related_name="changes")


class Evidence(models.Model):
    """What was found out about a build of a version: kept with it, and never changed."""

    version = models.ForeignKey(DatalabVersion, on_delete=models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=20, choices=[(one.value, one.value) for one in rules.EvidenceKind])
    passed = models.BooleanField()
    summary = models.CharField(max_length=300)
    content_hash = models.CharField(max_length=80)
    """The package that was looked at: evidence about other content proves nothing."""
    data = models.JSONField(default=dict)
    """Times in seconds, memory in bytes, ports, paths …, as the kind says."""
    folder = models.CharField(max_length=100, blank=True, default="")
    """Where its files lie (a screenshot, a log), below `<state>/evidence`."""
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.summary}"
