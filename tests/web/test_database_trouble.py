"""A database that can't be written, or does not answer, is told as that, by pages and by the API."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.sessions import actions


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
