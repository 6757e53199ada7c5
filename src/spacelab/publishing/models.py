"""What every published kind of thing has in common, as abstract tables: the entry, its versions, their changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from datalab_package import names
from spacelab.accounts.models import Person, Team
from spacelab.publishing import rules
from spacelab.publishing.rules.facets import facet_index, facets_of
from spacelab.publishing.rules.families import Family
from spacelab.publishing.rules.wording import fold, tag_index


class PublishedEntry(models.Model):
    """One entry of a catalogue: what people find. A domain adds its maintainer and what else it has."""

    slug = models.CharField(max_length=60, unique=True, validators=[RegexValidator(names.SLUG, names.SLUG_ADVICE)])
    title = models.CharField(max_length=120)
    abstract = models.TextField(max_length=1000)
    description = models.TextField(max_length=20000, blank=True)
    author = models.CharField(max_length=120)
    contact = models.EmailField(blank=True)
    tags = models.JSONField(default=list)
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

    maintainer: Any
    """The foreign key to the person who keeps it, which the domain makes; empty for what the platform ships."""
    maintainer_id: int | None
    versions: Any
    """The manager of its versions, which the domain's foreign key makes."""
    pk: Any

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = fold("\n".join([self.title, self.abstract, self.author, *self.tags]))
        self.tag_index = tag_index(self.tags)
        self.sort_key = fold(self.title)[:120]
        super().save(*args, **kwargs)

    @property
    def seen(self) -> list[Any]:
        """The versions that a visitor sees, as a listing found them: published ones first, the newest first."""
        return list(getattr(self, "seen_versions", ()))

    @property
    def published_versions(self) -> list[Any]:
        """Those of the versions found that stand in the catalogue."""
        return [one for one in self.seen if one.state in rules.OFFERED]

    @property
    def drafts(self) -> list[Any]:
        """Those of the versions found that are not published."""
        return [one for one in self.seen if one.state not in rules.KEPT]

    @property
    def archived_versions(self) -> list[Any]:
        """Those of the versions found that are in the archive."""
        return [one for one in self.seen if one.state == rules.State.ARCHIVED]

    @property
    def newest(self) -> Any:
        """The newest version found, a published one before all others; None where nothing was found."""
        return next(iter(self.published_versions or self.seen), None)

    @property
    def latest_version(self) -> str:
        """The number of that version."""
        return self.newest.version if self.newest else ""

    @property
    def latest_at(self) -> datetime | None:
        """When that version was published; None for a draft."""
        return self.newest.published_at if self.newest else None

    def speaker(self) -> Any:
        """Return the version that the entry speaks for: the newest for everybody, so that it tells nobody too much.

        What is offered comes before the archive; without one for everybody it is the newest that was published.
        """
        published = self.versions.filter(
            models.Q(visibility=rules.Visibility.EVERYBODY, state__in=rules.KEPT) | models.Q(state__in=rules.OFFERED)
        )
        return max(published, key=_loudness, default=None)

    def formats_of(self, _version: Any) -> Iterable[str]:
        """Name the types of files that a version opens, which it is found by."""
        return ()

    def relist(self) -> None:
        """Note since when it stands in everybody's catalogue, and what it is found by there.

        Whoever changes a version says so here. Facets are those of the version that the entry speaks for.
        """
        one = self.speaker()
        listed = one is not None and one.visibility == rules.Visibility.EVERYBODY and one.state in rules.OFFERED
        self.listed_at = one.published_at or self.created_at if one and listed else None
        self.facets = facets_of(one.metadata, tuple(self.formats_of(one))) if one else {}
        self.facet_index = facet_index(self.facets)
        rows: Any = type(self)._default_manager  # noqa: SLF001  Django's name for it
        row = rows.filter(pk=self.pk)
        same = row.filter(listed_at=self.listed_at) if self.listed_at else row.filter(listed_at=None)
        if not same.filter(facet_index=self.facet_index).exists():  # drafts come and go without touching the entry
            values = {"listed_at": self.listed_at, "facets": self.facets, "facet_index": self.facet_index}
            row.update(**values, updated_at=timezone.now())


def _loudness(version: Any) -> tuple[bool, bool, datetime, int]:
    """Compare versions by which of them the entry speaks for."""
    everybody = version.visibility == rules.Visibility.EVERYBODY
    at = version.published_at or version.entry.created_at
    return everybody, version.state in rules.OFFERED, at, version.pk


class PublishedVersion(models.Model):
    """One version on its way from draft to archive; a domain adds what it consists of, and `rules_of` its entry."""

    state = models.CharField(
        max_length=20, choices=[(one.value, one.words) for one in rules.State], default=rules.State.DRAFT.value
    )
    visibility = models.CharField(
        max_length=10,
        choices=[(one.value, one.value) for one in rules.Visibility],
        default=rules.Visibility.PRIVATE.value,
    )
    people = models.ManyToManyField(Person, blank=True, related_name="+")
    """Those whom the visibility `people` admits."""
    teams = models.ManyToManyField(Team, blank=True, related_name="+")
    """Those whom the visibility `teams` admits."""
    revision = models.PositiveIntegerField(default=0)
    """Counts the changes of the state: who decides says which one she looked at."""
    metadata = models.JSONField(default=dict)
    """Every term that its author or the platform wrote, by the names of `rules.terms`."""
    reviewer = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """The moderator who has it under review, or decided about it last."""
    content_hash = models.CharField(max_length=80, blank=True, default="")
    """The hash of the package's files, set with each build; frozen when it is submitted."""
    submitted_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    changes: Any
    """The manager of its `VersionChange` rows, which the domain's foreign key makes."""
    version: models.CharField[str, str]
    family: ClassVar[Family]
    """Which kind of thing it is a version of."""
    pk: Any
    evidence: Any
    """The manager of its `VersionEvidence` rows."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.entry.title} {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        self.entry.relist()

    @property
    def entry(self) -> Any:
        """The entry that it is a version of."""
        return getattr(self, self.family.entry)

    @property
    def subject(self) -> str:
        """How the audit trail and feedback name the entry that it is a version of."""
        return f"{self.family.word}:{self.entry.slug}"

    @property
    def is_frozen(self) -> bool:
        """Whether its content can never change again."""
        return rules.State(self.state) in rules.KEPT

    @property
    def is_editable(self) -> bool:
        """Whether its author may change it."""
        return rules.State(self.state) in rules.EDITABLE


class VersionChange(models.Model):
    """One change of a version's state: who, when, from where to where, and why. A domain adds the foreign key."""

    transition = models.CharField(max_length=40)
    before = models.CharField(max_length=20)
    after = models.CharField(max_length=20)
    revision = models.PositiveIntegerField()
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """Empty where the platform itself acted."""
    reason = models.TextField(blank=True, default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("history is never changed")
        super().save(*args, **kwargs)


class VersionEvidence(models.Model):
    """What was found out about a version's content: kept with it, and never changed. A domain adds the foreign key."""

    passed = models.BooleanField()
    summary = models.CharField(max_length=300)
    content_hash = models.CharField(max_length=80)
    """The content that was looked at: evidence about other content proves nothing."""
    data = models.JSONField(default=dict)
    """Times in seconds, memory in bytes, ports, paths …, as the kind says."""
    at = models.DateTimeField(auto_now_add=True)

    kind: Any

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.summary}"
