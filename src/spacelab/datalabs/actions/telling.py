"""Who hears of a transition: those whom the lifecycle's table names, told with a title, the reason and a link."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from django.db.models import QuerySet
from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.accounts.queries import people_with
from spacelab.audit.actions import Actor
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.datalabs.queries import MODERATED, seers_of
from spacelab.feedback import queries as feedback
from spacelab.notifications import actions as notifications
from spacelab.notifications.rules import Kind
from spacelab.publishing.rules import TRANSITIONS

NEWS: dict[str, tuple[Kind, str]] = {
    "submit": (Kind.REVIEW_WANTED, "{version} waits for review"),
    "withdraw": (Kind.REVIEW_WANTED, "{version} was withdrawn from review"),
    "take": (Kind.REVIEW_DECISION, "{version} is under review"),
    "request-changes": (Kind.REVIEW_DECISION, "{version}: changes are asked for"),
    "reject": (Kind.REVIEW_DECISION, "{version} is rejected"),
    "approve": (Kind.REVIEW_DECISION, "{version} is approved: you can publish it"),
    "publish": (Kind.VERSION_PUBLISHED, "{version} is published"),
    "archive": (Kind.VERSION_ARCHIVED, "{version} is archived"),
}
"""What is said of each transition that tells people."""
SAID_BY_BUILDS = frozenset({"build-done", "build-failed"})
"""A build tells its own end, with a link to its log; to say it once more would be noise."""


def _author(version: DatalabVersion) -> Iterable[Person]:
    return [version.datalab.maintainer] if version.datalab.maintainer else []


def _moderators(_version: DatalabVersion) -> Iterable[Person]:
    return people_with(DatalabPermission.MODERATE)


def _reviewer(version: DatalabVersion) -> Iterable[Person]:
    return [version.reviewer] if version.reviewer else []


def _followers(version: DatalabVersion) -> QuerySet[Person]:
    return seers_of(version, feedback.followers(version.subject))


HEARERS: dict[str, Callable[[DatalabVersion], Iterable[Person]]] = {
    "author": _author,
    "moderators": _moderators,
    "reviewer": _reviewer,
    "followers": _followers,
}
"""The names that the table's `tells` knows, and the people behind each."""
PAGES = {"author": "datalabs:author-history", "moderators": "moderation:review", "reviewer": "moderation:review"}
"""Where each reads on: moderators in the queue once a version is no longer theirs, everybody else at the datalab."""


def tell_of(*, by: Actor, version: DatalabVersion, transition: str, reason: str) -> None:
    """Tell those whom the table names, each once and never the person who acted."""
    if transition in SAID_BY_BUILDS:
        return
    told = {by.pk} if isinstance(by, Person) else set()
    for name in TRANSITIONS[transition].tells:
        people = [one for one in HEARERS[name](version) if one.pk not in told]
        told |= {one.pk for one in people}
        kind, title = NEWS[transition]
        notifications.tell(
            people=people,
            kind=kind,
            title=title.format(version=version),
            text=reason,
            url=_page(name, version),
            subject=f"{version.subject}:{version.version}",
        )


def _page(name: str, version: DatalabVersion) -> str:
    if name in PAGES and (name == "author" or version.state in MODERATED):
        return reverse(PAGES[name], args=[version.datalab.slug, version.version])
    return reverse("moderation:queue") if name in PAGES else reverse("datalabs:detail", args=[version.datalab.slug])


def tell_of_opening(*, by: Person, version: DatalabVersion, before: Collection[int]) -> None:
    """Tell those followers of whom a published version is new because it was private `before`, when they were these."""
    followers = _followers(version).exclude(pk__in=[*before, by.pk])
    kind, title = NEWS["publish"]
    notifications.tell(
        people=followers,
        kind=kind,
        title=title.format(version=version),
        url=reverse("datalabs:detail", args=[version.datalab.slug]),
        subject=f"{version.subject}:{version.version}",
    )


def followers_of(version: DatalabVersion) -> set[int]:
    """Return the keys of those who follow the datalab and see this version."""
    return set(_followers(version).values_list("pk", flat=True))
