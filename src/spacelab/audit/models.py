"""The audit trail's one table: who did what to which thing, and when."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class Entry(models.Model):
    """One line of the trail. Lines are added and read, never changed: the database refuses it too."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.CharField(max_length=80, db_index=True)
    action = models.CharField(max_length=80)
    subject = models.CharField(max_length=120, db_index=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} {self.actor} {self.action} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("an audit entry is never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:  # noqa: ARG002  Django's signature
        raise TypeError("an audit entry is never deleted")
