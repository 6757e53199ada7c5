"""Reads about news: a person's list and count, what she chose, whose feed it is, how the mail stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.utils import timezone

from spacelab.accounts.models import AccessRequest, Invitation, Person
from spacelab.accounts.queries import acting_people, digest_of, permissions_of
from spacelab.notifications.models import Feed, Notification, Preference
from spacelab.notifications.rules import KINDS, Choice, Kind, Mail

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

IN_FEED = 50
"""News that a feed shows, the newest."""
UNTOLD_FOR = timedelta(days=7)
"""What lower domains made is told within this time of its making, however long nobody looked."""
GIVEN_UP_TOLD_FOR = timedelta(days=7)
"""How long an operator hears of mail that was given up."""
LATE_AFTER = timedelta(minutes=15)
"""Mail that has been due for so long, and failed, counts as held up."""
MOST_COUNTED = 100
"""Unread news beyond these are not counted: the bell says 99+."""
UNSUBSCRIBE_SALT = "spacelab.notifications.unsubscribe"


def news_of(person: Person, *, unread: bool = False) -> QuerySet[Notification]:
    """List the news of a person's bell, newest first."""
    found = Notification.objects.filter(person=person, in_bell=True).order_by("-created_at", "-pk")
    return found.filter(read_at=None) if unread else found


def news_page(person: Person, *, unread: bool, before: int | None, limit: int) -> QuerySet[Notification]:
    """List at most `limit` news of a person, by id from the newest down, those before the id `before` if given."""
    found = news_of(person, unread=unread).order_by("-pk")
    return (found.filter(pk__lt=before) if before else found)[:limit]


def unread_count(person: Person | AnonymousUser) -> int:
    """Count a person's unread news, up to `MOST_COUNTED`; 0 for a visitor."""
    if not isinstance(person, Person):
        return 0
    return Notification.objects.filter(person=person, in_bell=True, read_at=None)[:MOST_COUNTED].count()


def kinds_for(person: Person) -> list[Kind]:
    """List the kinds of news that a person may hear, given her roles."""
    permissions = permissions_of(person)
    return [kind for kind, facts in KINDS.items() if not facts.permission or facts.permission in permissions]


def choices_of(person: Person) -> dict[Kind, Choice]:
    """Return what a person hears of each kind that she may hear: her own choice, or the default."""
    chosen = {row.kind: _choice(row) for row in Preference.objects.filter(person=person)}
    return {kind: chosen.get(kind, KINDS[kind].default) for kind in kinds_for(person)}


def choices_for(people: Iterable[int], kind: Kind) -> dict[int, Choice]:
    """Return what each of the people chose for a kind, by their ids; nothing for who did not choose."""
    rows = Preference.objects.filter(person__in=list(people), kind=kind)
    return {row.person_id: _choice(row) for row in rows}


def _choice(row: Preference) -> Choice:
    return Choice(bell=row.bell, mail=Mail(row.mail), feed=row.feed)


def feed_owner(secret: str) -> Person | None:
    """Find whose feed has this secret, if she may use the platform."""
    found = Feed.objects.select_related("person").filter(digest=digest_of(secret), person__in=acting_people()).first()
    return found.person if found else None


def feed_since(person: Person) -> datetime | None:
    """Say since when a person's feed has its address; None without a feed."""
    return Feed.objects.filter(person=person).values_list("created_at", flat=True).first()


def feed_of(person: Person) -> list[Notification]:
    """List the news that a person's feed shows, newest first."""
    return list(Notification.objects.filter(person=person, in_feed=True).order_by("-created_at", "-pk")[:IN_FEED])


def unsubscribe_token(person: Person, kinds: Iterable[str]) -> str:
    """Sign what one click in a mail ends: the mail of these kinds to this person, and nothing else."""
    return signing.dumps([person.pk, sorted(set(kinds))], salt=UNSUBSCRIBE_SALT)


def unsubscribe_target(token: str) -> tuple[Person, list[Kind]] | None:
    """Read such a token; None for one that the platform didn't sign, or of somebody who is gone."""
    try:
        pk, kinds = signing.loads(token, salt=UNSUBSCRIBE_SALT)
    except signing.BadSignature:
        return None
    person = Person.objects.filter(pk=pk).first()
    return (person, [kind for kind in KINDS if kind in kinds]) if person else None


def people_with_mail_due(now: datetime) -> list[Person]:
    """List the people who have mail due, those who wait longest first."""
    due = Notification.objects.filter(mail=Notification.MailState.WAITING, mail_due_at__lte=now)
    ids = dict.fromkeys(due.order_by("mail_due_at").values_list("person", flat=True))
    people = Person.objects.in_bulk(list(ids))
    return [people[pk] for pk in ids]


def mail_due(person: Person, now: datetime) -> list[Notification]:
    """List a person's news whose mail is due, oldest first."""
    waiting = Notification.objects.filter(person=person, mail=Notification.MailState.WAITING, mail_due_at__lte=now)
    return list(waiting.order_by("created_at", "pk"))


@dataclass(frozen=True)
class MailHealth:
    """How the mail of news stands: how many are held up, how many were given up lately, and why."""

    held_up: int
    given_up: int
    trouble: str

    @property
    def well(self) -> bool:
        """Say whether mail goes out."""
        return not self.held_up and not self.given_up


def mail_health() -> MailHealth:
    """Look at how the mail of news stands."""
    now = timezone.now()
    failing = Notification.objects.filter(mail=Notification.MailState.WAITING, mail_failures__gt=0)
    late = failing.filter(created_at__lt=now - LATE_AFTER)
    lost = Notification.objects.filter(mail=Notification.MailState.GIVEN_UP, mail_due_at__gt=now - GIVEN_UP_TOLD_FOR)
    troubles = [one.order_by("-mail_due_at").values_list("mail_trouble", flat=True).first() for one in (late, lost)]
    return MailHealth(late.count(), lost.count(), next(filter(None, troubles), ""))


def mail_is_set_up() -> bool:
    """Say whether mail goes to a server, rather than into the log."""
    return bool(settings.SPACELAB.mail_host)


def untold_invitations() -> list[Invitation]:
    """List the invitations of lately that their people have not been told of."""
    since = timezone.now() - UNTOLD_FOR
    recent = Invitation.objects.select_related("person", "team", "invited_by")
    found = {f"invitation:{one.pk}": one for one in recent.filter(created_at__gt=since, person__in=acting_people())}
    return [found[subject] for subject in _untold(Kind.TEAM_INVITATION, found)]


def untold_access_requests() -> list[AccessRequest]:
    """List the open requests of lately that nobody has been told of, the oldest first."""
    since = timezone.now() - UNTOLD_FOR
    recent = AccessRequest.objects.filter(state=AccessRequest.State.OPEN, created_at__gt=since).order_by("pk")
    found = {f"access-request:{one.pk}": one for one in recent}
    return [found[subject] for subject in _untold(Kind.ACCESS_REQUEST, found)]


def _untold(kind: Kind, subjects: Iterable[str]) -> list[str]:
    """Keep the subjects of which nobody was told news of this kind."""
    wanted = list(subjects)
    told = set(Notification.objects.filter(kind=kind, subject__in=wanted).values_list("subject", flat=True))
    return [one for one in wanted if one not in told]
