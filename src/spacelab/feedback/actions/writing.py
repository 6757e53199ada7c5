"""Comments: written, answered, edited, taken back by their author, hidden by moderators."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.feedback import queries, rules
from spacelab.feedback.actions.marking import count_comments, locked
from spacelab.feedback.models import Comment
from spacelab.feedback.permissions import FeedbackPermission
from spacelab.kit.refusals import Conflict, NotFound, TooMany


@transaction.atomic
def comment(
    *, by: Person, subject: str, text: str, owner: Person | None, answers: int | None = None
) -> tuple[Comment, bool]:
    """Write a comment on something, or an answer to one; return it, and whether it is new.

    What is sent twice is kept once. Raises `Invalid` for an empty or too long text, `NotFound` for nothing to answer.
    """
    require(by, FeedbackPermission.COMMENT)
    text = rules.clean_text(text)
    locked(subject)
    root = _root(subject, answers) if answers is not None else None
    now = timezone.now()
    mine = Comment.objects.filter(author=by)
    twice = mine.filter(subject=subject, answers=root, text=text, deleted_at=None, at__gt=now - rules.ONCE_WITHIN)
    if (before := twice.first()) is not None:
        return before, False
    if mine.filter(at__gt=now - timedelta(hours=1)).count() >= rules.MOST_COMMENTS_AN_HOUR:
        raise TooMany(
            f"You have written {rules.MOST_COMMENTS_AN_HOUR} comments within an hour.",
            advice="Keep your text, and send it later.",
        )
    by_owner = owner is not None and owner.pk == by.pk
    made = Comment.objects.create(subject=subject, text=text, author=by, by_owner=by_owner, answers=root)
    count_comments(subject)
    audit.record(by=by, action="feedback.comment", subject=subject, comment=made.pk, answers=answers)
    return made, True


def _root(subject: str, comment_id: int) -> Comment:
    """Find the comment that an answer belongs to: an answer to an answer stands beside it."""
    found = queries.find_comment(subject, comment_id)
    root = found.answers or found
    if root.deleted_at or root.hidden_at:
        raise NotFound("There is no such comment to answer.", advice="It was taken back, or hidden by a moderator.")
    return root


@transaction.atomic
def edit(*, by: Person, subject: str, comment_id: int, text: str) -> Comment:
    """Change one's own comment; raise `Forbidden` for anybody else's, `Conflict` once a moderator has hidden it."""
    require(by, FeedbackPermission.COMMENT)
    found = _own(by, subject, comment_id)
    if found.hidden_at:
        raise Conflict("A moderator has hidden this comment.", advice="Write another one, or take this one back.")
    text = rules.clean_text(text)
    if text != found.text:
        found.text, found.edited_at = text, timezone.now()
        found.save(update_fields=["text", "edited_at"])
        audit.record(by=by, action="feedback.edit-comment", subject=subject, comment=found.pk)
    return found


@transaction.atomic
def take_back(*, by: Person, subject: str, comment_id: int) -> Comment:
    """Remove one's own words; answers to them stay. Raises `Forbidden` for anybody else's."""
    found = _own(by, subject, comment_id)
    found.text, found.deleted_at = "", timezone.now()
    found.save(update_fields=["text", "deleted_at"])
    count_comments(subject)
    audit.record(by=by, action="feedback.take-back", subject=subject, comment=found.pk)
    return found


@transaction.atomic
def hide(*, by: Person, subject: str, comment_id: int, reason: str = "", hidden: bool = True) -> tuple[Comment, bool]:
    """Hide a comment from everybody but its author and moderators, with a reason; or show it again.

    Returns it, and whether anything changed. Raises `Conflict` for one's own comment, `Invalid` without a reason.
    """
    require(by, FeedbackPermission.MODERATE)
    locked(subject)
    found = queries.find_comment(subject, comment_id)
    if found.author_id == by.pk:
        raise Conflict("Nobody decides about her own comment.", advice="Another moderator does; or take it back.")
    if bool(found.hidden_at) == hidden or found.deleted_at:
        return found, False
    why = rules.clean_text(reason, what="The reason", field="reason", longest=rules.LONGEST_NOTE) if hidden else ""
    found.hidden_at, found.hidden_by, found.hidden_reason = (timezone.now(), by, why) if hidden else (None, None, "")
    found.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
    count_comments(subject)
    verb = "hide-comment" if hidden else "show-comment"
    audit.record(by=by, action=f"feedback.{verb}", subject=subject, comment=found.pk, reason=why)
    return found, True


def _own(by: Person, subject: str, comment_id: int) -> Comment:
    locked(subject)
    return queries.find_own_comment(by, subject, comment_id)
