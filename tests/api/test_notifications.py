"""News by the API: list, read, choose; scopes and refusals."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.notifications import actions, queries
from spacelab.notifications.models import Notification
from spacelab.notifications.rules import Kind, Mail
from support.people import make_person

pytestmark = pytest.mark.django_db
HERE = "/api/v1/notifications"


@pytest.fixture
def client() -> Client:
    return Client(SERVER_NAME="localhost")


def bearer(person: Person, *scopes: str) -> dict[str, str]:
    _, secret = accounts.create_token(by=person, name="test", lifetime_days=1, scopes=scopes or ("account",))
    return {"Authorization": f"Bearer {secret}"}


def tell(person: Person, title: str) -> Notification:
    actions.tell(people=[person], kind=Kind.ANSWER, title=title, url="/catalogue/", subject=title)
    return Notification.objects.latest("pk")


def put(client: Client, body: Any, headers: dict[str, str]) -> Any:
    return client.put(f"{HERE}/choices", body, content_type="application/json", headers=headers)


def test_list_and_read(client: Client, scientist: Person) -> None:
    rows = [tell(scientist, f"News {number}") for number in range(3)]
    tell(make_person("bob"), "Of somebody else")
    headers = bearer(scientist)
    listed = client.get(HERE, headers=headers).json()
    assert listed["unread"] == 3
    assert [one["title"] for one in listed["news"]] == ["News 2", "News 1", "News 0"]
    assert listed["news"][0] | {"created_at": ""} == {
        "id": rows[2].pk,
        "kind": "answer",
        "title": "News 2",
        "text": "",
        "url": "/catalogue/",
        "subject": "News 2",
        "times": 1,
        "created_at": "",
        "read_at": None,
    }
    older = client.get(HERE, {"before": rows[2].pk, "limit": 1}, headers=headers).json()
    assert [one["title"] for one in older["news"]] == ["News 1"]
    read = client.post(f"{HERE}/{rows[1].pk}/read", headers=headers).json()
    assert read["read_at"] is not None
    assert client.post(f"{HERE}/{rows[1].pk}/read", headers=headers).json() == read
    unread = client.get(HERE, {"unread": "true"}, headers=headers).json()
    assert [one["title"] for one in unread["news"]] == ["News 2", "News 0"]
    assert client.post(f"{HERE}/read", headers=headers).json() == {"read": 2}
    assert queries.unread_count(scientist) == 0


def test_choose(client: Client, scientist: Person) -> None:
    headers = bearer(scientist)
    before = {one["kind"]: one for one in client.get(f"{HERE}/choices", headers=headers).json()}
    assert before["answer"]["mail"] == "soon"
    assert "access-request" not in before
    after = put(client, {"answer": {"bell": False, "mail": "daily", "feed": True}}, headers)
    assert after.status_code == 200
    now = {one["kind"]: one for one in after.json()}
    assert now.pop("answer") | {"bell": False, "mail": "daily"} == after.json()[list(before).index("answer")]
    before.pop("answer")
    assert now == before
    assert queries.choices_of(scientist)[Kind.ANSWER].mail is Mail.DAILY


@pytest.mark.parametrize(
    "body",
    [
        {"answer": {"bell": True, "mail": "hourly", "feed": True}},
        {"answer": {"bell": True}},
        {"gossip": {"bell": True, "mail": "never", "feed": True}},
        {"access-request": {"bell": True, "mail": "never", "feed": True}},
        [],
    ],
)
def test_choices_that_make_no_sense_are_refused(client: Client, scientist: Person, body: Any) -> None:
    before = queries.choices_of(scientist)
    answer = put(client, body, bearer(scientist))
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert queries.choices_of(scientist) == before


def test_who_may_not(client: Client, scientist: Person) -> None:
    one = tell(scientist, "News")
    assert client.get(HERE).status_code == 401
    assert client.post(f"{HERE}/read").status_code == 401
    reading = bearer(scientist, "read")
    assert client.get(HERE, headers=reading).status_code == 200
    assert client.post(f"{HERE}/read", headers=reading).status_code == 403
    assert put(client, {}, reading).status_code == 403
    other = bearer(make_person("bob", "operator"))
    assert client.post(f"{HERE}/{one.pk}/read", headers=other).status_code == 404
    assert client.get(HERE, headers=other).json() == {"unread": 0, "news": []}
    assert queries.unread_count(scientist) == 1


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1000}, {"before": "x"}, {"before": 2**70}])
def test_a_query_out_of_bounds_is_refused(client: Client, scientist: Person, query: dict[str, Any]) -> None:
    assert client.get(HERE, query, headers=bearer(scientist)).status_code == 422
