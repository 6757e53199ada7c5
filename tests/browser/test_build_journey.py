"""A developer brings one notebook: she sees the plan, watches the build, launches it, and her cell runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from support.client import Client
from support.lab import run_all
from support.packages import notebook
from support.platform import Platform

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE = 120_000
"""Milliseconds that a build, a session or JupyterLab's page may take."""
CELL = "import humanize\nprint(humanize.intword(123_456_789), 'stars')"


@pytest.fixture
def page(chromium: Browser, platform: Platform) -> Iterator[Page]:
    """Give the portal's page to a developer who is signed in."""
    context = chromium.new_context(base_url=platform.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto("/sign-in/")
    page.get_by_role("button", name="demo developer").click()
    yield page
    context.close()


def choose(page: Page, name: str, content: str) -> None:
    """Choose a file, as by the browser's own dialog."""
    file: FilePayload = {"name": name, "mimeType": "application/x-ipynb+json", "buffer": content.encode()}
    page.get_by_label("Notebook, files or a zip").set_input_files([file])


def bring(page: Page, name: str, content: str) -> None:
    """Choose a file on the page and look at its plan."""
    page.get_by_role("link", name="Bring your application").first.click()
    choose(page, name, content)
    expect(page.get_by_role("status").get_by_text("1 file")).to_be_visible()
    page.get_by_role("button", name="See the plan").click()
    page.wait_for_url(re.compile(r"/builds/[a-z0-9]{12}$"))


def test_from_one_notebook_to_its_running_cell(page: Page, platform: Platform) -> None:
    bring(page, "nearby-stars.ipynb", notebook(CELL))
    expect(page.get_by_role("heading", name="Nearby stars")).to_be_visible()
    expect(page.get_by_label(re.compile("humanize: nearby-stars.ipynb"))).to_be_checked()
    expect(page.get_by_label("Abstract")).to_have_value("Where nearby stars move.")
    page.get_by_role("button", name="Build").click()

    expect(page.locator("#build-steps").get_by_text("Fetching and installing packages")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("It can be launched.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("log")).to_contain_text("humanize==")
    expect(page.get_by_text(re.compile(r"From start to end \d+\.\d s"))).to_be_visible()

    page.get_by_role("link", name="Launch", exact=True).click()
    page.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url(re.compile(r"/sessions/[a-z0-9]{12}$"))
    session = page.url.rsplit("/", 1)[1]
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open in a new tab").click(timeout=PATIENCE)
    lab = opened.value
    lab.set_default_timeout(PATIENCE)
    run_all(lab, "123.5 million stars", patience=PATIENCE)
    lab.close()
    Client(platform, "demo-developer").stop(session)


def test_a_failed_build_says_what_to_change_and_is_built_again(page: Page) -> None:
    bring(page, "wrong.ipynb", notebook("1 + 1"))
    page.get_by_label("More Python packages").fill("no-such-package-of-ours==7")
    page.get_by_role("button", name="Build").click()
    why = page.get_by_label("Why it failed")
    expect(why).to_contain_text("no-such-package-of-ours", timeout=PATIENCE)
    expect(why).to_contain_text("What to try:")
    page.get_by_role("link", name="Change files and build again").click()
    choose(page, "wrong.ipynb", notebook("2 + 2"))
    page.get_by_role("button", name="See the plan").click()
    page.wait_for_url(re.compile(r"/builds/[a-z0-9]{12}$"))
    expect(page.get_by_label("More Python packages")).to_have_value("no-such-package-of-ours==7")
    page.get_by_label("More Python packages").fill("")
    page.get_by_role("button", name="Build").click()
    expect(page.get_by_text("It can be launched.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Nearby stars")).to_be_visible()
