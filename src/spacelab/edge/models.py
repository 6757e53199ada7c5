"""Visits: who may talk to which session through the edge, and the single-use codes that begin a visit."""

from __future__ import annotations

from django.db import models

from spacelab.accounts.models import Person
from spacelab.sessions.models import Session


class EntryCode(models.Model):
    """A single-use code with which the portal sends a person's browser to a session's own origin."""

    digest = models.CharField(max_length=64, unique=True)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    portal_key = models.CharField(max_length=64)
    """Key of the portal's sign-in that it came from: see `queries.find_visit`."""
    auth_hash = models.CharField(max_length=128, default="")
    """What that sign-in knows of the person's password: a new password ends the visit."""
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"code for {self.session_id}"


class Visit(models.Model):
    """A browser that may talk to a session: the digest of its cookie on the session's origin."""

    digest = models.CharField(max_length=64, unique=True)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="visits")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="visits")
    portal_key = models.CharField(max_length=64, db_index=True)
    auth_hash = models.CharField(max_length=128, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.person_id} at {self.session_id}"
