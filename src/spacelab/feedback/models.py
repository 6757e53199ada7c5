"""What people say about what they find; each row names it by a text such as `datalab:topcat`, whatever it is."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from spacelab.accounts.models import Person
from spacelab.feedback import rules


class Bookmark(models.Model):
    """Something that a person wants to find again, and to hear of."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=rules.LONGEST_SUBJECT, db_index=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "subject"], name="bookmark_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.subject}"


class Rating(models.Model):
    """How many stars a person gives to something."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=rules.LONGEST_SUBJECT)
    stars = models.PositiveSmallIntegerField()
    at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["subject", "stars"], name="rating_by_subject")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "subject"], name="rating_once"),
            models.CheckConstraint(condition=Q(stars__in=rules.STARS), name="rating_stars"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.stars}"


def no_stars() -> list[int]:
    """Return the counts of what nobody rated."""
    return [0 for _ in rules.STARS]


class Standing(models.Model):
    """What is said about one thing, counted, so that a page of many things reads one row for each."""

    subject = models.CharField(max_length=rules.LONGEST_SUBJECT, unique=True)
    by_stars = models.JSONField(default=no_stars)
    """How many people gave one star, two, … five."""
    ratings = models.PositiveIntegerField(default=0)
    average = models.FloatField(null=True, blank=True)
    """The mean of all ratings, in stars; empty where there are none."""
    comments = models.PositiveIntegerField(default=0)
    """Comments and answers that everybody can read."""
    bookmarks = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.subject}: {self.ratings} ratings, {self.comments} comments"


class Comment(models.Model):
    """What somebody wrote about something, or the answer to such a comment."""

    subject = models.CharField(max_length=rules.LONGEST_SUBJECT)
    text = models.TextField(max_length=rules.LONGEST_COMMENT, blank=True)
    """Markdown; empty once its author took it back."""
    author = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    by_owner = models.BooleanField(default=False)
    """Whether its author maintained what it is about."""
    answers = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="answered_by")
    """The comment that it answers, itself no answer."""
    at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    """When its author took it back."""
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    hidden_reason = models.TextField(max_length=rules.LONGEST_NOTE, blank=True, default="")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject", "answers", "-id"], name="comments_of_subject"),
            models.Index(fields=["author", "at"], name="comments_of_author"),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class Report(models.Model):
    """Somebody's word that something is wrong with an entry or a comment, and what was done about it."""

    subject = models.CharField(max_length=rules.LONGEST_SUBJECT)
    comment = models.ForeignKey(Comment, null=True, blank=True, on_delete=models.SET_NULL, related_name="reports")
    """Empty where the entry itself is meant."""
    quoted = models.TextField(blank=True, default="")
    """The comment's text as it was when it was reported."""
    reason = models.CharField(max_length=20, choices=[(one.value, one.value) for one in rules.Reason])
    text = models.TextField(max_length=rules.LONGEST_NOTE, blank=True)
    person = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in rules.ReportState], default=rules.ReportState.OPEN
    )
    outcome = models.CharField(
        max_length=20,
        blank=True,
        default="",
        choices=[(one.value, one.value) for one in rules.Outcome],
    )
    note = models.TextField(max_length=rules.LONGEST_NOTE, blank=True, default="")
    """What the moderator says of it; who reported it reads that."""
    settled_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["state", "id"], name="reports_by_state")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["person", "subject"], condition=Q(state="open", comment=None), name="report_of_entry_once"
            ),
            models.UniqueConstraint(
                fields=["person", "comment"],
                condition=Q(state="open", comment__isnull=False),
                name="report_of_comment_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}"

    @property
    def reason_words(self) -> str:
        """Why it was reported, as people read it."""
        return rules.REASON_WORDS[rules.Reason(self.reason)]

    @property
    def outcome_words(self) -> str:
        """What was done, as people read it; empty while it is open."""
        return rules.OUTCOME_WORDS[rules.Outcome(self.outcome)] if self.outcome else ""
