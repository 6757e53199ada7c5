"""News in a real browser: the bell follows by itself, the list and the choices work without a mouse or scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from spacelab.accounts.models import Person
from spacelab.notifications import queries
from spacelab.notifications.actions import tell
from spacelab.notifications.rules import Kind
from support.axe import check_by_day_and_night
from support.browsing import browsing

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BELL_PAUSE = 21_000
"""Milliseconds; the bell asks every twenty seconds."""


def test_from_the_bell_to_what_is_new(chromium: Browser, live_server: LiveServer, scientist: Person) -> None:
    with browsing(chromium, live_server.url, scientist) as page:
        page.clock.install()
        page.goto("/teams/")
        facts = {"text": "word" * 200, "url": "/account/"}
        tell(people=[scientist], kind=Kind.ANSWER, title="Olga answered", subject="a", **facts)
        tell(people=[scientist], kind=Kind.COMMENT, title="\u0634\u0645\u0633" * 30, subject="b")
        bell = page.get_by_role("link", name="Notifications: 2 unread")
        expect(bell).to_have_count(0)
        page.clock.fast_forward(BELL_PAUSE)
        expect(bell).to_be_visible()
        check_by_day_and_night(page, "bell")
        bell.click()
        expect(page.get_by_role("heading", name="Olga answered")).to_be_visible()
        check_by_day_and_night(page, "news")
        page.get_by_role("link", name="Olga answered").click()
        expect(page.get_by_role("heading", name="Your profile")).to_be_visible()
        expect(page.get_by_role("link", name="Notifications: 1 unread")).to_be_visible()
        page.goto("/account/notifications/")
        page.get_by_role("button", name="Make a feed").click()
        expect(page.get_by_text("it is shown this one time")).to_be_visible()
        check_by_day_and_night(page, "feed")


def test_without_scripts(chromium: Browser, live_server: LiveServer, scientist: Person) -> None:
    tell(people=[scientist], kind=Kind.ANSWER, title="Olga answered", url="/account/", subject="a")
    with browsing(chromium, live_server.url, scientist, java_script_enabled=False) as page:
        page.goto("/notifications/")
        expect(page.get_by_role("link", name="Notifications: 1 unread")).to_be_visible()
        page.get_by_role("button", name="Mark all as read").click()
        expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()
        assert queries.unread_count(scientist) == 0
        page.goto("/account/notifications/")
        page.get_by_label("Answer: mail").select_option("never")
        page.get_by_label("Answer: bell").uncheck()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Your choices are saved.")).to_be_visible()
        chosen = queries.choices_of(scientist)[Kind.ANSWER]
        assert (chosen.bell, str(chosen.mail)) == (False, "never")
