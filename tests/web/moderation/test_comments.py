"""Comments of a review: on lines, answered by the author, settled, many of them, and with scripts in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from spacelab.accounts.models import Person
from spacelab.datalabs.models import DatalabVersion, Evidence
from spacelab.moderation.models import ReviewComment
from spacelab.notifications.models import Notification
from spacelab.publishing.rules import State
from support.people import make_person, signed_in
from support.reviews import make_package, make_submitted

pytestmark = pytest.mark.django_db
HERE = "/review/spectra/1.0"
OWN = "/author/spectra/1.0/review"
MOST_QUERIES = 12


@pytest.fixture
def version(developer: Person, moderator: Person, tmp_path: Path) -> DatalabVersion:
    """Make a version under review, with files."""
    package = make_package(tmp_path / "package", {"app.py": "one\ntwo\n", "logo.png": b"\x89PNG\0\1"})
    return make_submitted(developer, state=State.IN_REVIEW, reviewer=moderator, package=str(package))


def test_a_remark_on_a_line_is_answered_and_settled(
    version: DatalabVersion, developer: Person, moderator: Person
) -> None:
    reviewing, authoring = signed_in(moderator), signed_in(developer)
    link = f"{HERE}/comments?path=app.py&amp;line=2#write"
    assert link in reviewing.get(f"{HERE}/files").content.decode()
    assert 'value="app.py"' in reviewing.get(f"{HERE}/comments?path=app.py&line=2").content.decode()
    reviewing.post(f"{HERE}/comments", {"path": "app.py", "line": 2, "text": "Why *two*?"})
    remark = ReviewComment.objects.get()
    assert (remark.place, remark.content_hash, remark.author) == ("app.py:2", "hash-1.0", moderator)
    assert "Why <em>two</em>?" in reviewing.get(f"{HERE}/files").content.decode()
    news = Notification.objects.get(person=developer)
    assert (news.kind, news.url, news.title) == ("comment", OWN, "Spectra 1.0: app.py:2")

    assert "app.py:2" in authoring.get(OWN).content.decode()
    authoring.post(f"{HERE}/answer", {"answers": remark.pk, "text": "Because."}, follow=True)
    assert remark.answered_by.get().author == developer
    assert Notification.objects.get(person=moderator).kind == "answer"
    page = reviewing.get(f"{HERE}/comments").content.decode()
    assert page.index("Why <em>") < page.index("Because.")
    reviewing.post(f"/review/comments/{remark.pk}/resolve", {"resolved": "yes"})
    assert "settled by Mona" in authoring.get(OWN).content.decode()
    assert "Why <em>" not in reviewing.get(f"{HERE}/files").content.decode()
    reviewing.post(f"/review/comments/{remark.pk}/resolve", {"resolved": "no"})
    remark.refresh_from_db()
    assert remark.resolved_by is None


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"path": "nowhere.py"}, "no file"),
        ({"path": "../app.py"}, "no file"),
        ({"path": "app.py", "line": 3}, "app.py has no line 3"),
        ({"path": "logo.png", "line": 1}, "leave the line out"),
        ({"line": 1}, "Name the file as well"),
        ({"path": "app.py", "line": 0}, "greater than or equal to 1"),
    ],
)
def test_a_place_that_is_not_there_is_refused_and_the_text_kept(
    version: DatalabVersion, moderator: Person, place: dict[str, object], said: str
) -> None:
    answer = signed_in(moderator).post(f"{HERE}/comments", {"text": "Kept words", **place})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "Kept words</textarea>" in answer.content.decode()
    assert not ReviewComment.objects.exists()


def test_scripts_stay_text(version: DatalabVersion, moderator: Person) -> None:
    client = signed_in(moderator)
    client.post(f"{HERE}/comments", {"text": "<script>alert(1)</script> [go](javascript:alert(1))", "path": "app.py"})
    for page in (client.get(f"{HERE}/comments"), client.get(f"{HERE}/files")):
        assert "<script>alert" not in page.content.decode()
        assert "&lt;script&gt;alert(1)" in page.content.decode()
        assert 'href="javascript' not in page.content.decode()


def test_empty_and_endless_comments_are_refused(version: DatalabVersion, developer: Person, moderator: Person) -> None:
    for text in ("  ", "x" * 4001):
        assert signed_in(moderator).post(f"{HERE}/comments", {"text": text}).status_code == 422
        assert signed_in(developer).post(f"{HERE}/answer", {"text": text}).status_code == 422
    assert not ReviewComment.objects.exists()


def test_an_author_answers_and_settles_nothing(version: DatalabVersion, developer: Person, moderator: Person) -> None:
    remark = ReviewComment.objects.create(version=version, author=moderator, text="Well?")
    other = make_submitted(developer, "3.0", slug="other")
    client = signed_in(developer)
    assert client.post(f"/review/comments/{remark.pk}/resolve").status_code == 403
    away = client.post(f"/review/other/{other.version}/answer", {"answers": remark.pk, "text": "There"})
    assert away.status_code == 404
    assert signed_in(make_person("eve", "developer")).post(f"{HERE}/answer", {"text": "Hi"}).status_code == 404
    assert ReviewComment.objects.count() == 1


@pytest.mark.parametrize("page", [HERE, f"{HERE}/files", f"{HERE}/comments", f"{HERE}/comments?page=100", "/review/"])
def test_ten_thousand_comments_and_a_full_queue_cost_no_more_queries(
    version: DatalabVersion, developer: Person, moderator: Person, page: str
) -> None:
    ReviewComment.objects.bulk_create(
        ReviewComment(
            version=version,
            author=moderator if number % 2 else developer,
            text=f"Remark {number}",
            path="app.py" if number % 3 else "",
            line=1 if number % 3 else None,
            content_hash=version.content_hash,
        )
        for number in range(10_000)
    )
    Evidence.objects.bulk_create(
        Evidence(version=version, kind="launch-test", passed=True, summary="Good.", content_hash="x") for _ in range(50)
    )
    DatalabVersion.objects.bulk_create(
        DatalabVersion(datalab=version.datalab, version=f"9.{number}", state="submitted", reviewer=moderator)
        for number in range(200)
    )
    client = signed_in(moderator)
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(page)
    assert answer.status_code == 200
    assert len(seen) <= MOST_QUERIES, "\n".join(one["sql"][:120] for one in seen)
    assert len(answer.content) < 300_000


def test_the_authors_page_stays_quick_with_ten_thousand_comments(
    version: DatalabVersion, developer: Person, moderator: Person
) -> None:
    client = signed_in(developer)
    ReviewComment.objects.bulk_create(
        ReviewComment(version=version, author=moderator, text=f"Remark {number}") for number in range(10_000)
    )
    with CaptureQueriesContext(connection) as many:
        answer = client.get(f"{OWN}?page=200")
    assert "Remark 9999" in answer.content.decode()
    assert len(many) <= MOST_QUERIES


def test_who_moderates_no_more_hears_no_more(version: DatalabVersion, developer: Person, moderator: Person) -> None:
    signed_in(moderator).post(f"{HERE}/comments", {"text": "Why?"})
    moderator.roles.clear()
    signed_in(developer).post(f"{HERE}/answer", {"answers": ReviewComment.objects.get().pk, "text": "It is secret."})
    assert not Notification.objects.filter(person=moderator).exists()
