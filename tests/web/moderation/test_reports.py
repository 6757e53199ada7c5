"""Reports: made by people, seen and settled by moderators; who hears of it, and what is refused."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.datalabs import actions
from spacelab.datalabs.models import DatalabVersion
from spacelab.feedback import rules
from spacelab.feedback.models import Comment, Report
from spacelab.moderation.actions import settle_report
from spacelab.notifications.models import Notification
from support.datalabs import make_datalab
from support.people import make_person, signed_in

pytestmark = pytest.mark.django_db
HERE = "/catalogue/spectra/"
LIST = "/review/reports/"
MOST_QUERIES = 12


@pytest.fixture
def developer() -> Person:
    """Somebody who maintains a published datalab."""
    person = make_person("dora", "developer")
    make_datalab("spectra", maintainer=person)
    return person


def told(person: Person) -> list[str]:
    """List the titles of what a person heard."""
    return list(Notification.objects.filter(person=person).order_by("pk").values_list("title", flat=True))


def test_a_datalab_is_reported_and_that_is_passed_on(developer: Person, scientist: Person, moderator: Person) -> None:
    reporting, settling = signed_in(scientist), signed_in(moderator)
    assert "Report Spectra" in reporting.get(f"{HERE}report").content.decode()
    sent = reporting.post(f"{HERE}report", {"reason": "misleading", "text": "These are *no* spectra."})
    assert sent.headers["Location"] == HERE
    assert told(moderator) == ["Spectra: the datalab is reported"]
    assert told(developer) == []
    report = Report.objects.get()
    assert "Reports" in settling.get("/review/").content.decode()
    assert "What it says is wrong" in settling.get(Notification.objects.get().url).content.decode()
    address = f"{LIST}{report.pk}/settle"
    assert "<em>no</em>" in settling.get(address).content.decode()
    assert settling.post(address, {"outcome": "passed-on", "note": " "}).status_code == 422
    assert settling.post(address, {"outcome": "hidden", "note": "No comment here."}).status_code == 422
    settling.post(address, {"outcome": "passed-on", "note": "Please mend the title."})
    assert told(scientist) == ["Your report on Spectra: It is passed on to the author"]
    heard = Notification.objects.get(person=developer)
    assert (heard.title, heard.text) == ("Spectra: What it says is wrong", "Please mend the title.")
    assert "Ada" not in heard.title + heard.text
    assert "Please mend the title." in settling.get(address).content.decode()
    assert settling.post(address, {"outcome": "done", "note": "Again."}).status_code == 409
    assert "Spectra" in settling.get(f"{LIST}?show=settled").content.decode()
    trail = Entry.objects.filter(action__startswith="feedback.").order_by("pk").values_list("actor", "action")
    assert list(trail) == [("person:ada", "feedback.report"), ("person:mona", "feedback.settle")]


@pytest.mark.usefixtures("developer")
def test_a_reported_comment_is_kept_as_it_was_and_hidden_by_the_outcome(scientist: Person, moderator: Person) -> None:
    eva, tom = make_person("eva"), make_person("tom")
    comment = actions.comment(by=eva, slug="spectra", text="Buy stars.")
    page = signed_in(scientist).get(f"{HERE}report?comment={comment.pk}").content.decode()
    assert "Buy stars." in page
    assert "does not start" not in page  # no reason for a comment
    signed_in(scientist).post(f"{HERE}report?comment={comment.pk}", {"reason": "unwanted"})
    actions.report(by=tom, slug="spectra", reason="other", text="I don't like it.", comment_id=comment.pk)
    actions.edit_comment(by=eva, slug="spectra", comment_id=comment.pk, text="Look at stars.")
    first = Report.objects.order_by("pk")[0]
    settling = signed_in(moderator)
    page = settling.get(f"{LIST}{first.pk}/settle").content.decode()
    assert "Buy stars." in page
    assert "Changed since" in page
    settling.post(f"{LIST}{first.pk}/settle", {"outcome": "hidden", "note": "Advertising."})
    assert Comment.objects.get().hidden_reason == "Advertising."
    assert set(Report.objects.values_list("state", "outcome")) == {("settled", "hidden")}
    assert told(scientist) == told(tom) == ["Your report on Spectra: The comment is hidden"]
    assert told(eva) == ["Your comment on Spectra is hidden"]


@pytest.mark.usefixtures("developer")
def test_what_is_refused(scientist: Person) -> None:
    browser = signed_in(scientist)
    own = actions.comment(by=scientist, slug="spectra", text="Mine.")
    assert browser.post(f"{HERE}report", {"reason": "nonsense"}).status_code == 422
    assert browser.post(f"{HERE}report", {"reason": "other", "text": ""}).status_code == 422
    kept = browser.post(f"{HERE}report", {"reason": "other", "text": "x" * 2001})
    assert kept.status_code == 422
    assert "x" * 2001 in kept.content.decode()
    assert browser.post(f"{HERE}report?comment={own.pk}", {"reason": "other", "text": "Me."}).status_code == 409
    assert browser.get(f"{HERE}report?comment={2**70}").status_code == 404
    eva = make_person("eva")
    gone = actions.comment(by=eva, slug="spectra", text="Hm.")
    actions.comment(by=scientist, slug="spectra", text="What?", answers=gone.pk)
    actions.take_back_comment(by=eva, slug="spectra", comment_id=gone.pk)
    assert browser.post(f"{HERE}report?comment={gone.pk}", {"reason": "unwanted"}).status_code == 404
    assert not Report.objects.exists()
    browser.post(f"{HERE}report", {"reason": "broken"})
    assert browser.post(f"{HERE}report", {"reason": "broken"}).status_code == 409
    for number in range(rules.MOST_REPORTS_AN_HOUR - 1):
        actions.report(by=scientist, slug=make_datalab(f"lab-{number}").slug, reason="broken")
    assert browser.post(f"/catalogue/{make_datalab('last').slug}/report", {"reason": "broken"}).status_code == 429


def test_nobody_settles_what_is_about_herself(developer: Person, scientist: Person, moderator: Person) -> None:
    by_moderator = actions.comment(by=moderator, slug="spectra", text="Mine.")
    report = actions.report(by=scientist, slug="spectra", reason="unwanted", comment_id=by_moderator.pk)
    settling = signed_in(moderator)
    assert settling.post(f"{LIST}{report.pk}/settle", {"outcome": "nothing", "note": "Fine."}).status_code == 409
    other = actions.report(by=developer, slug=make_datalab("prisms", maintainer=moderator).slug, reason="broken")
    answer = settling.post(f"{LIST}{other.pk}/settle", {"outcome": "nothing", "note": "Fine."})
    assert answer.status_code == 409
    assert "Fine." in answer.content.decode()
    assert set(Report.objects.values_list("state", flat=True)) == {"open"}


@pytest.mark.parametrize("role", ["", "scientist", "developer", "advanced-developer", "operator"])
def test_reports_are_for_moderators(developer: Person, role: str) -> None:
    report = actions.report(by=make_person("eva"), slug="spectra", reason="broken", text="It hangs.")
    browser = signed_in(make_person("someone", role)) if role else Client()
    for address in (LIST, f"{LIST}{report.pk}/settle"):
        assert browser.get(address).status_code == (403 if role else 302), address
    assert browser.post(f"{LIST}{report.pk}/settle", {"outcome": "done", "note": "x"}).status_code in {302, 401, 403}
    assert signed_in(developer).get(LIST).status_code == 403
    assert Report.objects.get().state == "open"


@pytest.mark.usefixtures("developer")
def test_whoever_lost_sight_of_it_learns_no_name(scientist: Person, moderator: Person) -> None:
    report = actions.report(by=scientist, slug="spectra", reason="broken")
    DatalabVersion.objects.update(visibility="private")
    settle_report(by=moderator, report_id=report.pk, outcome="done", note="It starts again.")
    heard = Notification.objects.get(person=scientist)
    assert (heard.title, heard.url) == ("Your report on a datalab: It is dealt with", "")


@pytest.mark.usefixtures("developer")
def test_many_reports_cost_no_more_queries(moderator: Person) -> None:
    people = [make_person(f"someone-{number}") for number in range(3)]
    rows = [
        Report(subject="datalab:spectra", reason="broken", text="It hangs.", person=person, state=state)
        for person in people
        for state in ("open", *["settled"] * 300)
    ]
    Report.objects.bulk_create(rows)
    browser = signed_in(moderator)
    for address in (LIST, f"{LIST}?show=settled", f"{LIST}?show=settled&page=20", f"{LIST}{rows[0].pk}/settle"):
        browser.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(address).status_code == 200
        assert len(captured) <= MOST_QUERIES, address
