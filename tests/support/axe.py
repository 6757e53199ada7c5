"""What axe finds on a page that has come to rest, and what sticks out of its window."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Error, Page
from playwright.sync_api import TimeoutError as Late

from support.chromium import PATIENCE

ATTEMPTS = 5
"""How often a page may go elsewhere while it is looked at."""
BY_DAY: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
BY_NIGHT: dict[str, Any] = {"viewport": {"width": 360, "height": 900}, "color_scheme": "dark"}
"""A wide window by day and a phone by night: options of a browser's context, and what `shaped` makes of a page."""

_AT_REST = """async (patience) => {
  const moving = () => document.getAnimations().some((one) =>
    (one.playState === "running" || one.pending) && Number.isFinite(one.effect.getComputedTiming().endTime));
  const busy = () => document.readyState !== "complete" || document.fonts.status !== "loaded"
    || document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling") || moving();
  const end = Date.now() + patience;
  for (let quiet = 0; quiet < 2; quiet = busy() ? 0 : quiet + 1) {
    if (Date.now() > end) return null;
    await new Promise((go) => setTimeout(go, 10));
  }
  return performance.timeOrigin;
}"""
"""Waits until nothing loads, is exchanged or moves, but for good; returns what tells documents apart."""
_AXE = """(found) => performance.timeOrigin === found
  ? axe.run({ resultTypes: ["violations"] }).then((results) => results.violations) : null"""
_WIDE = "document.documentElement.scrollWidth - window.innerWidth"


def at_rest(page: Page) -> float:
    """Wait until the page is loaded and nothing on it is under way; return what tells its document from others."""
    page.wait_for_load_state("load")
    origin: float | None = page.evaluate(_AT_REST, PATIENCE)
    assert origin is not None, "the page does not come to rest"
    return origin


def bring_axe(context: BrowserContext) -> None:
    """Have every page of a browser load axe at its start: less work than later, where many pages are looked at."""
    context.add_init_script(AXE_SCRIPT)


def breaches(page: Page) -> list[str]:
    """Return what axe finds once the page is at rest, a line for each element: parts of shadow trees are lists.

    A page that goes elsewhere meanwhile is looked at where it arrives.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            origin = at_rest(page)
            if not page.evaluate("'axe' in window"):
                page.evaluate(f"{AXE_SCRIPT};0")
            found = page.evaluate(_AXE, origin)
        except Late:
            raise
        except Error:
            if not left:
                raise
            continue
        if found is not None:
            return [
                f"{one['id']}: {node['target']}: {node['failureSummary']}" for one in found for node in one["nodes"]
            ]
    raise AssertionError("the page goes elsewhere again and again")


def _told(rule: str, node: dict[str, Any]) -> str:
    return f"{rule}: {node['target']}: {node['failureSummary']}"


def check(page: Page, what: object = "") -> None:
    """Find nothing with axe, and nothing that is wider than the window."""
    assert breaches(page) == [], what
    assert page.evaluate(_WIDE) <= 0, what


def shaped(page: Page, shape: dict[str, Any]) -> None:
    """Show the page that is loaded in another window, by another light: styles follow, and no script depends on it.

    Colours change at once, as for people who want nothing to move.
    """
    page.set_viewport_size(shape["viewport"])
    page.emulate_media(color_scheme=shape["color_scheme"], reduced_motion="reduce")


def check_by_day_and_night(page: Page, what: object = "") -> None:
    """Check the page that is loaded in a wide window by day, and on a phone by night."""
    for shape in (BY_DAY, BY_NIGHT):
        shaped(page, shape)
        check(page, (what, shape))
