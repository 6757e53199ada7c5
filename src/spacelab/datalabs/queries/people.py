"""Who may write, decide about and keep datalabs."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, people_with, require
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.kit.refusals import Forbidden


def require_author(person: Person | AnonymousUser) -> None:
    """Raise `NotSignedIn` or `Forbidden` unless the person may write datalabs."""
    if isinstance(person, Person) and not may_author(person):
        raise Forbidden(
            "Bringing an application needs the role of a developer, which you don't have.",
            advice="Ask an operator for it.",
        )
    require(person, DatalabPermission.AUTHOR)


def may_author(person: Person | AnonymousUser, *, dockerfile: bool = False) -> bool:
    """Say whether the person may write datalabs, with a Dockerfile of her own where asked for."""
    return may(person, DatalabPermission.AUTHOR_DOCKERFILE if dockerfile else DatalabPermission.AUTHOR)


def may_moderate(person: Person | AnonymousUser) -> bool:
    """Say whether the person may inspect and decide about what others hand in."""
    return may(person, DatalabPermission.MODERATE)


def keepers() -> list[Person]:
    """List who may archive anybody's datalab: the people behind what the platform itself ships."""
    return people_with(DatalabPermission.ARCHIVE_ANY)


def require_moderator(person: Person | AnonymousUser) -> None:
    """Raise `NotSignedIn` or `Forbidden` unless the person may decide about what is published."""
    require(person, DatalabPermission.MODERATE)


def moderators() -> list[Person]:
    """List the people who may decide about what is published."""
    return people_with(DatalabPermission.MODERATE)
