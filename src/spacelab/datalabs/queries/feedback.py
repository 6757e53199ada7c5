"""What people say about datalabs, for those who may see the datalab: how it stands, comments, bookmarks."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet, Subquery
from django.db.models.functions import Substr

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab
from spacelab.datalabs.queries.listing import SUBJECT, archived_of, datalab, shown_to
from spacelab.feedback import queries as feedback
from spacelab.feedback.models import Comment
from spacelab.kit.refusals import Conflict

KIND = "datalab"
"""What stands before a datalab's short name where feedback names it."""


def subject_of(entry: Datalab) -> str:
    """Return how feedback and the audit trail name a datalab."""
    return f"{KIND}:{entry.slug}"


def subject_named(subject: str) -> Datalab | None:
    """Find the datalab that feedback names so, whoever may see it; None for anything else."""
    kind, _, slug = subject.partition(":")
    return Datalab.objects.select_related("maintainer").filter(slug=slug).first() if kind == KIND else None


def is_discussed(entry: Datalab) -> bool:
    """Say of what `shown_to` found whether it may be rated and discussed: something of it was published."""
    return bool(entry.published_versions or archived_of(entry))


def discussed(slug: str, person: Person | AnonymousUser) -> Datalab:
    """Find a datalab that the person sees and may speak about; raise `NotFound`, or `Conflict` for a mere draft."""
    found = datalab(slug, person)
    if not is_discussed(found):
        raise Conflict("It is not published yet.", advice="Tell its author directly what you think of the draft.")
    return found


def standing_of(entry: Datalab) -> feedback.Shown:
    """Say of what `datalab` found how it is rated, how much is written about it, and what the person thinks of it."""
    return feedback.shown(entry)


def comments_on(entry: Datalab) -> QuerySet[Comment]:
    """List the comments on a datalab, the newest first."""
    return feedback.threads(subject_of(entry))


def bookmarked(person: Person) -> QuerySet[Datalab]:
    """List the datalabs that the person bookmarked and still sees, the newest bookmark first."""
    kept = feedback.bookmarks_of(person, KIND)
    slugs = kept.order_by().values(slug=Substr("subject", len(KIND) + 2))
    return (
        shown_to(person)
        .filter(slug__in=slugs)
        .annotate(bookmark=Subquery(kept.filter(subject=SUBJECT).order_by().values("pk")[:1]))
        .order_by("-bookmark")
    )
