"""Mail of news through a real server: what it holds, how the way is protected, and what happens when it fails."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import send_mail
from django.test import Client
from django.utils import timezone

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import AccessRequest, Person
from spacelab.audit.models import Entry
from spacelab.notifications import actions, queries, upkeep
from spacelab.notifications.models import Notification, Preference
from spacelab.notifications.rules import BACK_OFF, Choice, Kind, Mail
from spacelab.site.doctor import look
from support.mail_server import PASSWORD, USER, Received, mail_server
from support.people import make_person

pytestmark = pytest.mark.django_db

Use = Callable[..., None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Use:
    """Set the platform's settings for mail."""

    def put(**values: Any) -> None:
        settings.EMAIL_BACKEND = "spacelab.notifications.adapters.smtp.SmtpBackend"
        for name, value in {"mail_host": "127.0.0.1", "mail_security": "none", **values}.items():
            monkeypatch.setattr(settings.SPACELAB, name, value)

    return put


@pytest.fixture
def server(use: Use) -> Iterator[Received]:
    """Run a plain mail server that the platform uses."""
    with mail_server() as (received, port, _):
        use(mail_port=port)
        yield received


def tell(*people: Person, **values: Any) -> None:
    given = {"kind": Kind.ANSWER, "title": "Olga answered you", "url": "/catalogue/", "subject": "datalab:a", **values}
    actions.tell(people=people, **given)


def make_due() -> None:
    Notification.objects.filter(mail="waiting").update(mail_due_at=timezone.now() - timedelta(seconds=1))


def send() -> int:
    make_due()
    return upkeep.send_due_mail()


def state() -> set[tuple[str, int]]:
    return set(Notification.objects.values_list("mail", "mail_failures"))


def test_news_come_by_mail_once(server: Received, scientist: Person) -> None:
    tell(scientist, text="Try version 2 & <b>tell</b> me")
    assert upkeep.send_due_mail() == 0  # it waits for more
    assert send() == 1
    assert send() == 0
    (mail,) = server.mails
    assert server.recipients == [["ada@example.org"]]
    assert mail["Subject"] == "Olga answered you"
    assert mail["To"] == "ada@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    row = Notification.objects.get()
    assert f"http://localhost:8080/notifications/{row.pk}/" in plain.get_content()
    assert "Try version 2 & <b>tell</b> me" in plain.get_content()
    assert "&lt;b&gt;tell&lt;/b&gt;" in html.get_content()
    assert "<b>" not in html.get_content()
    assert row.mailed_at is not None


def test_many_news_are_one_mail(server: Received, scientist: Person) -> None:
    for number in range(40):
        tell(scientist, title=f"Answer {number}", subject=f"datalab:{number}")
    assert send() == 1
    (mail,) = server.mails
    assert mail["Subject"] == "40 news from Spacelab"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Answer 29" in body.get_content()
    assert "Answer 30" not in body.get_content()
    assert "And 10 more" in body.get_content()
    assert state() == {("sent", 0)}


def test_people_who_chose_none_and_demo_people_get_no_mail(server: Received, scientist: Person) -> None:
    actions.choose(by=scientist, choices={Kind.ANSWER: Choice(mail=Mail.NEVER)})
    demo = make_person("dora")
    Person.objects.filter(pk=demo.pk).update(is_demo=True)
    demo.refresh_from_db()
    tell(scientist, demo)
    assert send() == 0
    assert state() == {("none", 0)}


def test_who_was_deactivated_meanwhile_gets_no_mail(server: Received, scientist: Person) -> None:
    tell(scientist)
    Person.objects.update(is_active=False)
    assert send() == 0
    assert state() == {("none", 0)}


def test_a_title_puts_nothing_into_the_header(server: Received, scientist: Person) -> None:
    tell(scientist, title="x\r\nBcc: eve@example.org\r\n\r\nbody", text="y\r\n.\r\nQUIT\u202e")
    assert send() == 1
    (mail,) = server.mails
    assert mail["Bcc"] is None
    assert server.recipients == [["ada@example.org"]]
    assert mail["Subject"] == "x Bcc: eve@example.org body"


