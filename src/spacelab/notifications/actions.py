"""Every write to news: telling people, reading, choosing, feeds, and how their mail fared."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import digest_of, may_act
from spacelab.audit.actions import Actor, System, record
from spacelab.kit.refusals import Forbidden, Invalid, NotFound
from spacelab.notifications import queries, rules
from spacelab.notifications.models import Feed, Notification, Preference
from spacelab.notifications.rules import Choice, Kind, Mail

log = logging.getLogger(__name__)
SYSTEM = System("notifications")
UNREAD_KEPT = 4
"""News that nobody read are kept so many times as long as those that were read."""
LONGEST_TROUBLE = 300
MOST_REMOVED = 5000
"""Rows that one look of the retention removes, so that it holds the database for a moment only."""

State = Notification.MailState


def tell(*, people: Iterable[Person], kind: Kind, title: str, text: str = "", url: str = "", subject: str = "") -> int:
    """Tell people something, each where she chose to hear of this kind; return how many hear it.

    `url` is a path of the portal, `subject` what it is about, such as `datalab:topcat`. Title and text may hold what
    people wrote: they become one line each, cut to length. Mail goes later, so a mail server can't fail the caller.
    The same kind about the same subject within ten minutes is one line that counts, and says what was told last.
    """
    persons = {one.pk: one for one in people if may_act(one)}
    if not persons:
        return 0
    path = rules.path_inside(url)
    if url and not path:
        log.warning("News of the kind %s lead to no page of the portal: the address is left out", kind)
    news = Notification(
        kind=kind,
        title=rules.one_line(title, rules.LONGEST_TITLE) or rules.KINDS[kind].title,
        text=rules.one_line(text, rules.LONGEST_TEXT),
        url=path,
        subject=rules.one_line(subject, rules.LONGEST_SUBJECT),
    )
    with transaction.atomic():
        return _deliver(persons, news, timezone.now())


def _deliver(persons: Mapping[int, Person], news: Notification, now: datetime) -> int:
    chosen = queries.choices_for(persons, Kind(news.kind))
    default = rules.KINDS[Kind(news.kind)].default
    recent = _recent(persons, news, now)
    fresh = []
    heard = 0
    for pk, person in persons.items():
        choice = chosen.get(pk, default)
        due = None if person.is_demo else rules.mail_due_at(choice.mail, now)
        if not (choice.bell or choice.feed or due):
            continue
        heard += 1
        if pk in recent:
            _fold(recent[pk], news, due, now)
            continue
        row = Notification(person=person, in_bell=choice.bell, in_feed=choice.feed, created_at=now)
        for name in ("kind", "title", "text", "url", "subject"):
            setattr(row, name, getattr(news, name))
        if due:
            row.mail, row.mail_due_at = State.WAITING, due
        fresh.append(row)
    Notification.objects.bulk_create(fresh, batch_size=500)
    return heard


def _recent(persons: Mapping[int, Person], news: Notification, now: datetime) -> dict[int, Notification]:
    """Find the unread news of a moment ago, by person, that the same news fold into."""
    alike = Notification.objects.select_for_update().filter(
        person__in=list(persons),
        kind=news.kind,
        subject=news.subject,
        read_at=None,
        created_at__gt=now - rules.FOLD_WITHIN,
    )
    if not news.subject:
        alike = alike.filter(title=news.title)
    return {row.person_id: row for row in alike.order_by("created_at", "pk")}


def _fold(row: Notification, news: Notification, due: datetime | None, now: datetime) -> None:
    """Count the news once more; what says something else than the mail that went goes by mail as well."""
    differs = (row.title, row.text) != (news.title, news.text)
    row.title, row.text, row.url = news.title, news.text, news.url
    row.times, row.created_at = row.times + 1, now
    if due and differs and row.mail != State.WAITING:
        row.mail, row.mail_due_at, row.mail_failures = State.WAITING, due, 0
    row.save(update_fields=["title", "text", "url", "times", "created_at", "mail", "mail_due_at", "mail_failures"])


def mark_read(*, by: Person, notification_id: int) -> Notification:
    """Note that a person has read one of her news; raise `NotFound` for anybody else's."""
    _refuse_inactive(by)
    found = Notification.objects.filter(person=by, pk=notification_id).first()
    if found is None:
        raise NotFound("There is no such notification.", advice="It may have been old, and removed.")
    if found.read_at is None:
        found.read_at = timezone.now()
        found.save(update_fields=["read_at"])
    return found


def mark_all_read(*, by: Person) -> int:
    """Note that a person has read all her news; return how many were unread."""
    _refuse_inactive(by)
    return Notification.objects.filter(person=by, read_at=None).update(read_at=timezone.now())


