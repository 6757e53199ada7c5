"""The catalogue as a program reads it, without a token."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from support.datalabs import make_datalab

pytestmark = pytest.mark.django_db


def test_anybody_lists_what_is_published(client: Client) -> None:
    make_datalab("a", tags=["sun"])
    make_datalab("b")
    make_datalab("hidden", state="built")
    body = client.get("/api/v1/datalabs").json()
    assert (body["count"], [one["slug"] for one in body["items"]]) == (2, ["a", "b"])
    assert [one["slug"] for one in client.get("/api/v1/datalabs?tag=sun").json()["items"]] == ["a"]
    part = client.get("/api/v1/datalabs?limit=1&offset=1").json()
    assert (part["count"], [one["slug"] for one in part["items"]]) == (2, ["b"])


def test_one_datalab_shows_its_published_versions_newest_first(client: Client) -> None:
    datalab = make_datalab("a", version="1.0")
    newer = {"version": "1.1", "state": "published", "visibility": "everybody", "default_volumes": ["gaia"]}
    datalab.versions.create(**newer, published_at=timezone.now())
    datalab.versions.create(version="2.0", state="built")
    body = client.get("/api/v1/datalabs/a").json()
    assert [one["version"] for one in body["versions"]] == ["1.1", "1.0"]
    assert body["latest_version"] == "1.1"
    assert body["versions"][0]["default_volumes"] == ["gaia"]


def test_an_unknown_datalab_is_a_problem_document(client: Client) -> None:
    answer = client.get("/api/v1/datalabs/nothing")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert "nothing" in answer.json()["detail"]
