"""A scientist's first session, in a real browser on a whole platform, from the sign-in to the result that stays."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.client import Client
from support.lab import run_all
from support.platform import Platform

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE = 90_000
"""Milliseconds that a session or JupyterLab's page may take."""


@pytest.fixture
def page(chromium: Browser, platform: Platform) -> Iterator[Page]:
    """Give a visitor's page on the portal."""
    context = chromium.new_context(base_url=platform.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


def sign_in(page: Page, name: str) -> None:
    """Sign in by one click as a demo person."""
    page.goto("/")
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("link", name="Sessions").first).to_be_visible()


def launch(page: Page, title: str) -> str:
    """Find the datalab in the catalogue, launch it by its form, wait until it runs, and return the session's id."""
    page.goto("/catalogue/")
    page.get_by_label("Search").fill(title.split(maxsplit=1)[0])
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=title).first.click()
    page.get_by_role("link", name="Launch").or_(page.get_by_role("button", name="Launch")).first.click()
    if "/launch" in page.url:
        page.get_by_role("button", name="Launch").click()
    page.wait_for_url(re.compile(r"/sessions/[a-z0-9]{12}$"))
    expect(page.get_by_role("link", name="Open in a new tab")).to_be_enabled(timeout=PATIENCE)
    return page.url.rsplit("/", 1)[1]


def open_session(page: Page) -> Page:
    """Open the session in its own tab."""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open in a new tab").click()
    tab = opened.value
    tab.set_default_timeout(PATIENCE)
    return tab


def stop(page: Page) -> None:
    """Stop the session from its page, with the confirmation that it asks for."""
    page.bring_to_front()
    page.get_by_role("button", name="Stop").first.click()
    confirm = page.get_by_role("dialog").get_by_role("button", name=re.compile("stop", re.IGNORECASE))
    if confirm.count():
        confirm.first.click()
    expect(page.get_by_text("stopped", exact=True).first).to_be_visible(timeout=PATIENCE)


def test_from_sign_in_to_a_result_that_stays(page: Page, platform: Platform) -> None:
    sign_in(page, "Cecilia (demo scientist)")
    session = launch(page, "JupyterLab")
    lab = open_session(page)
    lab.wait_for_selector("#jp-main-dock-panel")
    assert f"//{session}.localhost:" in lab.url
    assert "code=" not in lab.url
    lab.goto(
        f"http://{session}.localhost:{platform.port}/datalabs/{session}/lab/tree/data/hipparcos/Example_Notebooks/hyades-distance.ipynb"
    )
    run_all(lab, "104 members", patience=PATIENCE)
    client = Client(platform, "demo-cecilia")
    lab.wait_for_function(
        "() => ![...document.querySelectorAll('.jp-InputPrompt')].some(one => one.textContent.includes('*'))"
    )
    lab.close()
    stop(page)
    found = client.api("GET", "/workspace/files/hyades-distance.json").raise_for_status().json()
    assert abs(found["answer"] - 46.45) < 0.5


def test_a_web_application_that_knows_nothing_of_the_platform(page: Page) -> None:
    sign_in(page, "Cecilia (demo scientist)")
    launch(page, "Sky Explorer")
    sky = open_session(page)
    expect(sky.get_by_role("heading", name="Sky Explorer")).to_be_visible()
    expect(sky.get_by_text(re.compile(r"[\d,]+ stars"))).to_be_visible()
    sky.close()
    stop(page)
    page.goto("/sessions")
    expect(page.get_by_role("button", name="Launch again").first).to_be_visible()


def test_signing_out_closes_the_way_into_the_session(page: Page, platform: Platform) -> None:
    sign_in(page, "Cecilia (demo scientist)")
    session = launch(page, "Sky Explorer")
    sky = open_session(page)
    expect(sky.get_by_role("heading", name="Sky Explorer")).to_be_visible()
    page.bring_to_front()
    page.locator("summary", has_text="Cecilia").click()
    page.get_by_role("button", name="Sign out").first.click()
    sky.wait_for_timeout(2500)
    sky.goto(f"http://{session}.localhost:{platform.port}/")
    expect(sky.get_by_role("heading", name="Sign in")).to_be_visible()
    Client(platform, "demo-cecilia").stop(session)
