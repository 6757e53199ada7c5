"""JupyterLab in a container, in a real browser: from the launch form to a cell's output."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browsing import browsing, sign_in
from support.chromium import LONG_PATIENCE
from support.platform import Platform
from support.session_pages import open_session, session_of, stop

pytestmark = [pytest.mark.browser, pytest.mark.container, pytest.mark.long]

CELL = "import os; print('alone:', os.listdir('/sys/class/net'), os.getuid() > 0)"


@pytest.fixture
def page(chromium: Browser, container_platform: Platform) -> Iterator[Page]:
    """Give a scientist's page on the portal."""
    with browsing(chromium, container_platform.url) as page:
        sign_in(page, "Johannes (demo scientist)")
        yield page


def test_a_cell_runs_in_a_container(page: Page, container_platform: Platform) -> None:
    page.goto("/datalabs/jupyterlab/launch")
    expect(page.get_by_text("a container of its own")).to_be_visible()
    page.get_by_role("button", name="Launch").click()
    session = session_of(page)
    lab = open_session(page)
    lab.locator(".jp-LauncherCard", has_text="Python 3").first.click(timeout=LONG_PATIENCE)
    cell = lab.locator(".jp-CodeCell .cm-content").first
    cell.click()
    cell.press_sequentially(CELL)
    cell.press("Shift+Enter")
    expect(lab.get_by_text("alone: ['lo'] True")).to_be_visible(timeout=LONG_PATIENCE)
    lab.close()
    stop(page)
    assert session in page.url
