"""News in a real browser: the bell follows by itself, the list and the choices work without a mouse or scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from spacelab.accounts.models import Person
from spacelab.notifications import queries
from spacelab.notifications.actions import tell
from spacelab.notifications.rules import Kind

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONGEST_WAIT = 40_000
"""Milliseconds; the bell asks every twenty seconds."""


def signed_in(person: Person, live_server: LiveServer) -> list[dict[str, str]]:
    client = Client()
    client.force_login(person)
    return [{"name": "spacelab", "value": client.cookies["spacelab"].value, "url": live_server.url}]


def check(page: Page) -> None:
    """Have axe look at the page, and see that nothing sticks out."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 360)])
def test_from_the_bell_to_what_is_new(
    chromium: Browser, live_server: LiveServer, scientist: Person, scheme: str, width: int
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    context.add_cookies(signed_in(scientist, live_server))  # type: ignore[arg-type]  # a dict of the same keys
    page = context.new_page()
    page.goto(f"{live_server.url}/teams/")
    tell(people=[scientist], kind=Kind.ANSWER, title="Olga answered", text="word" * 200, url="/account/", subject="a")
    tell(people=[scientist], kind=Kind.COMMENT, title="\u0634\u0645\u0633" * 30, subject="b")
    bell = page.get_by_role("link", name="Notifications: 2 unread")
    expect(bell).to_be_visible(timeout=LONGEST_WAIT)
    check(page)
    bell.click()
    expect(page.get_by_role("heading", name="Olga answered")).to_be_visible()
    check(page)
    page.get_by_role("link", name="Olga answered").click()
    expect(page.get_by_role("heading", name="Your profile")).to_be_visible()
    expect(page.get_by_role("link", name="Notifications: 1 unread")).to_be_visible()
    page.goto(f"{live_server.url}/account/notifications/")
    page.get_by_role("button", name="Make a feed").click()
    expect(page.get_by_text("it is shown this one time")).to_be_visible()
    check(page)
    context.close()


def test_without_scripts(chromium: Browser, live_server: LiveServer, scientist: Person) -> None:
    tell(people=[scientist], kind=Kind.ANSWER, title="Olga answered", url="/account/", subject="a")
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies(signed_in(scientist, live_server))  # type: ignore[arg-type]  # a dict of the same keys
    page = context.new_page()
    page.goto(f"{live_server.url}/notifications/")
    page.get_by_role("button", name="Mark all as read").click()
    assert queries.unread_count(scientist) == 0
    page.goto(f"{live_server.url}/account/notifications/")
    page.get_by_label("Answer: mail").select_option("never")
    page.get_by_label("Answer: bell").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your choices are saved.")).to_be_visible()
    chosen = queries.choices_of(scientist)[Kind.ANSWER]
    assert (chosen.bell, str(chosen.mail)) == (False, "never")
    context.close()
