"""What people say about a datalab: bookmarks, ratings, comments with answers; who may, and who is told."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.datalabs import actions
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.feedback import rules
from spacelab.feedback.models import Bookmark, Comment, Rating, Standing
from spacelab.notifications.models import Notification
from spacelab.publishing.rules import State
from support.datalabs import make_datalab
from support.people import make_person, signed_in

pytestmark = pytest.mark.django_db
HERE = "/catalogue/spectra/"
MOST_QUERIES = 12
ROLES = ["scientist", "developer", "advanced-developer", "moderator", "operator"]


@pytest.fixture
def spectra(developer: Person) -> Datalab:
    """Publish a datalab for everybody."""
    return make_datalab("spectra", maintainer=developer)


def text_of(client: Client, address: str) -> str:
    """Return a page that is there."""
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def told(person: Person) -> list[tuple[str, str]]:
    """List what a person heard: kind and title."""
    return list(Notification.objects.filter(person=person).order_by("pk").values_list("kind", "title"))


@pytest.mark.usefixtures("spectra")
def test_a_bookmark_comes_and_goes(scientist: Person) -> None:
    browser = signed_in(scientist)
    assert "No bookmarks yet" in text_of(browser, "/bookmarks/")
    assert browser.post(f"{HERE}bookmark").headers["Location"] == HERE
    browser.post(f"{HERE}bookmark")
    assert Bookmark.objects.count() == 1
    assert "Bookmarked" in text_of(browser, HERE)
    assert HERE in text_of(browser, "/bookmarks/")
    browser.post(f"{HERE}bookmark", {"wanted": "no"})
    assert not Bookmark.objects.exists()
    trail = Entry.objects.filter(subject="datalab:spectra").order_by("pk").values_list("actor", "action")
    assert list(trail) == [("person:ada", "feedback.bookmark"), ("person:ada", "feedback.unbookmark")]


def test_the_newest_bookmark_comes_first_and_what_is_hidden_from_one_not_at_all(scientist: Person) -> None:
    for slug in ("alpha", "beta", "gamma"):
        actions.bookmark(by=scientist, slug=make_datalab(slug).slug)
    DatalabVersion.objects.filter(datalab__slug="beta").update(visibility="private")
    browser = signed_in(scientist)
    page = text_of(browser, "/bookmarks/")
    assert page.index("/catalogue/gamma/") < page.index("/catalogue/alpha/")
    assert "beta" not in page.casefold()
    for number in range(30):
        actions.bookmark(by=scientist, slug=make_datalab(f"lab-{number}").slug)
    with CaptureQueriesContext(connection) as captured:
        assert "Page <span" in text_of(browser, "/bookmarks/")
    assert len(captured) <= MOST_QUERIES


@pytest.mark.usefixtures("spectra")
def test_a_rating_is_given_changed_and_taken_back(scientist: Person) -> None:
    browser = signed_in(scientist)
    assert "Nobody has rated it yet" in text_of(browser, HERE)
    browser.post(f"{HERE}rating", {"stars": "2"})
    browser.post(f"{HERE}rating", {"stars": "4"})
    actions.rate(by=make_person("eva"), slug="spectra", stars=5)
    page = text_of(browser, HERE)
    assert "You gave 4 of 5" in page
    assert "from 2 people" in page
    assert "rated 4.5 of 5 stars by 2" in text_of(Client(), "/catalogue/")
    browser.post(f"{HERE}rating", {"stars": "0"})
    assert "rated 5.0 of 5 stars by 1" in text_of(Client(), "/catalogue/")
    assert [one.stars for one in Rating.objects.all()] == [5]
    assert Standing.objects.get().by_stars == [0, 0, 0, 0, 1]


@pytest.mark.usefixtures("spectra")
@pytest.mark.parametrize("stars", ["6", "-1", "1.5", "five", ""])
def test_what_is_no_rating_is_refused(scientist: Person, stars: str) -> None:
    assert signed_in(scientist).post(f"{HERE}rating", {"stars": stars}).status_code == 422
    assert not Rating.objects.exists()


@pytest.mark.usefixtures("spectra")
def test_nobody_rates_her_own(developer: Person) -> None:
    browser = signed_in(developer)
    assert "others rate it" in text_of(browser, HERE)
    assert browser.post(f"{HERE}rating", {"stars": "5"}).status_code == 409
    assert not Rating.objects.exists()


WRITES = [
    ("bookmark", {}),
    ("rating", {"stars": "3"}),
    ("comments/", {"text": "Good."}),
    ("report", {"reason": "broken"}),
    ("comments/1000/", {"text": "Yes."}),
    ("comments/1000/edit", {"text": "Better."}),
    ("comments/1000/delete", {}),
    ("comments/1000/hide", {"reason": "No."}),
]


def put_comment(developer: Person, **values: object) -> Comment:
    """Have the maintainer's own comment number 1000 stand at the datalab."""
    return Comment.objects.create(pk=1000, subject="datalab:spectra", text="Mine.", author=developer, **values)


