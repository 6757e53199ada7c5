"""Who hears of a transition: those whom the lifecycle's table names, told with a title, the reason and a link."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from django.db.models import QuerySet
from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.accounts.queries import people_with
from spacelab.audit.actions import Actor
from spacelab.notifications import actions as notifications
from spacelab.notifications.rules import Kind
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.queries import MODERATED, seers_of
from spacelab.publishing.rules import TRANSITIONS

Followers = Callable[[str], QuerySet[Person]]
"""Finds who bookmarked something, by how feedback names it."""

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


def _author(version: PublishedVersion, _followers: Followers) -> Iterable[Person]:
    return [version.entry.maintainer] if version.entry.maintainer else []


def _moderators(version: PublishedVersion, _followers: Followers) -> Iterable[Person]:
    return people_with(version.family.moderate)


def _reviewer(version: PublishedVersion, _followers: Followers) -> Iterable[Person]:
    return [version.reviewer] if version.reviewer else []


def _who_follow(version: PublishedVersion, followers: Followers) -> QuerySet[Person]:
    return seers_of(version, followers(version.subject))


HEARERS: dict[str, Callable[[PublishedVersion, Followers], Iterable[Person]]] = {
    "author": _author,
    "moderators": _moderators,
    "reviewer": _reviewer,
    "followers": _who_follow,
}
"""The names that the table's `tells` knows, and the people behind each."""


def tell_of(*, by: Actor, version: PublishedVersion, transition: str, reason: str, followers: Followers) -> None:
    """Tell those whom the table names, each once and never the person who acted."""
    if transition in SAID_BY_BUILDS:
        return
    told = {by.pk} if isinstance(by, Person) else set()
    for name in TRANSITIONS[transition].tells:
        people = [one for one in HEARERS[name](version, followers) if one.pk not in told]
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


def _page(name: str, version: PublishedVersion) -> str:
    """Say where each reads on: moderators in the queue once a version is no longer theirs, others at the entry."""
    family, place = version.family, [version.entry.slug, version.version]
    if name == "author":
        return reverse(family.route("author-history"), args=place)
    if name in {"moderators", "reviewer"}:
        here = version.state in MODERATED
        return reverse(f"{family.reviews}:review", args=place) if here else reverse("moderation:queue")
    return reverse(family.route("detail"), args=[version.entry.slug])


def tell_of_opening(*, by: Person, version: PublishedVersion, before: Collection[int], followers: Followers) -> None:
    """Tell those followers of whom a published version is new because it was private `before`, when they were these."""
    people = _who_follow(version, followers).exclude(pk__in=[*before, by.pk])
    kind, title = NEWS["publish"]
    notifications.tell(
        people=people,
        kind=kind,
        title=title.format(version=version),
        url=reverse(version.family.route("detail"), args=[version.entry.slug]),
        subject=f"{version.subject}:{version.version}",
    )


def followers_of(version: PublishedVersion, followers: Followers) -> set[int]:
    """Return the keys of those who follow the entry and see this version."""
    return set(_who_follow(version, followers).values_list("pk", flat=True))