def test_titles_in_any_script_arrive(server: Received, scientist: Person) -> None:
    title = "Ψηφίο — 星の図 " * 10
    tell(scientist, title=title)
    assert send() == 1
    assert server.mails[0]["Subject"].strip() == title.strip()


def test_one_click_ends_such_mail_and_nothing_else(server: Received, scientist: Person) -> None:
    tell(scientist)
    tell(scientist, kind=Kind.REPORT, title="Reported")
    assert send() == 1
    (mail,) = server.mails
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.fullmatch(r"<http://localhost:8080(/notifications/unsubscribe/\S+)>", mail["List-Unsubscribe"].strip())
    assert found is not None
    stranger = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    asked = stranger.get(found[1])
    assert asked.status_code == 200
    assert not Preference.objects.exists()  # a program that follows links changes nothing
    tell(scientist, title="Another answer", subject="datalab:b")
    for _ in range(2):
        done = stranger.post(found[1], {"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
        assert "sessionid" not in done.cookies
        assert "spacelab" not in done.cookies
    chosen = queries.choices_of(scientist)
    assert {kind for kind, choice in chosen.items() if choice.mail is Mail.NEVER} >= {Kind.ANSWER, Kind.REPORT}
    assert chosen[Kind.ANSWER].bell
    assert chosen[Kind.REVIEW_DECISION].mail is Mail.SOON
    assert send() == 0
    assert Entry.objects.filter(action="notifications.unsubscribe").count() == 1


@pytest.mark.parametrize("token", ["x", "WzEsWyJhbnN3ZXIiXV0:1abc:forged"])
def test_a_forged_link_ends_nothing(client: Client, scientist: Person, token: str) -> None:
    for answer in (client.get, client.post):
        assert answer(f"/notifications/unsubscribe/{token}/", headers={"host": "localhost"}).status_code == 404
    assert not Preference.objects.exists()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_protected_way_with_a_sign_in(security: str, use: Use, scientist: Person, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    with mail_server(security=security, folder=tmp_path) as (received, port, authority):
        use(mail_port=port, mail_security=security, mail_user=USER, mail_password_file=secret, mail_ca=authority)
        tell(scientist)
        assert send() == 1
    assert received.protected == [True]
    assert received.signed_in == [True]


def test_a_server_that_nobody_vouches_for_gets_nothing(use: Use, scientist: Person, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    with mail_server(security="starttls", folder=tmp_path) as (received, port, _):
        use(mail_port=port, mail_security="starttls", mail_user=USER, mail_password_file=secret)
        tell(scientist)
        assert send() == 0
    assert received.mails == []
    assert "CERTIFICATE_VERIFY_FAILED" in Notification.objects.get().mail_trouble
    assert state() == {("waiting", 1)}


def test_a_wrong_password_is_told_without_the_password(
    use: Use, scientist: Person, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "password"
    secret.write_text("not the right one")
    with mail_server(security="starttls", folder=tmp_path) as (_, port, authority):
        use(mail_port=port, mail_security="starttls", mail_user=USER, mail_password_file=secret, mail_ca=authority)
        tell(scientist)
        assert send() == 0
        (finding,) = [one for one in look(settings.SPACELAB) if one.name == "Mail"]
    trouble = Notification.objects.get().mail_trouble
    assert "535" in trouble
    assert not finding.ok
    for said in (trouble, caplog.text, finding.detail):
        assert "not the right one" not in said


def test_a_server_that_is_away_is_asked_again_until_it_is_back(use: Use, scientist: Person) -> None:
    other = make_person("bob")
    with mail_server() as (_, port, _):
        pass
    use(mail_port=port)
    tell(scientist, other)
    began = timezone.now()
    assert send() == 0
    assert state() == {("waiting", 1)}
    again = Notification.objects.values_list("mail_due_at", flat=True)
    assert all(one is not None and one >= began + BACK_OFF[0] for one in again)
    assert queries.mail_health().well  # one failure is no trouble yet
    Notification.objects.update(created_at=began - timedelta(hours=1))
    assert not queries.mail_health().well
    with mail_server() as (received, port, _):
        use(mail_port=port)
        assert send() == 2
    assert len(received.mails) == 2
    assert queries.mail_health().well


def test_mail_is_given_up_with_a_reason_that_operators_see(use: Use, scientist: Person, client: Client) -> None:
    with mail_server() as (_, port, _):
        pass
    use(mail_port=port)
    tell(scientist)
    for _ in range(len(BACK_OFF) + 1):
        assert send() == 0
    assert state() == {("given-up", len(BACK_OFF) + 1)}
    assert "ConnectionRefused" in Notification.objects.get().mail_trouble
    assert Entry.objects.get(action="notifications.give-up-mail").subject == "person:ada"
    assert client.get("/healthz", headers={"host": "localhost"}).json()["mail"] is False
    with mail_server() as (_, port, _):
        use(mail_port=port)
        (finding,) = [one for one in look(settings.SPACELAB) if one.name == "Mail"]
    assert "1 given up" in finding.detail


def test_a_refused_recipient_holds_up_nobody_else(server: Received, scientist: Person) -> None:
    other, third = make_person("bob"), make_person("carl")
    server.refused = {"ada@example.org": "550 5.1.1 No such user", "bob@example.org": "450 4.2.1 Try later"}
    tell(scientist, other, third)
    assert send() == 1
    assert server.recipients == [["carl@example.org"]]
    assert dict(Notification.objects.values_list("person__username", "mail")) == {
        "ada": "given-up",
        "bob": "waiting",
        "carl": "sent",
    }
    assert "550" in Notification.objects.get(person=scientist).mail_trouble


@pytest.mark.parametrize(("answer", "left"), [("554 5.7.1 Spam", "given-up"), ("452 4.3.1 Full", "waiting")])
def test_a_refused_content_is_judged_by_its_answer(server: Received, scientist: Person, answer: str, left: str) -> None:
    server.content_answer = answer
    tell(scientist)
    assert send() == 0
    assert state() == {(left, 1)}


def test_news_told_while_their_mail_goes_are_mailed_as_well(server: Received, scientist: Person) -> None:
    tell(scientist, title="First")
    make_due()
    news = queries.mail_due(scientist, timezone.now())
    tell(scientist, title="Second")
    actions.mark_mailed(by=actions.SYSTEM, news=news)
    assert send() == 1
    assert server.mails[0]["Subject"] == "Second"


def test_the_mail_of_accounts_takes_the_same_way(
    server: Received, operator: Person, django_capture_on_commit_callbacks: Any
) -> None:
    wish = {"username": "vera", "email": "vera@example.org", "display_name": "Vera", "affiliation": "", "purpose": "X"}
    accounts.request_access(**wish, address="127.0.0.1")
    request_id = AccessRequest.objects.get().pk
    with django_capture_on_commit_callbacks(execute=True):
        accounts.decline_access(by=operator, request_id=request_id, reason="Not now")
    assert server.recipients == [["vera@example.org"]]


def test_the_command_that_tries_the_settings(server: Received) -> None:
    send_mail("Test", "It works", None, ["olga@example.org"])
    assert server.mails[0]["From"] == settings.SPACELAB.mail_from


@pytest.mark.django_db(transaction=True)
def test_the_controller_sends_mail_in_a_thread_of_its_own(server: Received, scientist: Person) -> None:
    assert ("spacelab.notifications.upkeep.attend_mail", 10.0) in settings.RECONCILERS
    tell(scientist)
    make_due()
    deadline = time.monotonic() + 20
    while not server.mails and time.monotonic() < deadline:
        upkeep.attend_mail()
        time.sleep(0.05)
    assert len(server.mails) == 1
