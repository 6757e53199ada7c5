"""Closing JupyterLab's tab loses nothing: the kernel goes on, and what it printed meanwhile is in the notebook."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.browsing import sign_in, until
from support.chromium import LONG_PATIENCE
from support.client import Client, Kernel
from support.lab import run_all
from support.live_runs import workspace_of
from support.platform import Platform

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LINES = 12
GO = "/media/user/go-on"
CODE = f"""import os, time
print('kernel', os.getpid())
for n in range({LINES}):
    print('line', n)
    while n == 1 and not os.path.exists('{GO}'):
        time.sleep(0.1)
"""
"""Prints two lines, and the others once a file is there: while no tab is open."""


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
    sign_in(page, "Johannes (demo scientist)")
    page.goto(f"/sessions/{session}/open")
    expect(page.locator("#jp-main-dock-panel")).to_be_visible(timeout=LONG_PATIENCE)
    page.close()
    yield context
    context.close()


def open_notebook(context: BrowserContext, platform: Platform, session: str) -> Page:
    """Open the notebook in a tab of its own."""
    page = context.new_page()
    page.goto(f"http://{session}.localhost:{platform.port}/datalabs/{session}/lab/tree/media/user/long.ipynb")
    expect(page.locator(".jp-Notebook")).to_be_visible(timeout=LONG_PATIENCE)
    return page


def test_output_printed_while_no_tab_was_open_is_there(
    context: BrowserContext, platform: Platform, client: Client, session: str
) -> None:
    def kernels() -> list[tuple[str, str]]:
        answer = client.inside(session, "GET", f"/datalabs/{session}/api/kernels").raise_for_status().json()
        return [(one["id"], one["execution_state"]) for one in answer]

    page = open_notebook(context, platform, session)
    run_all(page, "line 1", patience=LONG_PATIENCE)
    first = page.locator(".jp-OutputArea-output").first.inner_text().splitlines()[0]
    before = [one for one, _ in kernels()]
    assert "busy" in [state for _, state in kernels()]
    page.close()
    (workspace_of(platform, "demo-johannes") / GO.rpartition("/")[2]).touch()
    portal = context.new_page()
    until(portal, lambda: {state for _, state in kernels()} == {"idle"})
    page = open_notebook(context, platform, session)
    expect(page.locator(".jp-OutputArea-output").first).to_contain_text(f"line {LINES - 1}")
    text = page.locator(".jp-OutputArea").first.inner_text()
    assert [f"line {n}" in text for n in range(LINES)] == [True] * LINES
    assert first in text
    assert [one for one, _ in kernels()] == before
