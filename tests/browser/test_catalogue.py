"""The catalogue in a browser: search as one types, and the same without JavaScript."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from support.datalabs import make_datalab

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_searching_keeps_the_focus_and_the_address(chromium: Browser, live_server: LiveServer, *, script: bool) -> None:
    make_datalab("gaia-lab", title="Gaia")
    make_datalab("euclid-lab", title="Euclid")
    context = chromium.new_context(java_script_enabled=script)
    page = context.new_page()
    page.goto(f"{live_server.url}/catalogue/")
    box = page.get_by_label("Search", exact=True)
    box.press_sequentially("gai")
    if not script:
        box.press("Enter")
    expect(page.get_by_role("link", name="Euclid")).to_have_count(0)
    expect(page.get_by_role("link", name="Gaia")).to_be_visible()
    expect(page).to_have_url(re.compile("q=gai(&|$)"))
    if script:
        expect(box).to_be_focused()
    context.close()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_more_filters_narrow_what_is_shown(chromium: Browser, live_server: LiveServer, *, script: bool) -> None:
    stars, _ = make_datalab("stars", title="Stars"), make_datalab("dust", title="Dust")
    version = stars.versions.get()
    version.opens = {"formats": ["fit"]}
    version.save()
    context = chromium.new_context(java_script_enabled=script)
    page = context.new_page()
    page.goto(f"{live_server.url}/catalogue/")
    page.get_by_text("More filters").click()
    page.get_by_label("Opens files of type").select_option("FITS (1)")
    if not script:
        page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="Dust")).to_have_count(0)
    expect(page.get_by_role("link", name="Stars")).to_be_visible()
    expect(page).to_have_url(re.compile("opens=fits(&|$)"))
    expect(page.get_by_label("Opens files of type")).to_have_value("fits")
    context.close()


def test_the_dark_look_is_chosen_by_keyboard_without_script(chromium: Browser, live_server: LiveServer) -> None:
    context = chromium.new_context(java_script_enabled=False, color_scheme="light")
    page = context.new_page()
    page.goto(f"{live_server.url}/catalogue/?q=x")
    page.locator("summary", has_text="Appearance").press("Enter")
    page.get_by_role("button", name="Dark").press("Enter")
    expect(page.locator("html[data-theme=dark]")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/catalogue/\?q=x$"))
    context.close()