@transaction.atomic
def choose(*, by: Person, choices: Mapping[Kind, Choice]) -> None:
    """Keep where a person wants to hear news of each kind that she names; other kinds stay as they are."""
    _refuse_inactive(by)
    allowed = set(queries.kinds_for(by))
    for kind, choice in choices.items():
        if kind not in allowed:
            raise Invalid(f"You hear no news of the kind “{kind}”.", field=str(kind))
        Preference.objects.update_or_create(
            person=by, kind=kind, defaults={"bell": choice.bell, "mail": choice.mail, "feed": choice.feed}
        )
    record(by=by, action="notifications.choose", subject=by.audit_name, kinds=sorted(str(kind) for kind in choices))


@transaction.atomic
def unsubscribe(*, token: str) -> tuple[Person, list[Kind]]:
    """End the mail of the kinds that a signed token names, without a sign-in: it can do nothing else.

    Mail of these kinds that waits is not sent. Doing it again changes nothing.
    """
    target = queries.unsubscribe_target(token)
    if target is None:
        raise NotFound("This link is not whole.", advice="Copy all of it from the mail, or sign in and choose there.")
    person, kinds = target
    changed = []
    for kind in kinds:
        had = queries.choices_for([person.pk], kind).get(person.pk, rules.KINDS[kind].default)
        if had.mail is Mail.NEVER:
            continue
        changed.append(str(kind))
        Preference.objects.update_or_create(
            person=person, kind=kind, defaults={"bell": had.bell, "mail": Mail.NEVER, "feed": had.feed}
        )
    waiting = Notification.objects.filter(person=person, kind__in=kinds, mail=State.WAITING)
    waiting.update(mail=State.NONE, mail_due_at=None)
    if changed:
        record(by=SYSTEM, action="notifications.unsubscribe", subject=person.audit_name, kinds=changed)
    return person, kinds


@transaction.atomic
def renew_feed(*, by: Person) -> str:
    """Make the secret of a person's feed, which nothing can show again; an earlier one ends."""
    _refuse_inactive(by)
    secret = secrets.token_urlsafe(32)
    Feed.objects.update_or_create(person=by, defaults={"digest": digest_of(secret), "created_at": timezone.now()})
    record(by=by, action="notifications.renew-feed", subject=by.audit_name)
    return secret


@transaction.atomic
def end_feed(*, by: Person) -> None:
    """End a person's feed: its address leads nowhere any more."""
    _refuse_inactive(by)
    gone, _ = Feed.objects.filter(person=by).delete()
    if gone:
        record(by=by, action="notifications.end-feed", subject=by.audit_name)


def _refuse_inactive(by: Person) -> None:
    if not may_act(by):
        raise Forbidden("This account is deactivated.")


def mark_mailed(*, by: Actor, news: Sequence[Notification]) -> None:  # noqa: ARG001  as every action
    """Note that the mail of these news was handed to the server; what was told anew meanwhile still waits."""
    now = timezone.now()
    for one in news:
        Notification.objects.filter(pk=one.pk, times=one.times).update(
            mail=State.SENT, mailed_at=now, mail_trouble="", mail_failures=0
        )


def drop_mail(*, by: Actor, news: Sequence[Notification]) -> None:  # noqa: ARG001  as every action
    """Note that nobody is to get the mail of these news: the account was deactivated meanwhile."""
    Notification.objects.filter(pk__in=[one.pk for one in news]).update(mail=State.NONE, mail_due_at=None)


@transaction.atomic
def note_failure(*, by: Actor, news: Sequence[Notification], trouble: str, final: bool = False) -> None:
    """Note why the mail of these news did not go: it is tried again later, or given up, now if it is `final`."""
    now, why = timezone.now(), rules.one_line(trouble, LONGEST_TROUBLE)
    lost = 0
    for one in news:
        failures = one.mail_failures + 1
        again = None if final else rules.next_attempt(failures, now)
        values = {"mail_failures": failures, "mail_trouble": why, "mail_due_at": again or now}
        if again is None:
            values["mail"] = State.GIVEN_UP
        changed = Notification.objects.filter(pk=one.pk, mail=State.WAITING).update(**values)
        lost += changed if again is None else 0
    if lost:
        subject = news[0].person.audit_name
        record(by=by, action="notifications.give-up-mail", subject=subject, news=lost, trouble=why)


@transaction.atomic
def prune(*, by: Actor, days: int) -> int:
    """Remove read news that are older than so many days, and unread ones after four times as long."""
    now = timezone.now()
    settled = Notification.objects.exclude(mail=State.WAITING)
    old = settled.filter(created_at__lt=now - timedelta(days=days))
    read = old.exclude(read_at=None, in_bell=True)
    forgotten = settled.filter(created_at__lt=now - timedelta(days=days * UNREAD_KEPT))
    ids = list((read | forgotten).values_list("pk", flat=True)[:MOST_REMOVED])
    for at in range(0, len(ids), 500):
        Notification.objects.filter(pk__in=ids[at : at + 500]).delete()
    if ids:
        record(by=by, action="notifications.prune", subject="notifications:old", removed=len(ids))
    return len(ids)