@pytest.mark.usefixtures("spectra")
@pytest.mark.parametrize("role", ROLES)
def test_who_may_do_what(developer: Person, role: str) -> None:
    put_comment(developer)
    browser = signed_in(make_person("someone", role))
    got = {address: browser.post(f"{HERE}{address}", values).status_code for address, values in WRITES}
    moderates = 302 if role == "moderator" else 403
    wanted = {"comments/1000/edit": 403, "comments/1000/delete": 403, "comments/1000/hide": moderates}
    assert got == {address: wanted.get(address, 302) for address, _ in WRITES}


@pytest.mark.usefixtures("spectra")
def test_a_role_without_the_permissions_reads_alone(developer: Person) -> None:
    put_comment(developer)
    reader = make_person("reader", "scientist")
    role = reader.roles.get()
    role.permissions = ["datalabs.view"]
    role.save()
    browser = signed_in(reader)
    assert "Mine." in text_of(browser, HERE)
    assert {browser.post(f"{HERE}{address}", values).status_code for address, values in WRITES} == {403}


@pytest.mark.usefixtures("spectra")
def test_a_visitor_reads_and_is_asked_to_sign_in(developer: Person) -> None:
    put_comment(developer)
    page = text_of(Client(), HERE)
    assert "Mine." in page
    assert "<textarea" not in page
    for address, values in WRITES:
        answer = Client().post(f"{HERE}{address}", values)
        assert answer.status_code in {302, 401}, address
        assert answer.status_code == 401 or "/sign-in/" in answer.headers["Location"]
    assert Comment.objects.count() == 1
    assert not Rating.objects.exists()


@pytest.mark.parametrize("slug", ["spectra", "nothing"])
def test_what_one_cannot_see_answers_as_what_is_not_there(developer: Person, scientist: Person, slug: str) -> None:
    make_datalab("spectra", maintainer=developer)
    put_comment(developer)
    DatalabVersion.objects.update(visibility="private")
    browser = signed_in(scientist)
    for address, values in WRITES:
        assert browser.post(f"/catalogue/{slug}/{address}", values).status_code == 404, address
    for address in ("", "comments/", "comments/1000/", "comments/1000/edit", "report"):
        assert browser.get(f"/catalogue/{slug}/{address}").status_code == 404, address
    assert not Rating.objects.exists()
    assert not Bookmark.objects.exists()


def test_a_draft_is_neither_rated_nor_discussed(developer: Person, scientist: Person) -> None:
    make_datalab("spectra", state="built", maintainer=developer)
    version = DatalabVersion.objects.get()
    actions.share(by=developer, version=version, visibility="people", people=[scientist])
    browser = signed_in(scientist)
    page = text_of(browser, HERE)
    assert "<textarea" not in page
    assert 'id="ratings"' not in page
    assert browser.post(f"{HERE}rating", {"stars": "3"}).status_code == 409
    assert browser.post(f"{HERE}comments/", {"text": "Good."}).status_code == 409
    assert browser.post(f"{HERE}bookmark").status_code == 302


@pytest.mark.usefixtures("spectra")
def test_a_comment_is_answered_by_the_maintainer(developer: Person, scientist: Person) -> None:
    asking, answering = signed_in(scientist), signed_in(developer)
    asking.post(f"{HERE}comments/", {"text": "How *fast* is it?"})
    comment = Comment.objects.get()
    assert told(developer) == [("comment", "Ada wrote about Spectra")]
    assert "<em>fast</em>" in text_of(answering, Notification.objects.get().url)
    placed = answering.post(f"{HERE}comments/{comment.pk}/", {"text": "As your machine."})
    answer = Comment.objects.get(answers=comment)
    assert placed.headers["Location"] == f"{HERE}comments/{comment.pk}/#comment-{answer.pk}"
    assert answer.by_owner
    assert told(scientist) == [("answer", "Dora answered you about Spectra")]
    page = text_of(Client(), HERE)
    assert page.index("How") < page.index("maintainer</span>") < page.index("As your machine.")
    assert asking.get(f"{HERE}comments/{answer.pk}/").headers["Location"] == placed.headers["Location"]
    asking.post(f"{HERE}comments/{answer.pk}/", {"text": "Thanks."})
    assert Comment.objects.filter(answers=comment).count() == 2  # an answer to an answer stands beside it
    assert Standing.objects.get().comments == 3
    assert Notification.objects.get(person=developer).times == 2  # within minutes, one line that counts


