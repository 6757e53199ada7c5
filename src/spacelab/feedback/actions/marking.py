"""Bookmarks and ratings, and the counts that pages show of all feedback."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.feedback import rules
from spacelab.feedback.models import Bookmark, Comment, Rating, Report, Standing
from spacelab.feedback.permissions import FeedbackPermission
from spacelab.feedback.queries import READABLE
from spacelab.kit.refusals import Conflict


def locked(subject: str) -> Standing:
    """Hold what is counted of something until the transaction ends: whoever writes about it waits for her turn."""
    Standing.objects.get_or_create(subject=subject)
    return Standing.objects.select_for_update().get(subject=subject)


def count(held: Standing) -> None:
    """Count anew what is said about something; a count can't drift that is never added to."""
    rows = Rating.objects.filter(subject=held.subject).order_by().values_list("stars").annotate(Count("pk"))
    given: dict[int, int] = dict(rows)
    held.by_stars = [given.get(stars, 0) for stars in rules.STARS]
    held.ratings = sum(held.by_stars)
    held.average = sum(stars * number for stars, number in given.items()) / held.ratings if held.ratings else None
    held.bookmarks = Bookmark.objects.filter(subject=held.subject).count()
    held.save(update_fields=["by_stars", "ratings", "average", "bookmarks"])


def count_comments(subject: str) -> None:
    """Count anew the comments that everybody can read, of something that is held."""
    number = Comment.objects.filter(READABLE, subject=subject).count()
    Standing.objects.filter(subject=subject).update(comments=number)


@transaction.atomic
def bookmark(*, by: Person, subject: str, wanted: bool = True) -> None:
    """Keep something among the person's bookmarks, or take it away; doing it again changes nothing."""
    if wanted:
        require(by, FeedbackPermission.BOOKMARK)
    held = locked(subject)
    had = Bookmark.objects.filter(person=by, subject=subject)
    if had.exists() == wanted:
        return
    if wanted:
        Bookmark.objects.create(person=by, subject=subject)
    else:
        had.delete()
    count(held)
    audit.record(by=by, action="feedback.bookmark" if wanted else "feedback.unbookmark", subject=subject)


@transaction.atomic
def rate(*, by: Person, subject: str, stars: int, owner: Person | None) -> None:
    """Give one to five stars to something, anew where the person did before; 0 takes her rating back.

    Raises `Conflict` for what is the person's own.
    """
    if stars:
        require(by, FeedbackPermission.RATE)
        rules.clean_stars(stars)
        if owner is not None and owner.pk == by.pk:
            raise Conflict("Nobody rates her own work.", advice="Others will.")
    held = locked(subject)
    had = Rating.objects.filter(person=by, subject=subject).first()
    if (had.stars if had else 0) == stars:
        return
    if stars:
        Rating.objects.update_or_create(person=by, subject=subject, defaults={"stars": stars})
    elif had:
        had.delete()
    count(held)
    audit.record(by=by, action="feedback.rate", subject=subject, stars=stars or None, before=had.stars if had else None)


@transaction.atomic
def forget(*, by: Person, subject: str) -> None:
    """Remove all that was said about something that is gone, so that nothing new of that name inherits it."""
    gone = 0
    for rows in (Report, Bookmark, Rating):
        gone += rows.objects.filter(subject=subject).delete()[0]
    gone += Comment.objects.filter(subject=subject).delete()[0]
    Standing.objects.filter(subject=subject).delete()
    if gone:
        audit.record(by=by, action="feedback.forget", subject=subject, removed=gone)
