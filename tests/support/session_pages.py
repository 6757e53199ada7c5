"""The page of a session, as people use it in a browser: it runs, it is opened in a tab of its own, it is stopped."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from support.chromium import LONG_PATIENCE

ADDRESS = re.compile(r"/sessions/([a-z0-9]{12})$")


def session_of(page: Page) -> str:
    """Wait until the browser has come to a session's page; return the session's id."""
    page.wait_for_url(ADDRESS)
    found = ADDRESS.search(page.url)
    assert found
    return found[1]


def open_session(page: Page) -> Page:
    """Wait until the session of the page runs, and open it in its own tab."""
    link = page.get_by_role("link", name="Open in a new tab")
    expect(link).to_be_visible(timeout=LONG_PATIENCE)
    with page.context.expect_page() as opened:
        link.click()
    return opened.value


def stop(page: Page) -> None:
    """Stop the session from its page, with the confirmation that it asks for, and wait until it has stopped."""
    page.bring_to_front()
    page.get_by_role("button", name="Stop").first.click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("stop", re.IGNORECASE)).first.click()
    expect(page.get_by_text("stopped", exact=True).first).to_be_visible(timeout=LONG_PATIENCE)
