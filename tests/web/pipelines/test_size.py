"""The pages of the catalogue of pipelines make the same few queries, however many there are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from support.people import make_person
from support.pipelines import USING, make_pipeline, make_step

pytestmark = pytest.mark.django_db
MOST = 12
PAGES = [
    "/pipelines/",
    "/pipelines/steps/",
    "/pipelines/?q=flow&tag=stars&author=author&sort=popularity&since=2020-01-01",
    "/pipelines/flow-1/",
    "/pipelines/say/",
    "/api/v1/pipelines?q=flow",
    "/ga4gh/trs/v2/tools?limit=24",
]


@pytest.mark.parametrize("role", ["", "scientist", "moderator"])
def test_the_size_of_the_catalogue_costs_no_queries(role: str) -> None:
    client = Client()
    person = make_person("ada", role) if role else None
    if person:
        client.force_login(person)

    def asked() -> dict[str, int]:
        found = {}
        for path in PAGES:
            client.get(path)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            found[path] = len(captured)
        return found

    make_step("say", tags=["stars"])
    for number in range(3):
        make_pipeline(f"flow-{number}", tags=["stars"], files={"main.cwl": USING}, maintainer=person)
    few = asked()
    for number in range(3, 30):
        make_pipeline(f"flow-{number}", tags=["stars", f"tag-{number}"], files={"main.cwl": USING})
        make_step(f"step-{number}", tags=[f"tag-{number}"])
    assert asked() == few
    assert max(few.values()) <= MOST, few


def test_a_part_of_the_registry_is_read_and_no_more() -> None:
    for number in range(30):
        make_pipeline(f"flow-{number:02}")
    with CaptureQueriesContext(connection) as captured:
        answer = Client().get("/ga4gh/trs/v2/tools?limit=2&offset=4")
    assert [one["id"] for one in answer.json()] == ["flow-04", "flow-05"]
    assert answer["last_page"].endswith("offset=28")
    assert not any("flow-09" in str(query["sql"]) for query in captured)
    assert len(captured) <= 5
    assert [one["id"] for one in Client().get("/ga4gh/trs/v2/tools?id=flow-07").json()] == ["flow-07"]
    assert Client().get("/ga4gh/trs/v2/tools?limit=0").json() == []
