"""JupyterLab in a container, in a real browser: from the launch form to a cell's output."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.platform import Platform

pytestmark = [pytest.mark.browser, pytest.mark.container, pytest.mark.long]

PATIENCE = 90_000
"""Milliseconds that a session or JupyterLab's page may take."""

CELL = "import os; print('alone:', os.listdir('/sys/class/net'), os.getuid() > 0)"


@pytest.fixture
def page(chromium: Browser, container_platform: Platform) -> Iterator[Page]:
    """Give a scientist's page on the portal."""
    context = chromium.new_context(base_url=container_platform.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto("/sign-in")
    page.get_by_role("button", name="Johannes (demo scientist)").click()
    expect(page.get_by_role("link", name="Sessions").first).to_be_visible()
    yield page
    context.close()


def test_a_cell_runs_in_a_container(page: Page, container_platform: Platform) -> None:
    page.goto("/datalabs/jupyterlab/launch")
    expect(page.get_by_text("a container of its own")).to_be_visible()
    page.get_by_role("button", name="Launch").click()
    page.wait_for_url(re.compile(r"/sessions/[a-z0-9]{12}$"))
    expect(page.get_by_role("link", name="Open in a new tab")).to_be_enabled(timeout=PATIENCE)
    session = page.url.rsplit("/", 1)[1]
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open in a new tab").click()
    lab = opened.value
    lab.set_default_timeout(PATIENCE)
    lab.locator(".jp-LauncherCard", has_text="Python 3").first.click()
    cell = lab.locator(".jp-CodeCell .cm-content").first
    cell.click()
    cell.press_sequentially(CELL)
    cell.press("Shift+Enter")
    expect(lab.get_by_text("alone: ['lo'] True")).to_be_visible(timeout=PATIENCE)
    lab.close()
    page.bring_to_front()
    page.get_by_role("button", name="Stop").first.click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("stop", re.IGNORECASE)).first.click()
    expect(page.get_by_text("stopped", exact=True).first).to_be_visible(timeout=PATIENCE)
    assert session in page.url
