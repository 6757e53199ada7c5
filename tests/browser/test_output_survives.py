"""Closing JupyterLab's tab loses nothing: the kernel goes on, and what it printed meanwhile is in the notebook."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.client import Client, Kernel
from support.platform import Platform

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LINES = 12
"""Lines that the cell prints, one a second: most of them while no tab is open."""

CODE = (
    f"import os, time\nprint('kernel', os.getpid())\nfor n in range({LINES}):\n    print('line', n)\n    time.sleep(1)"
)


@pytest.fixture
def client(platform: Platform) -> Client:
    return Client(platform, "demo-johannes")


@pytest.fixture
def session(client: Client) -> Iterator[str]:
    """Launch JupyterLab with a notebook in the workspace."""
    session = client.launch()
    cell: dict[str, object] = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "source": CODE}
    cell["execution_count"] = None
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    notebook = json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})
    Kernel(client, session).run(f"open('/media/user/long.ipynb', 'w').write({notebook!r})")
    yield session
    client.stop(session)


@pytest.fixture
def context(chromium: Browser, platform: Platform, session: str) -> Iterator[BrowserContext]:
    """Give a browser that is signed in and has entered the session."""
    context = chromium.new_context(base_url=platform.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto("/sign-in/")
    page.get_by_role("button", name="Johannes (demo scientist)").click()
    page.goto(f"/sessions/{session}/open")
    expect(page.locator("#jp-main-dock-panel")).to_be_visible(timeout=60_000)
    page.close()
    yield context
    context.close()


def open_notebook(context: BrowserContext, platform: Platform, session: str) -> Page:
    """Open the notebook in a tab of its own."""
    page = context.new_page()
    page.goto(f"http://{session}.localhost:{platform.port}/datalabs/{session}/lab/tree/media/user/long.ipynb")
    expect(page.locator(".jp-Notebook")).to_be_visible(timeout=60_000)
    return page


def test_output_printed_while_no_tab_was_open_is_there(
    context: BrowserContext, platform: Platform, client: Client, session: str
) -> None:
    def kernels() -> list[str]:
        return [one["id"] for one in client.inside(session, "GET", f"/datalabs/{session}/api/kernels").json()]

    page = open_notebook(context, platform, session)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", state="attached", timeout=60_000)
    prompt = page.locator(".jp-InputArea-prompt").first
    while prompt.inner_text() == "[ ]:":  # a page that is still busy with itself may miss a key
        page.locator(".jp-Notebook .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(3000)
    output = page.locator(".jp-OutputArea-output").first
    expect(output).to_contain_text("line 1", timeout=30_000)
    first = output.inner_text().splitlines()[0]
    before = kernels()
    page.close()
    time.sleep(LINES + 2)
    page = open_notebook(context, platform, session)
    expect(page.locator(".jp-OutputArea-output").first).to_contain_text(f"line {LINES - 1}", timeout=30_000)
    text = page.locator(".jp-OutputArea").first.inner_text()
    assert [f"line {n}" in text for n in range(LINES)] == [True] * LINES
    assert first in text
    assert kernels() == before
