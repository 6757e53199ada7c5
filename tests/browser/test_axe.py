"""The tests' own look at a page: once it is at rest, and at the page to which a click leads."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Route

from support.axe import BY_NIGHT, breaches, check, shaped
from support.browsing import browsing

pytestmark = pytest.mark.browser

PAGE = '<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>{}</main></html>'
FADING = PAGE.format(
    "<style>p { background: #fff; color: #fff; transition: color .5s } p.now { color: #000 }</style>"
    '<p>Words</p><a href="/next">Next</a>'
)
WRONG = PAGE.format('<button></button><p style="width: 900px">Wide</p>')


def answer(route: Route) -> None:
    """Answer as a portal of two pages."""
    body = WRONG if route.request.url.endswith("/next") else FADING
    route.fulfill(body=body, content_type="text/html")


def test_a_page_is_looked_at_when_it_is_at_rest(chromium: Browser) -> None:
    with browsing(chromium, "http://portal.localhost") as page:
        page.route("**/*", answer)
        page.goto("/")
        page.evaluate("document.querySelector('p').classList.add('now')")
        check(page)
        page.evaluate("document.querySelector('a').click()")
        while not page.url.endswith("/next"):
            page.wait_for_timeout(1)
        assert [one.split(":")[0] for one in breaches(page)] == ["button-name"]
        page.evaluate("document.querySelector('button').textContent = 'Go'")
        check(page)
        shaped(page, BY_NIGHT)
        with pytest.raises(AssertionError):
            check(page)