def test_whoever_lost_sight_of_it_hears_no_answers(developer: Person, spectra: Datalab, scientist: Person) -> None:
    comment = actions.comment(by=scientist, slug="spectra", text="Hello?")
    DatalabVersion.objects.filter(datalab=spectra).update(visibility="private")
    actions.comment(by=developer, slug="spectra", text="Secret.", answers=comment.pk)
    assert told(scientist) == []


@pytest.mark.usefixtures("spectra")
def test_scripts_images_and_unsafe_links_do_nothing(scientist: Person) -> None:
    text = "<script>alert(1)</script> [x](javascript:alert(2)) ![y](https://example.org/y.png) <b onclick=z>bold</b>"
    actions.comment(by=scientist, slug="spectra", text=text)
    for address in (HERE, f"{HERE}comments/"):
        page = text_of(Client(), address)
        assert "<script>alert" not in page
        assert 'href="javascript:' not in page
        assert "<b onclick" not in page
        assert '<img src="https://example.org' not in page


@pytest.mark.usefixtures("spectra")
@pytest.mark.parametrize("text", ["", "  \n ", "\u200b", "\0\x07", "x" * 4001])
def test_an_empty_or_endless_comment_is_refused_and_kept_on_the_page(scientist: Person, text: str) -> None:
    answer = signed_in(scientist).post(f"{HERE}comments/", {"text": text})
    assert answer.status_code == 422
    assert not Comment.objects.exists()
    if len(text) > rules.LONGEST_COMMENT:
        assert text in answer.content.decode()


@pytest.mark.usefixtures("spectra")
def test_sent_twice_is_kept_once_and_too_many_have_to_wait(developer: Person, scientist: Person) -> None:
    browser = signed_in(scientist)
    for _ in range(2):
        browser.post(f"{HERE}comments/", {"text": "Good."})
    assert Comment.objects.count() == 1
    assert len(told(developer)) == 1
    for number in range(rules.MOST_COMMENTS_AN_HOUR - 1):
        actions.comment(by=scientist, slug="spectra", text=f"Number {number}.")
    refused = browser.post(f"{HERE}comments/", {"text": "One more."})
    assert refused.status_code == 429
    assert "One more." in refused.content.decode()
    assert Comment.objects.count() == rules.MOST_COMMENTS_AN_HOUR


@pytest.mark.usefixtures("spectra")
def test_ones_own_comment_is_changed_and_taken_back(scientist: Person) -> None:
    browser = signed_in(scientist)
    comment = actions.comment(by=scientist, slug="spectra", text="Godo.")
    assert "Godo." in text_of(browser, f"{HERE}comments/{comment.pk}/edit")
    assert browser.post(f"{HERE}comments/{comment.pk}/edit", {"text": " "}).status_code == 422
    browser.post(f"{HERE}comments/{comment.pk}/edit", {"text": "Good."})
    page = text_of(browser, HERE)
    assert "Godo." not in page
    assert "changed" in page
    actions.comment(by=make_person("eva"), slug="spectra", text="Indeed.", answers=comment.pk)
    browser.post(f"{HERE}comments/{comment.pk}/delete")
    assert "Good." not in text_of(Client(), HERE)
    page = text_of(Client(), f"{HERE}comments/")
    assert "Good." not in page
    assert "took this comment back" in page
    assert "Indeed." in page
    assert browser.post(f"{HERE}comments/{comment.pk}/edit", {"text": "Again."}).status_code == 404
    Comment.objects.exclude(answers=None).delete()
    assert "took this comment back" not in text_of(Client(), f"{HERE}comments/")
    assert browser.get(f"{HERE}comments/{comment.pk}/").status_code == 404


@pytest.mark.usefixtures("spectra")
def test_a_moderator_hides_a_comment_with_a_reason(scientist: Person) -> None:
    moderator = make_person("mona", "moderator")
    moderating, writing = signed_in(moderator), signed_in(scientist)
    comment = actions.comment(by=scientist, slug="spectra", text="Buy stars.")
    assert moderating.post(f"{HERE}comments/{comment.pk}/hide", {"reason": " "}).status_code == 422
    moderating.post(f"{HERE}comments/{comment.pk}/hide", {"reason": "Advertising."})
    for stranger in (Client(), signed_in(make_person("eva"))):
        for address in (HERE, f"{HERE}comments/", f"{HERE}comments/{comment.pk}/"):
            page = text_of(stranger, address)
            assert "Buy stars." not in page
            assert "Advertising." not in page
            assert ("has hidden this comment" in page) == (address != HERE)  # which shows readable ones alone
    for reader in (moderating, writing):
        page = text_of(reader, f"{HERE}comments/")
        assert "Buy stars." in page
        assert "Advertising." in page
    assert told(scientist) == [("answer", "Your comment on Spectra is hidden")]
    assert Standing.objects.get().comments == 0
    assert writing.post(f"{HERE}comments/{comment.pk}/edit", {"text": "Sell stars."}).status_code == 409
    assert writing.post(f"{HERE}comments/{comment.pk}/", {"text": "But!"}).status_code == 404
    moderating.post(f"{HERE}comments/{comment.pk}/hide", {"hidden": "no"})
    assert "Buy stars." in text_of(Client(), HERE)
    own = actions.comment(by=moderator, slug="spectra", text="Mine.")
    assert moderating.post(f"{HERE}comments/{own.pk}/hide", {"reason": "Oops."}).status_code == 409


