"""News for people, what each chose to hear, and the secret address of her feed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.notifications import rules


class Notification(models.Model):
    """One piece of news for one person."""

    class MailState(models.TextChoices):
        """Where its mail stands."""

        NONE = "none"
        WAITING = "waiting"
        SENT = "sent"
        GIVEN_UP = "given-up"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=30, choices=[(str(one), facts.title) for one, facts in rules.KINDS.items()])
    title = models.CharField(max_length=rules.LONGEST_TITLE)
    text = models.CharField(max_length=rules.LONGEST_TEXT, blank=True)
    url = models.CharField(max_length=rules.LONGEST_URL, blank=True)
    """A path of the portal, or nothing."""
    subject = models.CharField(max_length=rules.LONGEST_SUBJECT, blank=True)
    """What the news are about, such as `datalab:topcat`."""
    times = models.PositiveIntegerField(default=1)
    """How often it was told; the same within a short time is one line."""
    created_at = models.DateTimeField(default=timezone.now)
    """When it was told last."""
    read_at = models.DateTimeField(null=True, blank=True)
    in_bell = models.BooleanField(default=True)
    in_feed = models.BooleanField(default=True)
    mail = models.CharField(max_length=10, choices=MailState.choices, default=MailState.NONE)
    mail_due_at = models.DateTimeField(null=True, blank=True)
    mail_failures = models.PositiveSmallIntegerField(default=0)
    mail_trouble = models.CharField(max_length=300, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["person", "-created_at"], name="news_of_person"),
            models.Index(fields=["person"], condition=models.Q(read_at=None, in_bell=True), name="news_unread"),
            models.Index(fields=["mail_due_at"], condition=models.Q(mail="waiting"), name="news_mail_waiting"),
            models.Index(fields=["mail_due_at"], condition=models.Q(mail="given-up"), name="news_mail_given_up"),
            models.Index(fields=["subject"], name="news_subject"),
        ]

    def __str__(self) -> str:
        return self.title


class Preference(models.Model):
    """Where a person wants to hear news of one kind; without a row the kind's default holds."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="news_preferences")
    kind = models.CharField(max_length=30)
    bell = models.BooleanField()
    mail = models.CharField(max_length=10, choices=[(str(one), str(one)) for one in rules.Mail])
    feed = models.BooleanField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "kind"], name="one_choice_per_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.kind}"


class Feed(models.Model):
    """The secret of a person's feed, of which only the digest is kept: it shows titles and links and is no sign-in."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="news_feed")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"feed of {self.person_id}"
