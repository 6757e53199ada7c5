"""Volumes: named areas of data, who may mount them, and where they lie on the host."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

from spacelab.accounts.models import Person, Team
from spacelab.volumes import rules


class Volume(models.Model):
    """An area of data. Archives have a unique name; a workspace or home has an owner, a team's area its team."""

    name = models.CharField(
        max_length=60, unique=True, validators=[RegexValidator(rules.VOLUME_NAME, rules.VOLUME_NAME_ADVICE)]
    )
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in rules.Kind])
    path = models.CharField(max_length=1000)
    title = models.CharField(max_length=200)
    summary = models.TextField(max_length=2000, blank=True)
    domain = models.CharField(max_length=60, blank=True)
    mission = models.CharField(max_length=100, blank=True)
    licence = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=500, blank=True)
    access = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in rules.Access], default=rules.Access.EVERYONE
    )
    people = models.ManyToManyField(Person, blank=True, related_name="granted_volumes")
    teams = models.ManyToManyField(Team, blank=True, related_name="granted_volumes")
    owner = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="volumes")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="volumes")
    size_bytes = models.BigIntegerField(null=True, blank=True)
    """What an archive held when it was declared; empty where that was too much to count."""
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["owner", "kind"], condition=models.Q(owner__isnull=False), name="one_area_per_person_and_kind"
            ),
            models.UniqueConstraint(fields=["team"], condition=models.Q(team__isnull=False), name="one_area_per_team"),
        ]

    def __str__(self) -> str:
        return self.title or self.name

    @property
    def target(self) -> str:
        """Where an archive volume appears inside a workload."""
        return str(rules.ARCHIVE_ROOT / self.name)
