"""Telling people: who hears what and where, what folds, what accounts, builds and sessions tell, what goes when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import AccessRequest, Person
from spacelab.audit.actions import System
from spacelab.audit.models import Entry
from spacelab.kit.refusals import Forbidden, Invalid, NotFound
from spacelab.notifications import actions, queries, upkeep
from spacelab.notifications.models import Notification, Preference
from spacelab.notifications.rules import Choice, Kind, Mail
from spacelab.sessions import actions as sessions
from support.datalabs import make_datalab
from support.people import make_person
from support.sessions import QuietRuntime, quiet_runtime  # noqa: F401  a fixture is found by name here

pytestmark = pytest.mark.django_db
SYSTEM = System("tests")


def tell(*people: Person, title: str = "New", subject: str = "datalab:a", kind: Kind = Kind.COMMENT) -> int:
    return actions.tell(people=people, kind=kind, title=title, url="/catalogue/", subject=subject)


def test_each_hears_where_she_chose(scientist: Person) -> None:
    bob, carl = make_person("bob"), make_person("carl")
    actions.choose(by=bob, choices={Kind.COMMENT: Choice(bell=False, mail=Mail.NEVER, feed=True)})
    actions.choose(by=carl, choices={Kind.COMMENT: Choice(bell=False, mail=Mail.NEVER, feed=False)})
    assert tell(scientist, bob, carl) == 2
    assert [queries.unread_count(one) for one in (scientist, bob, carl)] == [1, 0, 0]
    assert [len(queries.feed_of(one)) for one in (scientist, bob, carl)] == [1, 1, 0]
    assert Notification.objects.get(person=scientist).mail == "waiting"
    assert Notification.objects.get(person=bob).mail == "none"


def test_who_was_deactivated_hears_nothing(scientist: Person) -> None:
    scientist.is_active = False
    scientist.save()
    assert tell(scientist) == 0
    assert not Notification.objects.exists()


def test_the_same_person_twice_hears_it_once(scientist: Person) -> None:
    assert tell(scientist, scientist) == 1
    assert Notification.objects.get().times == 1


def test_the_same_news_within_a_short_time_fold(scientist: Person) -> None:
    for title in ("Bob wrote", "Carl wrote", "Carl wrote"):
        assert tell(scientist, title=title) == 1
    (row,) = Notification.objects.all()
    assert (row.title, row.times) == ("Carl wrote", 3)
    tell(scientist, title="Of another datalab", subject="datalab:b")
    tell(scientist, title="Of another kind", kind=Kind.REPORT)
    assert Notification.objects.count() == 3
    Notification.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    tell(scientist, title="Later")
    assert Notification.objects.count() == 4
    actions.mark_all_read(by=scientist)
    tell(scientist, title="After reading")
    assert queries.unread_count(scientist) == 1


def test_without_a_subject_only_the_same_words_fold(scientist: Person) -> None:
    for title in ("One", "Two", "Two"):
        tell(scientist, title=title, subject="")
    assert sorted(Notification.objects.values_list("title", "times")) == [("One", 1), ("Two", 2)]


def test_news_that_changed_after_their_mail_are_mailed_again(scientist: Person) -> None:
    tell(scientist, title="Changes requested")
    actions.mark_mailed(by=SYSTEM, news=list(Notification.objects.all()))
    tell(scientist, title="Changes requested")
    assert Notification.objects.get().mail == "sent"
    tell(scientist, title="Approved")
    assert Notification.objects.get().mail == "waiting"


def test_a_transaction_that_fails_told_nobody(scientist: Person) -> None:
    with transaction.atomic():
        tell(scientist)
        transaction.set_rollback(True)
    assert not Notification.objects.exists()


def test_hostile_words_are_tamed_and_never_refused(scientist: Person) -> None:
    actions.tell(
        people=[scientist],
        kind=Kind.COMMENT,
        title="\u202e\x00",
        text="x" * 5000 + "\n",
        url="https://evil.example.org/",
        subject="y" * 500,
    )
    row = Notification.objects.get()
    assert row.title == "Comment"
    assert len(row.text) == 1000
    assert row.url == ""
    row.full_clean()


def test_telling_many_takes_few_queries(django_assert_max_num_queries: Any) -> None:
    people = [make_person(f"person-{number}") for number in range(30)]
    with django_assert_max_num_queries(6):
        assert tell(*people) == 30


def test_reading_is_for_ones_own(scientist: Person) -> None:
    tell(scientist)
    bob = make_person("bob")
    row = Notification.objects.get()
    with pytest.raises(NotFound):
        actions.mark_read(by=bob, notification_id=row.pk)
    assert actions.mark_all_read(by=bob) == 0
    assert queries.unread_count(scientist) == 1
    actions.mark_read(by=scientist, notification_id=row.pk)
    assert queries.unread_count(scientist) == 0


def test_who_was_deactivated_changes_nothing(scientist: Person) -> None:
    scientist.is_active = False
    scientist.save()
    with pytest.raises(Forbidden):
        actions.choose(by=scientist, choices={})
    for action in (actions.mark_all_read, actions.renew_feed, actions.end_feed):
        with pytest.raises(Forbidden):
            action(by=scientist)


def test_kinds_are_for_those_whose_roles_allow_them(scientist: Person, operator: Person) -> None:
    assert Kind.ACCESS_REQUEST not in queries.choices_of(scientist)
    assert Kind.ACCESS_REQUEST in queries.choices_of(operator)
    assert Kind.REVIEW_WANTED in queries.choices_of(make_person("mona", "moderator"))
    with pytest.raises(Invalid):
        actions.choose(by=scientist, choices={Kind.ACCESS_REQUEST: Choice()})
    assert not Preference.objects.exists()


def test_choosing_is_in_the_trail(scientist: Person) -> None:
    actions.choose(by=scientist, choices={Kind.COMMENT: Choice(mail=Mail.NEVER)})
    assert Entry.objects.get(action="notifications.choose").details == {"kinds": ["comment"]}
    assert queries.choices_of(scientist)[Kind.COMMENT].mail is Mail.NEVER


def test_invitations_are_told_once(scientist: Person) -> None:
    bob = make_person("bob")
    team = accounts.create_team(by=scientist, name="Plasma")
    accounts.invite(by=scientist, team=team, username="bob")
    accounts.invite(by=scientist, team=team, username="nobody-has-this")
    for _ in range(2):
        upkeep.tell_of_accounts()
    (row,) = Notification.objects.all()
    assert row.person == bob
    assert row.title == "Ada invites you into the team Plasma"
    assert (row.kind, row.url, row.times) == ("team-invitation", "/teams/", 1)


def test_requests_for_access_are_told_to_those_who_decide(scientist: Person, operator: Person) -> None:
    wish = {"username": "vera", "email": "vera@example.org", "display_name": "Vera", "affiliation": ""}
    accounts.request_access(**wish, purpose="Look at\nstars", address="127.0.0.1")
    for _ in range(2):
        upkeep.tell_of_accounts()
    (row,) = Notification.objects.all()
    assert row.person == operator
    assert (row.title, row.text) == ("Vera asks for an account", "Look at stars")
    assert row.url == f"/access-requests/{AccessRequest.objects.get().pk}/"


@pytest.mark.usefixtures("quiet_runtime")
def test_the_rule_for_idle_sessions_tells_their_owner(scientist: Person) -> None:
    make_datalab("jupyterlab")
    session = sessions.launch(by=scientist, datalab_slug="jupyterlab", profile="small", volumes=[], teams=[])
    for _ in range(2):
        sessions.warn(by=SYSTEM, session_id=session.id)
    (row,) = Notification.objects.all()
    assert row.kind == Kind.SESSION_WARNING
    assert row.times == 1
    assert row.url == f"/sessions/{session.id}"


def test_old_news_go_and_what_waits_stays(scientist: Person) -> None:
    for number in range(4):
        tell(scientist, subject=f"datalab:{number}")
    read, unread, ancient, waiting = Notification.objects.order_by("pk")
    Notification.objects.exclude(pk=waiting.pk).update(mail="sent")
    now = timezone.now()
    Notification.objects.filter(pk=read.pk).update(read_at=now, created_at=now - timedelta(days=91))
    Notification.objects.filter(pk=unread.pk).update(created_at=now - timedelta(days=91))
    Notification.objects.filter(pk__in=[ancient.pk, waiting.pk]).update(created_at=now - timedelta(days=361))
    upkeep.remove_old()
    assert set(Notification.objects.all()) == {unread, waiting}
    assert Entry.objects.get(action="notifications.prune").details == {"removed": 2}
    assert actions.prune(by=SYSTEM, days=90) == 0
    assert Entry.objects.filter(action="notifications.prune").count() == 1
