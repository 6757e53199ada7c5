"""Live parts: events replace what they name, focus stays, a lost line is taken up again, and forms ask first."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Route, expect

from support.browsing import until

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIVE = (
    '<section id="part" data-live="/events"><p id="phase">starting</p>'
    '<div id="tools"><button>Keep</button></div></section>'
    '<form action="/sent" data-confirm="Really?"><button>Stop it</button></form></main>'
)


def fragment(part: str, html: str) -> str:
    return f"event: fragment\ndata: {json.dumps({'id': part, 'html': html})}\n\n"


ASKED = (
    '<section id="part" data-live="/events"><div id="tools"><form method="post" action="/sent" data-confirm="Really?">'
    "<button>{}</button></form></div></section></main>"
)


def test_a_form_that_was_replaced_while_it_asked_is_sent_all_the_same(
    chromium: Browser, live_server: LiveServer
) -> None:
    page = chromium.new_context().new_page()
    sent: list[str] = []

    def with_live_part(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("</main>", ASKED.format("Stop it")))

    def taken(route: Route) -> None:
        sent.append(route.request.method)
        route.fulfill(content_type="text/html", body="<title>sent</title>")

    fresh = ASKED.format("Stop it").split('/events">')[1].split("</section>")[0].replace("<form", "<form class=new")
    body = fragment("tools", fresh) + "event: end\ndata: {}\n\n"
    page.route("**/catalogue/", with_live_part)
    page.route("**/sent", taken)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/events", hold)
    page.goto(f"{live_server.url}/catalogue/")
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_role("dialog", name="Really?")).to_be_visible()
    until(page, lambda: bool(held))
    held[0].fulfill(content_type="text/event-stream", body=body)
    expect(page.locator("form.new")).to_be_attached()
    page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
    page.wait_for_url("**/sent")
    assert sent == ["POST"]
    page.context.close()


def test_events_replace_fragments_and_a_form_asks_first(chromium: Browser, live_server: LiveServer) -> None:
    page = chromium.new_context().new_page()
    page.clock.install()
    answers = [
        fragment("phase", '<p id="phase">running</p>'),
        fragment("tools", '<div id="tools"><button>Keep</button><button>More</button></div>')
        + "event: end\ndata: {}\n\n",
    ]
    asked: list[str] = []

    def with_live_part(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("</main>", LIVE))

    def events(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(content_type="text/event-stream", body=answers[min(len(asked), 2) - 1])

    page.route("**/catalogue/", with_live_part)
    page.route("**/events", events)
    page.goto(f"{live_server.url}/catalogue/")
    page.get_by_role("button", name="Keep").focus()
    expect(page.locator("#phase")).to_have_text("running")
    expect(page.get_by_role("button", name="More")).to_be_visible()
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    page.clock.fast_forward(60_000)
    page.evaluate("fetch('/catalogue/').then((answer) => answer.text())")
    assert len(asked) == 2, "what has ended is not asked for again, however long it is waited"

    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_role("dialog", name="Really?")).to_be_visible()
    page.get_by_role("button", name="Go back").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(re.compile("/catalogue/$"))
    page.get_by_role("button", name="Stop it").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
    page.wait_for_url("**/sent?")
    page.context.close()
