"""A database that can't be written, or does not answer, is told as that, by pages and by the API."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import DataError, OperationalError
from django.test import Client
from django.urls import reverse

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.sessions import actions, queries
from support.people import make_person


@pytest.mark.parametrize(
    ("error", "said"),
    [("database or disk is full", "disk is full"), ("connection refused", "The database does not answer")],
)
def test_a_write_that_the_database_refuses_is_explained(
    error: str, said: str, scientist: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_arguments: object) -> NoReturn:
        raise OperationalError(error)

    monkeypatch.setattr(actions, "launch", refuse)
    monkeypatch.setattr(accounts, "revoke_token", refuse)
    client = Client()
    client.force_login(scientist)
    wanted = {"datalab": "jupyterlab", "profile": "small", "volumes": [], "teams": []}
    answer = client.post("/api/v1/sessions", wanted, content_type="application/json")
    assert answer.status_code == 503
    assert said in answer.json()["detail"]
    assert error in caplog.text
    page = client.post(reverse("accounts:revoke-token", args=[1]))
    assert page.status_code == 503
    assert said in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/api/v1/builds/again", {"datalab": "jupyterlab", "version": "\ud800"}),
        ("/api/v1/builds/derive", {"datalab": "\udfff", "title": "Mine", "short_name": "mine"}),
    ],
)
def test_half_a_character_is_refused(client: Client, address: str, body: dict[str, str]) -> None:
    client.force_login(make_person("dora", "developer"))
    answer = client.post(address, body, content_type="application/json")
    assert (answer.status_code, answer.json()["detail"]) == (422, "A text holds a character that can't be kept.")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("PostgreSQL text fields cannot contain NUL (0x00) bytes"),
        DataError("unsupported Unicode escape sequence\nDETAIL:  \\u0000 cannot be converted to text."),
    ],
    ids=["text", "json"],
)
def test_a_zero_byte_that_only_the_database_refuses_is_told(
    error: Exception, client: Client, scientist: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> NoReturn:
        raise error

    monkeypatch.setattr(queries, "find_seen", refuse)
    client.force_login(scientist)
    answers = [client.get("/api/v1/sessions/abc"), client.get("/sessions/abc")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("can&#x27;t be kept" in (text := one.content.decode()) or "can't be kept" in text for one in answers)
