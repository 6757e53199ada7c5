"""Reads of feedback: how something stands, what is written about it, who follows it, and what is reported."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, F, Model, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat, RowNumber

from spacelab.accounts.models import Person
from spacelab.accounts.queries import acting_people, may, people_with, require
from spacelab.feedback import rules
from spacelab.feedback.models import Bookmark, Comment, Rating, Report, Standing, no_stars
from spacelab.feedback.permissions import FeedbackPermission
from spacelab.kit.refusals import Forbidden, NotFound

ANSWERS_SHOWN = 5
"""Answers that stand below a comment in a list; all of them are on its own page."""


@dataclass(frozen=True)
class Shown:
    """How something stands, and what the person who looks at it thinks of it: her stars (0 for none), her bookmark."""

    by_stars: tuple[int, ...]
    ratings: int
    average: float | None
    comments: int
    bookmarks: int
    stars: int
    bookmarked: bool

    @property
    def bars(self) -> list[tuple[int, int]]:
        """The stars, best first, each with the number of people who gave as many."""
        return [(stars, self.by_stars[stars - 1]) for stars in reversed(rules.STARS)]


def standing(subject: Combinable, person: Person | AnonymousUser) -> dict[str, Subquery | Exists]:
    """Return how what an expression of the outer query names stands, to annotate a row with; `shown` reads that."""
    own = person.pk if isinstance(person, Person) else None
    counted = Standing.objects.filter(subject=subject)
    columns = ("by_stars", "ratings", "average", "comments", "bookmarks")
    return {
        **{f"said_{name}": Subquery(counted.values(name)[:1]) for name in columns},
        "said_stars": Subquery(Rating.objects.filter(subject=subject, person=own).values("stars")[:1]),
        "said_bookmarked": Exists(Bookmark.objects.filter(subject=subject, person=own)),
    }


def shown(row: Model) -> Shown:
    """Read how something stands from a row that was annotated with `standing`."""
    told: Any = row
    return Shown(
        tuple(told.said_by_stars or no_stars()),
        told.said_ratings or 0,
        told.said_average,
        told.said_comments or 0,
        told.said_bookmarks or 0,
        told.said_stars or 0,
        told.said_bookmarked,
    )


def named(kind: str, column: str) -> Combinable:
    """Return how feedback names the row of an outer query: its kind, and the column that holds its name."""
    return Concat(Value(f"{kind}:"), OuterRef(column))


def average_of(subject: Combinable) -> Subquery:
    """Return the average rating of what an expression of the outer query names, to annotate its rows with."""
    return Subquery(Standing.objects.filter(subject=subject).values("average")[:1])


def number_of(subject: Combinable) -> Coalesce:
    """Return how many people rated what an expression of the outer query names, to annotate its rows with."""
    return Coalesce(Subquery(Standing.objects.filter(subject=subject).values("ratings")[:1]), Value(0))


def bookmarks_of(person: Person, kind: str) -> QuerySet[Bookmark]:
    """List what the person bookmarked of one kind, such as `datalab`, the newest first."""
    return Bookmark.objects.filter(person=person, subject__startswith=f"{kind}:").order_by("-pk")


def followers(subject: str) -> QuerySet[Person]:
    """List who bookmarked something and may use the platform."""
    return acting_people().filter(pk__in=Bookmark.objects.filter(subject=subject).values("person"))


READABLE = Q(deleted_at=None, hidden_at=None)
"""What stands for everybody to read."""


def threads(subject: str) -> QuerySet[Comment]:
    """List the comments on something, the newest first, each with its number of `replies`.

    What its author took back keeps its place while there are answers; what is hidden always does.
    """
    answers = Comment.objects.filter(answers=OuterRef("pk"), deleted_at=None)
    return (
        Comment.objects.filter(Q(deleted_at=None) | Exists(answers), subject=subject, answers=None)
        .annotate(replies=_replies())
        .select_related("author", "hidden_by")
        .order_by("-pk")
    )


def answers_to(comment: Comment) -> QuerySet[Comment]:
    """List the answers to a comment, the oldest first."""
    found = Comment.objects.filter(answers=comment, deleted_at=None)
    return found.select_related("author", "hidden_by").order_by("pk")


@dataclass(frozen=True)
class Thread:
    """A comment with its first answers."""

    comment: Comment
    answers: list[Comment]

    @property
    def more(self) -> int:
        """How many answers there are beyond those."""
        replies: int = self.comment.replies  # type: ignore[attr-defined]
        return replies - len(self.answers)


def with_answers(comments: Iterable[Comment]) -> list[Thread]:
    """Set the first answers beside each of the comments, which `threads` found, in one query."""
    kept = list(comments)
    first = _first_answers([one.pk for one in kept])
    rows = Comment.objects.filter(pk__in=first).select_related("author", "hidden_by").order_by("pk")
    return _joined(kept, rows if kept else ())


def newest(subject: str, number: int) -> list[Thread]:
    """List the newest comments on something that everybody can read, with their first answers, all in one query."""
    chosen = threads(subject).filter(READABLE).values("pk")[:number]
    rows = list(
        Comment.objects.filter(Q(pk__in=chosen) | Q(pk__in=_first_answers(chosen)))
        .annotate(replies=_replies())
        .select_related("author", "hidden_by")
        .order_by("pk")
    )
    roots = [one for one in reversed(rows) if one.answers_id is None]
    return _joined(roots, (one for one in rows if one.answers_id))


def _replies() -> Coalesce:
    """Count the answers to a comment that were not taken back."""
    answers = Comment.objects.filter(answers=OuterRef("pk"), deleted_at=None)
    return Coalesce(Subquery(answers.order_by().values("answers").annotate(n=Count("pk")).values("n")), Value(0))


def _first_answers(comments: Any) -> QuerySet[Any, Any]:
    """Choose the keys of the first answers to each of the comments."""
    place = Window(RowNumber(), partition_by=F("answers"), order_by=F("pk").asc())
    answers = Comment.objects.filter(answers__in=comments, deleted_at=None).annotate(place=place)
    return answers.filter(place__lte=ANSWERS_SHOWN).values("pk")


def _joined(roots: Iterable[Comment], answers: Iterable[Comment]) -> list[Thread]:
    found: dict[int | None, list[Comment]] = {}
    for one in answers:
        found.setdefault(one.answers_id, []).append(one)
    return [Thread(one, found.get(one.pk, [])) for one in roots]


def find_comment(subject: str, comment_id: int) -> Comment:
    """Find a comment on something; raise `NotFound` for one of something else, and for one that was taken back."""
    rows = Comment.objects.select_related("author", "answers__author", "hidden_by")
    found = rows.filter(pk=comment_id, subject=subject).first()
    if found is None or (found.deleted_at and not found.answered_by.filter(deleted_at=None).exists()):
        raise NotFound("There is no such comment.", advice="Its author may have taken it back.")
    return found


def find_own_comment(person: Person, subject: str, comment_id: int) -> Comment:
    """Find one's own comment; raise `Forbidden` for somebody else's, `NotFound` for none."""
    found = find_comment(subject, comment_id)
    if found.author_id != person.pk:
        raise Forbidden("Somebody else wrote this comment.", advice="Answer it, or report it.")
    if found.deleted_at:
        raise NotFound("There is no such comment.", advice="You have taken it back.")
    return found


def may_read(comment: Comment, person: Person | AnonymousUser) -> bool:
    """Say whether the person reads a comment: a hidden one is read by its author and by moderators alone."""
    own = isinstance(person, Person) and comment.author_id == person.pk
    return comment.hidden_at is None or own or may_moderate(person)


def may_moderate(person: Person | AnonymousUser) -> bool:
    """Say whether the person may hide comments and settle reports."""
    return may(person, FeedbackPermission.MODERATE)


def moderators() -> list[Person]:
    """List the people who may hide comments and settle reports."""
    return people_with(FeedbackPermission.MODERATE)


def reports(person: Person, states: Collection[rules.ReportState] = (rules.ReportState.OPEN,)) -> QuerySet[Report]:
    """List reports: open ones with the oldest first, settled ones with the newest; raise `Forbidden` for others."""
    require(person, FeedbackPermission.MODERATE)
    rows = Report.objects.filter(state__in=states).select_related("person", "comment__author", "settled_by")
    return rows.order_by("pk" if set(states) == {rules.ReportState.OPEN} else "-pk")


def find_report(person: Person, report_id: int) -> Report:
    """Find a report as a moderator; raise `Forbidden` or `NotFound`."""
    found = reports(person, tuple(rules.ReportState)).filter(pk=report_id).first()
    if found is None:
        raise NotFound("There is no such report.", advice="Look for it in the list.")
    return found


def open_reports() -> int:
    """Count the reports that nobody has settled."""
    return Report.objects.filter(state=rules.ReportState.OPEN).count()
