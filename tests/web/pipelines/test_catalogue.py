"""The catalogue of pipelines and steps: lists, filters, and the page of one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from spacelab.accounts.models import Person
from spacelab.pipelines import actions
from spacelab.pipelines.models import Pipeline, PipelineVersion
from spacelab.pipelines.rules import Kind
from support.people import make_person, signed_in
from support.pipelines import FILES, USING, WORKFLOW, make_pipeline, make_step

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12
BOMB = "".join(f"{b}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a}]\n" for a, b in pairwise("abcdefghijklm"))


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.content.decode()


def names_in(page: str) -> list[str]:
    return [part.split("/")[0] for part in page.split('<h2><a href="/pipelines/')[1:]]


@pytest.fixture
def ada() -> Person:
    return make_person("ada", "developer")


def test_tabs_hold_pipelines_and_steps_apart() -> None:
    make_pipeline("greet")
    make_step("say")
    assert names_in(text_of(Client(), "/pipelines/")) == ["greet"]
    assert names_in(text_of(Client(), "/pipelines/steps/")) == ["say"]


def test_a_visitor_finds_what_is_for_everybody_and_its_author_her_drafts_too(ada: Person) -> None:
    make_pipeline("open")
    make_pipeline("draft", state="built", maintainer=ada)
    make_pipeline("hidden", visibility="private", maintainer=ada)
    assert names_in(text_of(Client(), "/pipelines/")) == ["open"]
    assert set(names_in(text_of(signed_in(ada), "/pipelines/"))) == {"open", "draft", "hidden"}
    assert names_in(text_of(signed_in(make_person("bob")), "/pipelines/")) == ["open"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=galaxies", ["survey"]),
        ("q=GALAXIES+survey", ["survey"]),
        ("tag=Radio", ["radio"]),
        ("whose=system", ["radio", "survey"]),
        ("whose=own", ["mine"]),
        ("author=hubble", ["survey"]),
        ("since=2999-01-01", []),
        ("until=2000-01-01", []),
        ("since=nonsense&sort=nonsense&whose=nonsense", ["mine", "radio", "survey"]),
        ("q=nothing+at+all", []),
    ],
)
def test_filters_find(ada: Person, query: str, found: list[str]) -> None:
    make_pipeline("survey", abstract="Counts galaxies.", author="E. Hubble")
    make_pipeline("radio", tags=["Radio", "HI"])
    make_pipeline("mine", maintainer=ada)
    assert sorted(names_in(text_of(signed_in(ada), f"/pipelines/?{query}"))) == found


def test_the_last_modified_comes_first_and_other_orders_are_there() -> None:
    for slug in ("beta", "alpha", "gamma"):
        make_pipeline(slug)
    Pipeline.objects.get(slug="alpha").save()
    assert names_in(text_of(Client(), "/pipelines/"))[0] == "alpha"
    assert names_in(text_of(Client(), "/pipelines/?sort=name")) == ["alpha", "beta", "gamma"]


def test_many_entries_cost_no_more_queries_and_pages_hold_them(ada: Person) -> None:
    for number in range(120):
        make_pipeline(f"p{number}", tags=[f"t{number % 7}"], maintainer=ada if number % 3 else None)
    client = signed_in(make_person("bob"))
    text_of(client, "/pipelines/")
    with CaptureQueriesContext(connection) as asked:
        page = text_of(client, "/pipelines/?page=2&q=p&tag=t1")
    assert len(asked) <= MOST_QUERIES, [one["sql"][:100] for one in asked]
    with CaptureQueriesContext(connection) as asked:
        page = text_of(client, "/pipelines/?page=3")
    assert len(asked) <= MOST_QUERIES, [one["sql"][:100] for one in asked]
    assert len(names_in(page)) == 24


def test_the_page_of_one_shows_graph_ports_steps_and_text(ada: Person) -> None:
    make_step("say")
    made = actions.create(by=ada, slug="own", files={"main.cwl": USING})
    client = signed_in(ada)
    with CaptureQueriesContext(connection) as asked:
        page = text_of(client, "/pipelines/own/")
    assert made.state == "built"
    assert "<svg" in page
    assert 'href="#node-say"' in page
    assert 'href="/pipelines/say/?version=1.0"' in page
    assert "a comment that stays" in page
    assert len(asked) <= MOST_QUERIES + 4, [one["sql"][:100] for one in asked]


def test_missing_steps_are_marked_and_problems_stand_at_their_lines(ada: Person) -> None:
    made = actions.create(by=ada, slug="own", files={"main.cwl": USING})
    assert made.state == "build-failed"
    page = text_of(signed_in(ada), "/pipelines/own/")
    assert "Steps are missing." in page
    assert 'data-tone="missing"' in page
    assert 'data-problem="error"' in page
    assert "Launch</a>" not in page


def test_drafts_of_others_are_not_there(ada: Person) -> None:
    make_pipeline("secret", state="built", maintainer=ada)
    bob = signed_in(make_person("bob"))
    for address in ("", "1.0/files/main.cwl", "1.0/export/files", "1.0/author/files", "?version=1.0"):
        text_of(bob, f"/pipelines/secret/{address}", 404)


def test_a_hostile_document_is_shown_and_breaks_nothing(ada: Person) -> None:
    for number, text in enumerate(
        [
            "class: Workflow\nlabel: <script>alert(1)</script>\nsteps: {a: {run: '<img src=x onerror=alert(1)>'}}\n",
            "a: &a [x,x,x,x,x,x,x,x]\n"
            + "".join(f"{b}: &{b} [*{a},*{a},*{a},*{a},*{a}]\n" for a, b in pairwise("abcdefghij")),
            "{" * 5000,
            "class: Workflow\nsteps:\n  - run: main.cwl\n    id: loop\n    in: []\n    out: []\n",
            "",
            "[1, 2, 3]",
        ]
    ):
        actions.create(by=ada, slug=f"bad-{number}", files={"main.cwl": text})
        page = text_of(signed_in(ada), f"/pipelines/bad-{number}/")
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert not PipelineVersion.objects.filter(state="built").exists()


def test_everything_shipped_is_valid_and_its_page_opens() -> None:
    for kind in (Kind.STEP, Kind.PIPELINE):
        for folder in sorted(Path(settings.CATALOGUE_DIRECTORY, f"{kind}s").iterdir()):
            version = actions.install_folder(by=actions.SYSTEM, folder=folder, kind=kind)
            assert version.reading["errors"] == 0
            assert version.reading["warnings"] == 0, version.reading["told"]
            page = text_of(Client(), f"/pipelines/{version.pipeline.slug}/")
            assert "<svg" in page or kind is Kind.STEP


def test_a_file_is_sent_as_it_is_and_never_as_a_page(ada: Person) -> None:
    make_pipeline("greet", files={**FILES, "index.html": "<script>alert(1)</script>\r\n"})
    answer = Client().get("/pipelines/greet/1.0/files/index.html")
    assert answer.content == b"<script>alert(1)</script>\r\n"
    assert answer["Content-Type"].startswith("text/plain")
    assert "attachment" in answer["Content-Disposition"]
    assert "sandbox" in answer["Content-Security-Policy"]


def test_two_versions_are_compared_as_far_as_one_sees_them() -> None:
    dora = make_person("dora", "developer")
    make_pipeline("greet", version="1.0", state="superseded", maintainer=dora)
    make_pipeline("greet", version="2.0", files={**FILES, "main.cwl": WORKFLOW.replace("One step", "Just one")})
    make_pipeline("greet", version="3.0", state="built", files={**FILES, "secret.md": "x"})
    page = Client().get("/pipelines/greet/").content.decode()
    assert 'href="/pipelines/greet/compare?old=1.0&amp;new=2.0"' in page
    shown = Client().get("/pipelines/greet/compare?old=1.0&new=2.0").content.decode()
    assert "<code>label: Just one</code>" in shown
    assert "say.cwl" not in shown
    assert Client().get("/pipelines/greet/compare").content.decode().count("selected") == 2
    assert "The files are the same." in Client().get("/pipelines/greet/compare?old=2.0&new=2.0").content.decode()
    assert Client().get("/pipelines/greet/compare?old=1.0&new=3.0").status_code == 404
    assert "secret.md" in signed_in(dora).get("/pipelines/greet/compare?old=1.0&new=3.0").content.decode()
    assert Client().get("/pipelines/none/compare").status_code == 404


def test_what_is_wrong_stands_in_a_row_of_its_own() -> None:
    make_pipeline("greet", files={"main.cwl": USING})
    page = Client().get("/pipelines/greet/").content.decode()
    assert '<tr class="told" data-problem="error">' in page
