"""A person's news as an Atom feed (RFC 4287): titles and links, at an address that is a secret."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed

from spacelab.accounts.models import Person
from spacelab.notifications import queries
from spacelab.notifications.mails import address_of
from spacelab.notifications.models import Notification

if TYPE_CHECKING:
    _Feed = Feed[Notification, Person]
else:
    _Feed = Feed  # generic for the type checker alone


class NewsFeed(_Feed):
    """The feed of whoever's secret the address holds; an address that holds none leads nowhere."""

    feed_type = Atom1Feed
    title = "Spacelab"
    subtitle = "What is new for you on Spacelab"
    author_name = "Spacelab"

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Person:  # noqa: ARG002  Django's names
        person = queries.feed_owner(kwargs["secret"])
        if person is None:
            raise ObjectDoesNotExist
        return person

    def link(self, _person: Person) -> str:
        return address_of(reverse("notifications:list"))

    def feed_guid(self, person: Person) -> str:
        return f"{_authority()}:notifications-of/{person.pk}"

    def items(self, person: Person) -> list[Notification]:
        return queries.feed_of(person)

    def item_title(self, item: Notification) -> str:
        return item.title

    def item_description(self, _item: Notification) -> None:  # type: ignore[override]  # no more than the title
        return None

    def item_link(self, item: Notification) -> str:
        return address_of(reverse("notifications:open", args=[item.pk]))

    def item_guid(self, item: Notification) -> str:
        return f"{_authority()}:notification/{item.pk}"

    def item_pubdate(self, item: Notification) -> datetime:
        return item.created_at

    def item_updateddate(self, item: Notification) -> datetime:
        return item.created_at


def _authority() -> str:
    """Begin a tag URI (RFC 4151) of this platform's."""
    return f"tag:{urlsplit(settings.SPACELAB.portal_url).hostname or 'localhost'},2026"
