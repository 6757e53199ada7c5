"""Feedback by the API: bookmarks, ratings, comments, reports; scopes and refusals for every role."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.datalabs import actions
from spacelab.datalabs.models import DatalabVersion
from spacelab.feedback.models import Comment, Report
from support.datalabs import make_datalab
from support.people import make_person

pytestmark = pytest.mark.django_db
HERE = "/api/v1/datalabs/spectra"
REPORTS = "/api/v1/reviews/reports"
NO_ID = 2**70


class Caller:
    """A program with somebody's token."""

    def __init__(self, person: Person, *scopes: str) -> None:
        _, secret = accounts.create_token(by=person, name="test", lifetime_days=1, scopes=scopes or ("feedback",))
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def send(self, method: str, address: str, body: dict[str, Any] | None = None) -> Any:
        """Send JSON, and return status and answer."""
        sent = json.dumps(body) if body is not None else ""
        answer = self.client.generic(method, address, data=sent, content_type="application/json")
        return answer.status_code, answer.json() if answer.content else None


@pytest.fixture
def developer() -> Person:
    """Somebody who maintains a published datalab."""
    person = make_person("dora", "developer")
    make_datalab("spectra", maintainer=person)
    return person


def test_a_program_says_what_its_person_thinks(developer: Person, scientist: Person) -> None:
    program, author = Caller(scientist), Caller(developer)
    assert program.send("PUT", f"{HERE}/bookmark")[1]["mine"] == {"stars": 0, "bookmarked": True}
    assert program.send("GET", "/api/v1/bookmarks")[1]["items"][0]["slug"] == "spectra"
    status, standing = program.send("PUT", f"{HERE}/rating", {"stars": 4})
    assert (status, standing["average"], standing["by_stars"]) == (200, 4.0, [0, 0, 0, 1, 0])
    status, comment = program.send("POST", f"{HERE}/comments", {"text": "How *fast*?"})
    assert (status, comment["author"], comment["by_maintainer"]) == (201, "ada", False)
    status, answer = author.send("POST", f"{HERE}/comments", {"text": "Very.", "answers": comment["id"]})
    assert (status, answer["by_maintainer"], answer["answers"]) == (201, True, comment["id"])
    listed = program.send("GET", f"{HERE}/comments")[1]
    assert (listed["count"], listed["items"][0]["replies"]) == (1, 1)
    assert program.send("GET", f"{HERE}/comments?answers_to={comment['id']}")[1]["items"][0]["text"] == "Very."
    mine = f"{HERE}/comments/{comment['id']}"
    assert program.send("PATCH", mine, {"text": "How quick?"})[1]["edited_at"]
    assert program.send("DELETE", mine) == (204, None)
    left = program.send("GET", f"{HERE}/comments")[1]["items"][0]
    assert (left["text"], left["taken_back"], left["replies"]) == ("", True, 1)
    assert program.send("DELETE", f"{HERE}/rating")[1]["average"] is None
    assert program.send("DELETE", f"{HERE}/bookmark")[1]["bookmarks"] == 0
    assert program.send("GET", "/api/v1/bookmarks")[1] == {"count": 0, "items": []}


@pytest.mark.usefixtures("developer")
def test_the_catalogue_tells_ratings(scientist: Person) -> None:
    actions.rate(by=scientist, slug="spectra", stars=3)
    for address in ("/api/v1/datalabs/spectra", "/api/v1/datalabs"):
        found = Client().get(address).json()
        one = found["items"][0] if "items" in found else found
        assert (one["rating"], one["ratings"]) == (3.0, 1)


@pytest.mark.usefixtures("developer")
def test_a_report_is_made_and_settled(scientist: Person) -> None:
    program, moderator = Caller(scientist), Caller(make_person("mona", "moderator"), "review")
    status, made = program.send("POST", f"{HERE}/reports", {"reason": "misleading", "text": "Not stars."})
    assert (status, made["state"]) == (201, "open")
    assert program.send("POST", f"{HERE}/reports", {"reason": "misleading"})[0] == 409
    listed = moderator.send("GET", REPORTS)[1]
    assert (listed["count"], listed["items"][0]["person"]) == (1, "ada")
    done = {"outcome": "passed-on", "note": "The abstract speaks of stars."}
    status, settled = moderator.send("PUT", f"{REPORTS}/{made['id']}", done)
    assert (status, settled["state"], settled["outcome"]) == (200, "settled", "passed-on")
    assert moderator.send("PUT", f"{REPORTS}/{made['id']}", done)[0] == 409
    assert moderator.send("GET", REPORTS)[1]["count"] == 0
    assert moderator.send("GET", f"{REPORTS}?state=settled")[1]["count"] == 1
    assert program.send("GET", REPORTS)[0] == 403  # the scope
    assert Caller(scientist, "review").send("GET", REPORTS)[0] == 403  # the role
    assert Client().get(REPORTS).status_code == 401


WRITES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("PUT", "bookmark", None),
    ("DELETE", "bookmark", None),
    ("PUT", "rating", {"stars": 3}),
    ("DELETE", "rating", None),
    ("POST", "comments", {"text": "Good."}),
    ("POST", "reports", {"reason": "broken"}),
    ("PATCH", "comments/1000", {"text": "Better."}),
    ("DELETE", "comments/1000", None),
    ("PUT", "comments/1000/hidden", {"reason": "No."}),
]


