"""A scientist's first session, in a real browser on a whole platform, from the sign-in to the result that stays."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browsing import browsing, sign_in, until
from support.chromium import LONG_PATIENCE
from support.client import Client
from support.lab import run_all
from support.platform import Platform
from support.session_pages import open_session, session_of, stop

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def page(chromium: Browser, platform: Platform) -> Iterator[Page]:
    """Give the scientist's page on the portal."""
    with browsing(chromium, platform.url) as page:
        page.goto("/")
        page.get_by_role("link", name="Sign in").first.click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        sign_in(page, "Cecilia (demo scientist)")
        yield page


def launch(page: Page, title: str) -> str:
    """Find the datalab in the catalogue, launch it by its form, wait until it runs, and return the session's id."""
    page.goto("/catalogue/")
    page.get_by_label("Search").fill(title.split(maxsplit=1)[0])
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**/catalogue/?q=*")
    page.get_by_role("main").get_by_role("link", name=title).first.click()
    page.get_by_role("link", name="Launch", exact=True).click()
    page.wait_for_url("**/launch")
    page.get_by_role("button", name="Launch").click()
    return session_of(page)


def test_from_sign_in_to_a_result_that_stays(page: Page, platform: Platform) -> None:
    session = launch(page, "JupyterLab")
    lab = open_session(page)
    lab.wait_for_selector("#jp-main-dock-panel", timeout=LONG_PATIENCE)
    assert f"//{session}.localhost:" in lab.url
    assert "code=" not in lab.url
    lab.goto(
        f"http://{session}.localhost:{platform.port}/datalabs/{session}/lab/tree/data/hipparcos/Example_Notebooks/hyades-distance.ipynb"
    )
    run_all(lab, "104 members", patience=LONG_PATIENCE)
    client = Client(platform, "demo-cecilia")
    lab.wait_for_function(
        "() => ![...document.querySelectorAll('.jp-InputPrompt')].some(one => one.textContent.includes('*'))"
    )
    lab.close()
    stop(page)
    found = client.api("GET", "/workspace/files/hyades-distance.json").raise_for_status().json()
    assert abs(found["answer"] - 46.45) < 0.5


def test_a_web_application_that_knows_nothing_of_the_platform(page: Page) -> None:
    launch(page, "Sky Explorer")
    sky = open_session(page)
    expect(sky.get_by_role("heading", name="Sky Explorer")).to_be_visible()
    expect(sky.get_by_text(re.compile(r"[\d,]+ stars"))).to_be_visible()
    sky.close()
    stop(page)
    page.goto("/sessions")
    expect(page.get_by_role("button", name="Launch again").first).to_be_visible()


def test_signing_out_closes_the_way_into_the_session(page: Page, platform: Platform) -> None:
    session = launch(page, "Sky Explorer")
    sky = open_session(page)
    expect(sky.get_by_role("heading", name="Sky Explorer")).to_be_visible()
    page.bring_to_front()
    page.locator("summary", has_text="Cecilia").click()
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()

    def asked_to_sign_in() -> bool:
        sky.goto(f"http://{session}.localhost:{platform.port}/")
        return sky.title().startswith("Sign in")

    until(sky, asked_to_sign_in)  # the edge may go by what it knows for two seconds
    Client(platform, "demo-cecilia").stop(session)
