"""A developer brings one notebook: she sees the plan, watches the build, launches it, and her cell runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from support.browsing import browsing, sign_in
from support.chromium import LONG_PATIENCE
from support.client import Client
from support.lab import run_all
from support.packages import notebook
from support.platform import Platform
from support.session_pages import open_session, session_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELL = "import humanize\nprint(humanize.intword(123_456_789), 'stars')"


@pytest.fixture
def page(chromium: Browser, platform: Platform) -> Iterator[Page]:
    """Give the portal's page to a developer who is signed in."""
    with browsing(chromium, platform.url) as page:
        sign_in(page, "demo developer")
        yield page


def plan(page: Page, name: str, content: str) -> None:
    """Choose a file, as by the browser's own dialog, and go on to its plan."""
    page.wait_for_load_state("load")
    file: FilePayload = {"name": name, "mimeType": "application/x-ipynb+json", "buffer": content.encode()}
    page.get_by_label("Notebook, files or a zip").set_input_files([file])
    expect(page.get_by_role("status").get_by_text("1 file")).to_be_visible()
    page.get_by_role("button", name="See the plan").click()
    page.wait_for_url(re.compile(r"/builds/[a-z0-9]{12}$"))


def bring(page: Page, name: str, content: str) -> None:
    """Choose a file on the page and look at its plan."""
    page.get_by_role("link", name="Bring your application").first.click()
    expect(page.get_by_role("heading", name="Bring your application")).to_be_visible()
    plan(page, name, content)


def test_from_one_notebook_to_its_running_cell(page: Page, platform: Platform) -> None:
    bring(page, "nearby-stars.ipynb", notebook(CELL))
    expect(page.get_by_role("heading", name="Nearby stars")).to_be_visible()
    expect(page.get_by_label(re.compile("humanize: nearby-stars.ipynb"))).to_be_checked()
    expect(page.get_by_label("Abstract")).to_have_value("Where nearby stars move.")
    page.get_by_role("button", name="Build").click()

    steps = page.locator("#build-steps")
    expect(steps.get_by_text("Fetching and installing packages")).to_be_visible(timeout=LONG_PATIENCE)
    expect(page.get_by_text("It can be launched.")).to_be_visible(timeout=LONG_PATIENCE)
    expect(page.get_by_role("log")).to_contain_text("humanize==")
    expect(page.get_by_text(re.compile(r"From start to end \d+\.\d s"))).to_be_visible()

    page.get_by_role("link", name="Launch", exact=True).click()
    page.wait_for_url("**/launch?version=*")
    page.get_by_role("button", name="Launch", exact=True).click()
    session = session_of(page)
    lab = open_session(page)
    run_all(lab, "123.5 million stars", patience=LONG_PATIENCE)
    lab.close()
    Client(platform, "demo-developer").stop(session)


def test_a_failed_build_says_what_to_change_and_is_built_again(page: Page) -> None:
    bring(page, "wrong.ipynb", notebook("1 + 1"))
    page.get_by_label("More Python packages").fill("no-such-package-of-ours==7")
    page.get_by_role("button", name="Build").click()
    why = page.get_by_label("Why it failed")
    expect(why).to_contain_text("no-such-package-of-ours", timeout=LONG_PATIENCE)
    expect(why).to_contain_text("What to try:")
    page.get_by_role("link", name="Change files and build again").click()
    expect(page.get_by_role("heading", name="Change files and build again")).to_be_visible()
    plan(page, "wrong.ipynb", notebook("2 + 2"))
    expect(page.get_by_label("More Python packages")).to_have_value("no-such-package-of-ours==7")
    page.get_by_label("More Python packages").fill("")
    page.get_by_role("button", name="Build").click()
    expect(page.get_by_text("It can be launched.")).to_be_visible(timeout=LONG_PATIENCE)
    expect(page.get_by_role("heading", name="Nearby stars")).to_be_visible()
