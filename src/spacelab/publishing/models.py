"""What every published kind of thing has in common, as abstract tables: a version's state, visibility and changes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from spacelab.accounts.models import Person, Team
from spacelab.publishing import rules


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

    class Meta:
        abstract = True

    @property
    def subject(self) -> str:
        """How the audit trail names the entry that it is a version of."""
        raise NotImplementedError

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
