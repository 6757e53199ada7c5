"""What people say about a datalab that they see: bookmarks, ratings, comments, reports, and who hears of it."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.datalabs import queries
from spacelab.datalabs.models import Datalab
from spacelab.feedback import actions as feedback
from spacelab.feedback.models import Comment, Report
from spacelab.feedback.queries import moderators
from spacelab.notifications import actions as notifications
from spacelab.notifications.rules import Kind


def bookmark(*, by: Person, slug: str, wanted: bool = True) -> None:
    """Keep a datalab among the person's bookmarks, or take it away; raise `NotFound` for what she can't see."""
    found = queries.datalab(slug, by)
    feedback.bookmark(by=by, subject=queries.subject_of(found), wanted=wanted)


def rate(*, by: Person, slug: str, stars: int) -> None:
    """Give one to five stars to somebody else's published datalab; 0 takes the rating back."""
    found = queries.discussed(slug, by)
    feedback.rate(by=by, subject=queries.subject_of(found), stars=stars, owner=found.maintainer)


@transaction.atomic
def comment(*, by: Person, slug: str, text: str, answers: int | None = None) -> Comment:
    """Write about a published datalab, or answer a comment; tell its maintainer, and whom it answers."""
    found = queries.discussed(slug, by)
    made, is_new = feedback.comment(
        by=by, subject=queries.subject_of(found), text=text, owner=found.maintainer, answers=answers
    )
    if is_new:
        _tell_of(by, found, made)
    return made


def edit_comment(*, by: Person, slug: str, comment_id: int, text: str) -> Comment:
    """Change one's own comment."""
    found = queries.datalab(slug, by)
    return feedback.edit(by=by, subject=queries.subject_of(found), comment_id=comment_id, text=text)


def take_back_comment(*, by: Person, slug: str, comment_id: int) -> Comment:
    """Remove the words of one's own comment."""
    found = queries.datalab(slug, by)
    return feedback.take_back(by=by, subject=queries.subject_of(found), comment_id=comment_id)


@transaction.atomic
def hide_comment(*, by: Person, slug: str, comment_id: int, reason: str = "", hidden: bool = True) -> Comment:
    """Hide a comment with a reason, which its author reads, or show it again; for moderators."""
    found = queries.datalab(slug, by)
    one, changed = feedback.hide(
        by=by, subject=queries.subject_of(found), comment_id=comment_id, reason=reason, hidden=hidden
    )
    if changed and one.author:
        notifications.tell(
            people=[one.author],
            kind=Kind.ANSWER,
            title=f"Your comment on {found} is {'hidden' if hidden else 'shown again'}",
            text=reason,
            url=_address(found, one),
            subject=f"comment:{one.pk}",
        )
    return one


@transaction.atomic
def report(*, by: Person, slug: str, reason: str, text: str = "", comment_id: int | None = None) -> Report:
    """Report a published datalab, or a comment on it, to the moderators."""
    found = queries.discussed(slug, by)
    subject = queries.subject_of(found)
    made = feedback.report(by=by, subject=subject, reason=reason, text=text, comment_id=comment_id)
    notifications.tell(
        people=[one for one in moderators() if one.pk != by.pk],
        kind=Kind.REPORT,
        title=f"{found}: {'a comment' if comment_id else 'the datalab'} is reported",
        text=made.reason_words,
        url=reverse("moderation:reports"),
        subject=subject,
    )
    return made


def _address(entry: Datalab, one: Comment) -> str:
    return reverse("datalabs:comment", args=[entry.slug, one.pk])


def _tell_of(by: Person, entry: Datalab, made: Comment) -> None:
    """Tell whom a comment answers, if she still sees the datalab, and the maintainer, each once."""
    address, subject = _address(entry, made), queries.subject_of(entry)
    asked = made.answers.author if made.answers else None
    if asked and asked.pk != by.pk and queries.shown_to(asked).filter(pk=entry.pk).exists():
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
        notifications.tell(people=[owner], kind=Kind.COMMENT, title=title, text=made.text, url=address, subject=subject)
