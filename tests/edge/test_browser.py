"""A real browser goes from the portal into a session and back, across two sites."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from edge.conftest import Lab
from spacelab.edge.rules import visit_cookie
from spacelab.site.settings import SESSION_COOKIE_NAME
from support.chromium import running_chromium
from support.edge import Edge

pytestmark = pytest.mark.browser

ECHO = """async () => {
    const socket = new WebSocket(`ws://${location.host}/ws`);
    const said = new Promise((resolve) => { socket.onmessage = (event) => resolve(event.data); });
    const over = new Promise((resolve) => { socket.onclose = () => resolve("closed"); });
    socket.onopen = () => socket.send("hello");
    return Promise.race([said, over]);
}"""
CALL = """async (url) => {
    try { return (await fetch(url, {credentials: "include", mode: "no-cors"})).type; }
    catch (error) { return "failed"; }
}"""


@pytest.fixture
def browser(edge: Edge) -> Iterator[BrowserContext]:
    """Start a browser that is signed in at the portal as ada, with one page there."""
    door = edge.state / "static" / "door.html"
    door.parent.mkdir(exist_ok=True)
    with running_chromium() as chromium:
        context = chromium.new_context()
        key = edge.call("sign_in", "ada")
        context.add_cookies(
            [{"name": SESSION_COOKIE_NAME, "value": key, "url": edge.portal, "httpOnly": True, "sameSite": "Lax"}]
        )
        yield context


def origin(edge: Edge, session_id: str) -> str:
    return f"http://{session_id}.localhost:{edge.port}"


def open_from_portal(edge: Edge, browser: BrowserContext, session_id: str) -> Page:
    (edge.state / "static" / "door.html").write_text(f"<a href=/sessions/{session_id}/open>Open</a>")
    page = browser.new_page()
    page.goto(f"{edge.portal}/static/door.html")
    page.get_by_text("Open").click()
    page.wait_for_url(f"{origin(edge, session_id)}/")
    return page


def test_a_click_in_the_portal_opens_the_application(edge: Edge, lab: Lab, browser: BrowserContext) -> None:
    page = open_from_portal(edge, browser, lab.id)
    assert page.get_by_role("heading", name="It runs").is_visible()
    assert page.evaluate(ECHO) == "hello"
    cookies = {one.get("name"): one for one in browser.cookies(origin(edge, lab.id))}
    assert cookies[visit_cookie(secure=False)].get("httpOnly") is True
    assert SESSION_COOKIE_NAME not in cookies
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("document.referrer") == ""
    assert page.evaluate("performance.getEntriesByType('navigation')[0].name") == f"{origin(edge, lab.id)}/"
    page.go_back()
    assert page.url == f"{edge.portal}/static/door.html"


def test_a_bookmark_inside_a_session_finds_its_way_through_the_portal(
    edge: Edge, lab: Lab, browser: BrowserContext
) -> None:
    page = browser.new_page()
    page.goto(f"{origin(edge, lab.id)}/lab/tree?x=1&y=2#cell")
    assert page.url == f"{origin(edge, lab.id)}/lab/tree?x=1&y=2#cell"
    assert page.get_by_role("heading", name="It runs").is_visible()


def test_another_sessions_page_cannot_use_the_visit(edge: Edge, lab: Lab, browser: BrowserContext) -> None:
    other = edge.call("session", "ada", f"unix/{edge.run / 'two.sock'}")
    open_from_portal(edge, browser, lab.id)
    page = open_from_portal(edge, browser, other)
    with page.expect_response(lambda answer: lab.id in answer.url) as answered:
        page.evaluate(CALL, f"{origin(edge, lab.id)}/headers")
    assert answered.value.status in {401, 403}
    socket = f"new Promise((done) => {{ const s = new WebSocket('ws://{lab.id}.localhost:{edge.port}/ws');"
    socket += " s.onopen = () => done('open'); s.onerror = () => done('refused'); })"
    assert page.evaluate(socket) == "refused"


def test_a_page_open_at_the_revocation_loses_its_socket(edge: Edge, browser: BrowserContext) -> None:
    name = edge.call("session", "ada", f"unix/{edge.run / 'one.sock'}")
    page = open_from_portal(edge, browser, name)
    page.evaluate(
        "() => { window.over = new Promise((done) => { const s = new WebSocket(`ws://${location.host}/ws`);"
        " s.onopen = () => { window.opened = true; }; s.onclose = () => done(Date.now()); }); }"
    )
    page.wait_for_function("window.opened")
    began = page.evaluate("Date.now()")
    edge.call("revoke_visits", "ada")
    assert page.evaluate("window.over") - began < 5000
