"""The form for metadata in a real browser: keywords picked by keyboard, errors found, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from spacelab.audit.actions import System
from spacelab.publishing import actions, queries
from support.axe import at_rest, check, shaped
from support.browsing import let_in
from support.people import make_person
from support.thesaurus import write_thesaurus

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def thesaurus(tmp_path: Path, transactional_db: None) -> Iterator[None]:
    actions.load_thesaurus(by=System("test"), file=write_thesaurus(tmp_path))
    yield
    queries.thesaurus_file().unlink()


def opened(browser: Browser, server: LiveServer, **options: object) -> tuple[BrowserContext, Page]:
    context = browser.new_context(**options)  # type: ignore[arg-type]  # Playwright's own options
    let_in(context, server.url, make_person("ada", "developer"))
    page = context.new_page()
    page.goto(f"{server.url}/try/terms")
    return context, page


@pytest.fixture
def server(settings: Any, live_server: LiveServer) -> LiveServer:
    settings.ROOT_URLCONF = "support.terms_app"
    settings.ALLOWED_HOSTS = ["*"]
    return live_server


def test_keywords_are_picked_from_the_thesaurus_by_keyboard(chromium: Browser, server: LiveServer) -> None:
    context, page = opened(chromium, server)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.locator("summary", has_text="Recommended").click()
    field = page.get_by_label("Keywords", exact=False).first
    field.fill("dust, ")
    with page.expect_response(lambda answer: "islan" in answer.url):
        field.press_sequentially("islan")
    at_rest(page)
    suggestion = page.get_by_role("button", name="Galaxies (Island universes)")
    expect(suggestion).to_be_visible()
    field.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#id_keywords")).to_have_value("dust, Galaxies, ")
    expect(page.locator("#id_keywords")).to_be_focused()
    page.keyboard.type("clus")
    expect(page.locator("#id_keywords")).to_have_value("dust, Galaxies, clus")
    page.get_by_role("button", name="Galaxy clusters").click()
    expect(page.locator("#id_keywords")).to_have_value("dust, Galaxies, Galaxy clusters, ")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dd .chip", has_text="Galaxies").last).to_be_visible()
    assert not problems
    context.close()


def test_without_scripts_keywords_are_words_with_commas(chromium: Browser, server: LiveServer) -> None:
    context, page = opened(chromium, server, java_script_enabled=False)
    page.locator("summary", has_text="Recommended").click()
    page.locator("#id_keywords").fill("dust, Galaxies")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dd .chip", has_text="dust")).to_be_visible()
    context.close()


def test_the_form_is_usable_by_everybody(chromium: Browser, server: LiveServer) -> None:
    context, page = opened(chromium, server)
    page.locator("#id_title").fill("")
    page.locator("summary", has_text="Optional").click()
    page.locator('[name="doi.notation"]').fill("no doi")
    page.locator("summary", has_text="Recommended").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is no DOI")).to_be_visible()
    page.locator("summary", has_text="Recommended").click()
    page.locator("#id_keywords").fill("gal")
    page.locator("#id_keywords").press_sequentially("a")
    expect(page.get_by_role("button", name="Galaxy clusters")).to_be_visible()
    for width, scheme in product((1280, 360), ("light", "dark")):
        shape = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        shaped(page, shape)
        check(page, shape)
    context.close()