@pytest.mark.parametrize("role", ["", "developer", "moderator"])
def test_ten_thousand_comments_cost_no_more_queries(developer: Person, spectra: Datalab, role: str) -> None:
    browser = signed_in(make_person("someone", role)) if role else Client()
    comments = [Comment(subject="datalab:spectra", text=f"Number {n}", author=developer) for n in range(10_000)]
    Comment.objects.bulk_create(comments, batch_size=500)
    root = Comment.objects.order_by("-pk").first()
    assert root is not None
    answers = [Comment(subject="datalab:spectra", text=f"Re {n}", author=developer, answers=root) for n in range(300)]
    Comment.objects.bulk_create(answers, batch_size=500)
    root_page = f"{HERE}comments/{root.pk}/"
    for address in (HERE, f"{HERE}comments/", f"{HERE}comments/?page=250", root_page, f"{root_page}?page=6"):
        text_of(browser, address)
        with CaptureQueriesContext(connection) as captured:
            page = text_of(browser, address)
        assert len(captured) <= MOST_QUERIES, (address, "\n".join(one["sql"][:200] for one in captured))
    assert "Re 299" in page
    assert "295 more answers" in text_of(browser, f"{HERE}comments/")
    assert str(spectra) in page


def publish(developer: Person, number: str, visibility: str = "everybody") -> DatalabVersion:
    """Publish one more version of the datalab."""
    version = DatalabVersion.objects.create(
        datalab=Datalab.objects.get(slug="spectra"),
        version=number,
        state=State.APPROVED,
        visibility=visibility,
        environment="spectra-1",
    )
    return actions.advance(by=developer, version=version, transition="publish")


@pytest.mark.usefixtures("spectra")
def test_followers_hear_of_new_versions_that_they_may_see(developer: Person, scientist: Person) -> None:
    stranger = make_person("eva")
    actions.bookmark(by=scientist, slug="spectra")
    actions.bookmark(by=developer, slug="spectra")
    publish(developer, "2.0")
    assert told(scientist) == [("version-published", "Spectra 2.0 is published")]
    assert told(stranger) == []
    assert told(developer) == []  # she did it herself
    publish(developer, "3.0", "private")
    assert len(told(scientist)) == 1
    actions.bookmark(by=scientist, slug="spectra", wanted=False)
    publish(developer, "4.0")
    assert len(told(scientist)) == 1


def test_followers_hear_of_a_version_that_is_opened_for_them_later(developer: Person, scientist: Person) -> None:
    make_datalab("spectra", maintainer=developer)
    eva = make_person("eva")
    for person in (scientist, eva):
        actions.bookmark(by=person, slug="spectra")
    version = publish(developer, "2.0", "private")
    actions.share(by=developer, version=version, visibility="people", people=[scientist])
    assert told(scientist) == [("version-published", "Spectra 2.0 is published")]
    assert told(eva) == []
    actions.share(by=developer, version=version, visibility="everybody")
    assert len(told(scientist)) == len(told(eva)) == 1


def test_thousands_of_followers_are_told(developer: Person) -> None:
    make_datalab("spectra", maintainer=developer)
    people = Person.objects.bulk_create(
        Person(username=f"someone-{n}", email=f"s{n}@example.org", display_name=str(n)) for n in range(3000)
    )
    Bookmark.objects.bulk_create(Bookmark(person=person, subject="datalab:spectra") for person in people)
    publish(developer, "2.0")
    assert Notification.objects.count() == len(people)


def test_a_deleted_entry_leaves_nothing_to_the_next_of_its_name(developer: Person) -> None:
    make_datalab("spectra", state="built", maintainer=developer)
    actions.bookmark(by=developer, slug="spectra")
    actions.delete_draft(by=developer, version=DatalabVersion.objects.get())
    assert not Bookmark.objects.exists()
    assert not Standing.objects.exists()
