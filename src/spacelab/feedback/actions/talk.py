"""What people say about an entry that they see: bookmarks, ratings, comments, reports, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.feedback.actions import marking, reporting, writing
from spacelab.feedback.models import Comment, Report
from spacelab.feedback.queries import moderators
from spacelab.notifications import actions as notifications
from spacelab.notifications.rules import Kind


@dataclass(frozen=True)
class Talk:
    """Feedback on one kind of entry: its domain says what there is, and who sees it."""

    word: str
    """What people call such an entry."""
    namespace: str
    """The domain, of its pages' addresses."""
    find: Callable[[str, Person | AnonymousUser], Any]
    """(slug, person) → the entry as she sees it, or `NotFound`."""
    discussed: Callable[[str, Person | AnonymousUser], Any]
    """As `find`, and `Conflict` for what was not published yet."""
    is_discussed: Callable[[Any], bool]
    """Whether what was found may be rated and discussed."""
    subject_of: Callable[[Any], str]
    """How feedback names an entry."""
    sees: Callable[[Person, Any], bool]
    """Whether an entry exists for somebody."""

    def bookmark(self, *, by: Person, slug: str, wanted: bool = True) -> None:
        """Keep an entry among the person's bookmarks, or take it away; raise `NotFound` for what she can't see."""
        found = self.find(slug, by)
        marking.bookmark(by=by, subject=self.subject_of(found), wanted=wanted)

    def rate(self, *, by: Person, slug: str, stars: int) -> None:
        """Give one to five stars to somebody else's published entry; 0 takes the rating back."""
        found = self.discussed(slug, by)
        marking.rate(by=by, subject=self.subject_of(found), stars=stars, owner=found.maintainer)

    @transaction.atomic
    def comment(self, *, by: Person, slug: str, text: str, answers: int | None = None) -> Comment:
        """Write about a published entry, or answer a comment; tell its maintainer, and whom it answers."""
        found = self.discussed(slug, by)
        made, is_new = writing.comment(
            by=by, subject=self.subject_of(found), text=text, owner=found.maintainer, answers=answers
        )
        if is_new:
            self._tell_of(by, found, made)
        return made

    def edit_comment(self, *, by: Person, slug: str, comment_id: int, text: str) -> Comment:
        """Change one's own comment."""
        found = self.find(slug, by)
        return writing.edit(by=by, subject=self.subject_of(found), comment_id=comment_id, text=text)

    def take_back_comment(self, *, by: Person, slug: str, comment_id: int) -> Comment:
        """Remove the words of one's own comment."""
        found = self.find(slug, by)
        return writing.take_back(by=by, subject=self.subject_of(found), comment_id=comment_id)

    @transaction.atomic
    def hide_comment(self, *, by: Person, slug: str, comment_id: int, reason: str = "", hidden: bool = True) -> Comment:
        """Hide a comment with a reason, which its author reads, or show it again; for moderators."""
        found = self.find(slug, by)
        one, changed = writing.hide(
            by=by, subject=self.subject_of(found), comment_id=comment_id, reason=reason, hidden=hidden
        )
        if changed and one.author:
            notifications.tell(
                people=[one.author],
                kind=Kind.ANSWER,
                title=f"Your comment on {found} is {'hidden' if hidden else 'shown again'}",
                text=reason,
                url=self._address(found, one),
                subject=f"comment:{one.pk}",
            )
        return one

    @transaction.atomic
    def report(self, *, by: Person, slug: str, reason: str, text: str = "", comment_id: int | None = None) -> Report:
        """Report a published entry, or a comment on it, to the moderators."""
        found = self.discussed(slug, by)
        subject = self.subject_of(found)
        made = reporting.report(by=by, subject=subject, reason=reason, text=text, comment_id=comment_id)
        notifications.tell(
            people=[one for one in moderators() if one.pk != by.pk],
            kind=Kind.REPORT,
            title=f"{found}: {'a comment' if comment_id else f'the {self.word}'} is reported",
            text=made.reason_words,
            url=reverse("moderation:reports"),
            subject=subject,
        )
        return made

    def _address(self, entry: Any, one: Comment) -> str:
        return reverse(f"{self.namespace}:comment", args=[entry.slug, one.pk])

    def _tell_of(self, by: Person, entry: Any, made: Comment) -> None:
        """Tell whom a comment answers, if she still sees the entry, and the maintainer, each once."""
        address, subject = self._address(entry, made), self.subject_of(entry)
        asked = made.answers.author if made.answers else None
        if asked and asked.pk != by.pk and self.sees(asked, entry):
            title = f"{by} answered you about {entry}"
            notifications.tell(
                people=[asked],
                kind=Kind.ANSWER,
                title=title,
                text=made.text,
                url=address,
                subject=f"comment:{made.answers_id}",
            )
        owner = entry.maintainer
        if owner and owner not in (by, asked):
            title = f"{by} wrote about {entry}"
            notifications.tell(
                people=[owner], kind=Kind.COMMENT, title=title, text=made.text, url=address, subject=subject
            )
