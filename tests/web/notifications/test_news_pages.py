"""The pages of news: bell, list, choices, feed; each for whoever is signed in, and refusals for others."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.test import Client
from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.notifications import actions, queries
from spacelab.notifications.models import Feed, Notification
from spacelab.notifications.rules import Kind, Mail
from support.people import make_person

pytestmark = pytest.mark.django_db
ATOM = {"a": "http://www.w3.org/2005/Atom"}
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def visitor() -> Client:
    return Client(SERVER_NAME="localhost")


@pytest.fixture
def ada(scientist: Person) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(scientist)
    return client


def tell(person: Person, title: str = "Olga answered", **values: Any) -> Notification:
    given = {"kind": Kind.ANSWER, "url": "/catalogue/", "subject": title, **values}
    actions.tell(people=[person], title=title, **given)
    return Notification.objects.latest("pk")


def test_from_the_bell_to_what_is_new(ada: Client, scientist: Person) -> None:
    one = tell(scientist)
    tell(scientist, "Bob wrote", text="About TOPCAT")
    page = ada.get("/catalogue/").content.decode()
    assert "Notifications: 2 unread" in re.sub(r"<[^>]+>", "", page)
    listed = ada.get("/notifications/").content.decode()
    assert "Olga answered" in listed
    assert "About TOPCAT" in listed
    opened = ada.get(f"/notifications/{one.pk}/")
    assert opened.status_code == 302
    assert opened["Location"] == "/catalogue/"
    unread = ada.get("/notifications/?show=unread").content.decode()
    assert "Olga answered" not in unread
    assert "Bob wrote" in unread
    after = ada.post("/notifications/read/", {"show": "unread"}, follow=True)
    assert after.redirect_chain == [("/notifications/?show=unread", 302)]
    assert "Nothing unread" in after.content.decode()


def test_one_is_marked_as_read_on_the_list(ada: Client, scientist: Person) -> None:
    one = tell(scientist, url="")
    assert ada.post(f"/notifications/{one.pk}/read/").status_code == 302
    assert queries.unread_count(scientist) == 0
    assert ada.get(f"/notifications/{one.pk}/")["Location"] == "/notifications/"


def test_a_look_alone_changes_nothing(ada: Client, scientist: Person) -> None:
    tell(scientist)
    for address in ("/notifications/", "/notifications/bell/", "/account/notifications/"):
        assert ada.head(address).status_code == 200
        assert ada.get(address).status_code == 200
    for address in ("/notifications/read/", "/account/notifications/feed/", "/account/notifications/feed/end/"):
        assert ada.get(address).status_code == 405
    assert queries.unread_count(scientist) == 1


def test_a_visitor_is_sent_to_the_sign_in(visitor: Client, scientist: Person) -> None:
    one = tell(scientist)
    for address in ("/notifications/", f"/notifications/{one.pk}/", "/account/notifications/"):
        answer = visitor.get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/?next=")
    posts = ("read/", f"{one.pk}/read/")
    for address in (*(f"/notifications/{one}" for one in posts), "/account/notifications/feed/"):
        assert visitor.post(address)["Location"].startswith("/sign-in/")
    assert queries.unread_count(scientist) == 1
    assert not Feed.objects.exists()
    assert 'id="bell"' not in visitor.get("/catalogue/").content.decode()


def test_news_of_others_are_not_there(scientist: Person, visitor: Client) -> None:
    one = tell(scientist)
    visitor.force_login(make_person("bob", "operator"))
    assert visitor.get(f"/notifications/{one.pk}/").status_code == 404
    assert visitor.post(f"/notifications/{one.pk}/read/").status_code == 404
    assert "Olga answered" not in visitor.get("/notifications/").content.decode()


def test_the_bell_answers_only_when_it_has_something_to_say(ada: Client, scientist: Person, visitor: Client) -> None:
    assert ada.get("/notifications/bell/?shown=0").status_code == 204
    tell(scientist)
    answer = ada.get("/notifications/bell/?shown=0")
    assert answer.status_code == 200
    assert "1 unread" in answer.content.decode()
    assert "shown=1" in answer.content.decode()
    assert ada.get("/notifications/bell/?shown=1").status_code == 204
    assert visitor.get("/notifications/bell/?shown=1").status_code == 286  # htmx asks no more


def test_the_bell_does_not_count_for_ever(ada: Client, scientist: Person) -> None:
    rows = [Notification(person=scientist, kind="answer", title=f"{number}") for number in range(250)]
    Notification.objects.bulk_create(rows)
    assert "99+" in ada.get("/notifications/bell/").content.decode()


def test_long_lists_turn_pages_with_few_queries(
    ada: Client, scientist: Person, django_assert_max_num_queries: Any
) -> None:
    rows = [Notification(person=scientist, kind="answer", title=f"News {number}") for number in range(70)]
    Notification.objects.bulk_create(rows)
    with django_assert_max_num_queries(12):
        page = ada.get("/notifications/?page=3").content.decode()
    assert "News 0" in page
    assert "News 69" not in page


def test_what_others_wrote_is_only_text(ada: Client, scientist: Person) -> None:
    tell(scientist, SCRIPT, text=SCRIPT)
    page = ada.get("/notifications/").content.decode()
    assert SCRIPT not in page
    assert page.count("&lt;script&gt;") >= 2


def test_choosing_on_the_page(ada: Client, scientist: Person) -> None:
    page = ada.get("/account/notifications/").content.decode()
    assert "Build ended" in page
    assert "Request for access" not in page
    assert "No mail server is set up" in page
    answer = ada.post("/account/notifications/", {"build-ended-bell": "on", "build-ended-mail": "daily"})
    assert answer.status_code == 200  # the other kinds' mail was not said
    wanted = {f"{kind}-mail": "never" for kind in queries.choices_of(scientist)}
    answer = ada.post("/account/notifications/", {**wanted, "build-ended-bell": "on", "build-ended-mail": "daily"})
    assert answer.status_code == 302
    chosen = queries.choices_of(scientist)
    assert (chosen[Kind.BUILD_ENDED].bell, chosen[Kind.BUILD_ENDED].mail) == (True, Mail.DAILY)
    assert not chosen[Kind.BUILD_ENDED].feed
    assert not chosen[Kind.COMMENT].bell
    refused = ada.post("/account/notifications/", {**wanted, "build-ended-mail": "hourly"})
    assert refused.status_code == 200
    assert queries.choices_of(scientist)[Kind.BUILD_ENDED].mail is Mail.DAILY


def feed_path(client: Client) -> str:
    page = client.post("/account/notifications/feed/").content.decode()
    found = re.search(r"http://localhost:8080(/feeds/[\w-]{43}\.atom)", page)
    assert found is not None
    return found[1]


def test_the_feed_shows_titles_and_links_and_nothing_else(ada: Client, scientist: Person, visitor: Client) -> None:
    path = feed_path(ada)
    one = tell(scientist, SCRIPT, text="Only for the portal")
    tell(make_person("bob"), "Of somebody else")
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/atom+xml")
    assert "private" in answer["Cache-Control"]
    assert not answer.cookies
    text = answer.content.decode()
    assert "Only for the portal" not in text
    assert "Of somebody else" not in text
    assert "ada@example.org" not in text
    root = ET.fromstring(text)  # noqa: S314  the platform wrote it
    (entry,) = root.findall("a:entry", ATOM)
    assert entry.findtext("a:title", namespaces=ATOM) == SCRIPT
    link = entry.find("a:link", ATOM)
    assert link is not None
    assert link.get("href") == f"http://localhost:8080/notifications/{one.pk}/"
    for needed in ("a:id", "a:title", "a:updated", "a:author/a:name"):
        assert root.findtext(needed, namespaces=ATOM), needed
    assert entry.findtext("a:updated", namespaces=ATOM)
    assert visitor.get(path, headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_the_secret_of_a_feed_signs_nobody_in_and_can_be_renewed(
    ada: Client, scientist: Person, visitor: Client
) -> None:
    path = feed_path(ada)
    secret = path.removeprefix("/feeds/").removesuffix(".atom")
    assert secret not in str(list(Feed.objects.values()))
    assert secret not in str(list(Entry.objects.values()))
    assert secret not in ada.get("/account/notifications/").content.decode()
    visitor.get(path)
    assert visitor.get("/notifications/").status_code == 302
    header = {"Authorization": f"Bearer {secret}"}
    assert visitor.get("/api/v1/notifications", headers=header).status_code == 401
    renewed = feed_path(ada)
    assert visitor.get(path).status_code == 404
    assert visitor.get(renewed).status_code == 200
    Person.objects.update(is_active=False)
    assert visitor.get(renewed).status_code == 404
    Person.objects.update(is_active=True)
    ada.post(reverse("notifications:end-feed"))
    assert visitor.get(renewed).status_code == 404
    done = Entry.objects.filter(action__startswith="notifications.").values_list("action", flat=True)
    assert sorted(done) == ["notifications.end-feed", "notifications.renew-feed", "notifications.renew-feed"]
