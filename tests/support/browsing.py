"""Pages of a browser in which somebody is signed in, and where nothing may break."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from spacelab.accounts.models import Person
from support.chromium import PATIENCE


def let_in(context: BrowserContext, address: str, person: Person) -> None:
    """Have a browser be signed in as somebody at an address."""
    client = Client()
    client.force_login(person)
    context.add_cookies([{"name": "spacelab", "value": client.cookies["spacelab"].value, "url": address}])


def complaints_of(page: Page) -> list[str]:
    """Collect from now on what breaks on a page: errors of scripts, and what its security policy refuses."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if "Content Security" in said.text else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@contextmanager
def browsing(chromium: Browser, address: str, person: Person | None = None, **options: Any) -> Iterator[Page]:
    """Give a page at an address, of somebody who is signed in there; the options are those of a browser's context."""
    context = chromium.new_context(**{"base_url": address, "viewport": {"width": 1440, "height": 900}, **options})
    if person:
        let_in(context, address, person)
    page = context.new_page()
    complaints = complaints_of(page)
    try:
        yield page
    finally:
        context.close()
    assert complaints == []


def sign_in(page: Page, name: str) -> None:
    """Sign in by one click as the demo person whose button has this in its name; the page is the start page then."""
    page.goto("/sign-in/")
    page.get_by_role("button", name=name).first.click()
    expect(page.locator(".masthead").get_by_role("button", name="Sign out", include_hidden=True)).to_be_attached()
    page.wait_for_load_state("load")


def until(page: Page, true: Callable[[], bool], milliseconds: float = PATIENCE) -> None:
    """Wait until something holds that pages can't be asked to wait for."""
    end = time.monotonic() + milliseconds / 1000
    while not true():
        assert time.monotonic() < end, "it never came true"
        page.wait_for_timeout(50)
