"""A scientist's first run, in a real browser on a whole platform: launch, watch the steps, find the output."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.live_runs import GATHER, put, texts
from support.platform import Platform

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE = 60_000
PIPELINE = "gather-by-hand"


@pytest.fixture
def page(chromium: Browser, platform: Platform) -> Iterator[Page]:
    """Give the demo scientist's page on the portal."""
    put(platform, PIPELINE, GATHER)
    context = chromium.new_context(base_url=platform.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto("/")
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_role("button", name="Dana (demo scientist)").click()
    expect(page.get_by_role("link", name="Runs").first).to_be_visible()
    yield page
    context.close()


def test_a_folder_is_scattered_watched_and_its_output_found(page: Page, platform: Platform) -> None:
    page.goto(f"/pipelines/{PIPELINE}/launch")  # makes her workspace
    texts(platform, "by-hand", 6)
    page.get_by_role("button", name=re.compile("^Browse")).first.click()
    page.get_by_role("button", name=re.compile("Your workspace")).click()
    page.get_by_role("button", name=re.compile("^Choose by-hand")).click()
    expect(page.get_by_label("texts").first).to_have_value("/media/user/by-hand")
    page.get_by_label(re.compile("^seconds")).first.fill("0.4")
    page.get_by_role("button", name="Launch").last.click()
    page.wait_for_url(re.compile(r"/runs/[a-z0-9]{12}/"))
    expect(page.get_by_text(re.compile(r"[1-5] of 6")).first).to_be_visible(timeout=PATIENCE)  # without a reload
    expect(page.locator("#run-state").get_by_text("succeeded")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#run-outputs").get_by_text("gathered.txt").first).to_be_visible(timeout=PATIENCE)
    run = page.url.partition("/runs/")[2][:12]
    found = page.request.get(f"/api/v1/workspace/files/results/{PIPELINE}-{run}/gathered.txt")
    assert found.text().split() == ["1", "2", "3", "4", "5", "6"]
    page.goto("/runs/")
    card = page.locator(f"#run-{run}")
    expect(card.get_by_text("succeeded").first).to_be_visible()
    expect(card.get_by_text("6 of 6 done")).to_be_visible()
