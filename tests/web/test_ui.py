"""The frame around every page: appearance, mishaps, the front page, the policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client, RequestFactory

import spacelab
from spacelab.accounts.models import Person
from spacelab.ui import views
from spacelab.ui.templatetags.ui import initials, markdown
from support.datalabs import make_datalab

PORTAL = [path for path in Path(spacelab.__file__).parent.glob("*/templates/**/*.html") if path.name != "standing.html"]
"""The pages of the portal; `standing.html` is shown at a session's origin, under a policy of its own."""


def test_the_chosen_appearance_is_kept(client: Client, db: None) -> None:
    answer = client.post("/theme", {"theme": "dark", "next": "/catalogue/?q=x"})
    assert answer["Location"] == "/catalogue/?q=x"
    assert 'data-theme="dark"' in client.get("/catalogue/").content.decode()
    client.post("/theme", {"theme": '"><script>', "next": "/"})
    assert "data-theme" not in client.get("/catalogue/").content.decode()


@pytest.mark.parametrize("back", ["https://example.org/", "//example.org", "javascript:alert(1)"])
def test_the_way_back_stays_here(client: Client, back: str) -> None:
    assert client.post("/theme", {"theme": "dark", "next": back})["Location"] == "/"


def test_a_visitor_gets_the_landing_page_and_a_person_her_start_page(client: Client, scientist: Person) -> None:
    make_datalab("euclid-lab")
    landing = client.get("/").content.decode()
    assert "Bring your questions to the data" in landing
    assert "/catalogue/euclid-lab/" in landing
    client.force_login(scientist)
    start = client.get("/").content.decode()
    assert "Welcome, Ada" in start
    assert "A place to begin" in start


def test_an_unknown_address_gets_a_page_or_a_problem(client: Client, db: None) -> None:
    page = client.get("/no-such-thing")
    assert page.status_code == 404
    assert "nothing at this address" in page.content.decode()
    problem = client.get("/api/v1/no-such-thing")
    assert problem.status_code == 404
    assert problem["Content-Type"] == "application/problem+json"


def test_the_page_for_our_own_mistakes_needs_no_database(rf: RequestFactory) -> None:
    answer = views.server_error(rf.get("/x"))
    assert answer.status_code == 500
    assert "broke on our side" in answer.content.decode()


def test_an_expired_form_says_what_to_do(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/theme", {"theme": "dark"})
    assert answer.status_code == 403
    assert "This form has expired" in answer.content.decode()


def test_the_styleguide_is_for_debugging(client: Client, db: None) -> None:
    assert client.get("/styleguide").status_code == 404


def test_every_answer_has_a_strict_policy(client: Client, db: None) -> None:
    policy = client.get("/catalogue/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize("template", sorted(PORTAL), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_templates_hold_no_inline_style_or_script(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r'\sstyle="|\son[a-z]+="|<style|<script(?![^>]*\bsrc=)|href="javascript:', text)


def test_markdown_is_safe() -> None:
    html = markdown("<b>x</b> [a](javascript:alert(1)) ![i](http://x/y.png) **ok**")
    assert "<b>" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html
    assert "<strong>ok</strong>" in html


@pytest.mark.parametrize(("name", "short"), [("Ada Lovelace", "AL"), ("ada", "A"), ("", "?"), ("李 四", "李四")])
def test_initials(name: str, short: str) -> None:
    assert initials(name) == short