def put_comment(developer: Person) -> None:
    """Have the maintainer's own comment number 1000 stand at the datalab."""
    Comment.objects.create(pk=1000, subject="datalab:spectra", text="Mine.", author=developer)


@pytest.mark.parametrize("role", ["scientist", "developer", "advanced-developer", "moderator", "operator"])
def test_who_may_do_what(developer: Person, role: str) -> None:
    put_comment(developer)
    program = Caller(make_person("someone", role))
    got = {(method, part): program.send(method, f"{HERE}/{part}", body)[0] for method, part, body in WRITES}
    wanted = dict.fromkeys(got, 200) | {
        ("POST", "comments"): 201,
        ("POST", "reports"): 201,
        ("PATCH", "comments/1000"): 403,
        ("DELETE", "comments/1000"): 403,
        ("PUT", "comments/1000/hidden"): 200 if role == "moderator" else 403,
    }
    assert got == wanted


def test_a_token_needs_the_scope_and_a_visitor_an_account(developer: Person, scientist: Person) -> None:
    put_comment(developer)
    reading = Caller(scientist, "read")
    assert reading.send("GET", f"{HERE}/feedback")[0] == 200
    assert Client().get(f"{HERE}/comments").json()["items"][0]["text"] == "Mine."
    assert Client().get("/api/v1/bookmarks").status_code == 401
    for method, part, body in WRITES:
        assert reading.send(method, f"{HERE}/{part}", body)[0] == 403, part
        sent = Client().generic(method, f"{HERE}/{part}", json.dumps(body), content_type="application/json")
        assert sent.status_code == 401, part
    assert Comment.objects.get().text == "Mine."
    assert not Report.objects.exists()


def test_what_one_cannot_see_answers_as_what_is_not_there(developer: Person, scientist: Person) -> None:
    put_comment(developer)
    DatalabVersion.objects.update(visibility="private")
    program = Caller(scientist)
    reads = [("GET", "feedback", None), ("GET", "comments", None), ("GET", "comments?answers_to=1000", None)]
    for method, part, body in [*WRITES, *reads]:
        hidden = program.send(method, f"{HERE}/{part}", body)
        nothing = program.send(method, f"/api/v1/datalabs/nothing/{part}", body)
        assert hidden[0] == nothing[0] == 404, part
        assert json.dumps(hidden[1]).replace("spectra", "nothing") == json.dumps(nothing[1])


@pytest.mark.usefixtures("developer")
@pytest.mark.parametrize(
    ("method", "part", "body"),
    [
        ("PUT", "rating", {"stars": 0}),
        ("PUT", "rating", {"stars": 2.5}),
        ("PUT", "rating", {}),
        ("POST", "comments", {"text": " "}),
        ("POST", "comments", {"text": "x" * 4001}),
        ("POST", "comments", {"text": "x" * 1_000_000}),
        ("POST", "comments", {"text": "x", "answers": NO_ID}),
        ("POST", "reports", {"reason": "because"}),
        ("POST", "reports", {"reason": "other"}),
        ("GET", "comments?offset=-1", None),
        ("GET", "comments?limit=100000", None),
        ("GET", f"comments?offset={NO_ID}", None),
    ],
)
def test_what_makes_no_sense_is_refused(scientist: Person, method: str, part: str, body: dict[str, Any] | None) -> None:
    status, problem = Caller(scientist).send(method, f"{HERE}/{part}", body)
    assert status == 422
    assert problem["title"]


@pytest.mark.usefixtures("developer")
def test_what_is_not_there_is_not_found(scientist: Person) -> None:
    program = Caller(scientist)
    for number in (7, NO_ID):
        assert program.send("PATCH", f"{HERE}/comments/{number}", {"text": "x"})[0] == 404
        assert (
            Caller(make_person(f"m{number}"[:9], "moderator"), "review").send(
                "PUT", f"{REPORTS}/{number}", {"outcome": "done", "note": "x"}
            )[0]
            == 404
        )
    assert program.send("POST", f"{HERE}/comments", {"text": "x", "answers": 7})[0] == 404
    assert program.send("GET", f"{HERE}/comments?offset={2**63 - 1}") == (200, {"count": 0, "items": []})
    assert program.send("POST", f"{HERE}/reports", {"reason": "unwanted", "comment": 7})[0] == 404


def test_a_hidden_comment_is_read_by_its_author_and_moderators_alone(developer: Person, scientist: Person) -> None:
    comment = actions.comment(by=scientist, slug="spectra", text="Buy stars.")
    moderator = Caller(make_person("mona", "moderator"))
    address = f"{HERE}/comments/{comment.pk}/hidden"
    assert moderator.send("PUT", address, {"hidden": True})[0] == 422  # without a reason
    assert moderator.send("PUT", address, {"reason": "Advertising."})[1]["hidden"]
    for reader, said in ((scientist, ("Buy stars.", "Advertising.")), (developer, ("", ""))):
        one = Caller(reader).send("GET", f"{HERE}/comments")[1]["items"][0]
        assert (one["text"], one["hidden_reason"], one["hidden"]) == (*said, True)
    assert "Buy stars." not in Client().get(f"{HERE}/comments").content.decode()
    assert not moderator.send("PUT", address, {"hidden": False})[1]["hidden"]
