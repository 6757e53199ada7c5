"""A desktop in a real browser: the page around the screen, and a person's way from the launch to a table's rows."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from support.axe import breaches
from support.browsing import sign_in, until
from support.chromium import LONG_PATIENCE
from support.desktops import Desktop, running_desktop
from support.engine import Engine
from support.platform import Platform, running_platform
from support.session_pages import open_session, session_of, stop
from support.vnc import colours

pytestmark = [pytest.mark.browser, pytest.mark.container, pytest.mark.slow, pytest.mark.desktops]

BUILD_PATIENCE = 600_000
"""Milliseconds that TOPCAT's image may take the first time on a machine."""
BUSY = 40
DARK = 100
LOAD, LOCATION, BROWSER = (44, 64), (340, 138), (161, 64)
"""On TOPCAT's screen of 1280 by 760: the button that loads a table, the field for its place in the
window that this opens once it fills the screen, and the button for the table's rows."""
ROWS = 11
TABLE = "/data/hipparcos/hip2.fits"


@pytest.fixture(scope="module")
def platform_with_topcat() -> Iterator[Platform]:
    with running_platform("container", SPACELAB_CATALOGUE_DATALABS="topcat") as running:
        yield running


@pytest.fixture(scope="module")
def desktop(engine: Engine) -> Iterator[Desktop]:
    with running_desktop(engine, "topcat") as running:
        yield running


@pytest.fixture
def page(chromium: Browser, desktop: Desktop) -> Iterator[Page]:
    """Open the desktop's page in a browser that lets it use the clipboard."""
    permissions = ["clipboard-read", "clipboard-write"]
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, permissions=permissions)
    page = context.new_page()
    page.goto(desktop.url)
    shown(page)
    yield page
    context.close()


@pytest.fixture
def inside(engine: Engine, desktop: Desktop) -> Callable[..., str]:
    """Run a command on the desktop's own screen."""
    labels = [f"org.spacelab.workload={desktop.id}", "org.spacelab.part=application"]
    (container,) = engine.client.containers.list(filters={"label": labels})

    def run(*command: str) -> str:
        status, output = container.exec_run(list(command), environment={"DISPLAY": ":1"})
        return output.decode() if not status and isinstance(output, bytes) else ""

    return run


def shown(page: Page) -> None:
    """Wait until the program's window is on the screen, and nothing over it."""
    page.wait_for_selector("body:not([data-cover]) canvas", timeout=LONG_PATIENCE)
    until(page, lambda: colours(picture(page)) > BUSY)


def picture(page: Page) -> Image.Image:
    """Return what the screen shows."""
    return Image.open(io.BytesIO(page.locator("canvas").screenshot())).convert("RGB")


def still(page: Page) -> None:
    """Wait until the upper part of the screen has not changed for a second: the program has drawn itself."""

    def unchanged() -> bool:
        before = picture(page).crop((0, 0, 1000, 300))
        page.wait_for_timeout(1000)
        return before.tobytes() == picture(page).crop((0, 0, 1000, 300)).tobytes()

    until(page, unchanged)


def size(page: Page) -> tuple[int, int]:
    """Return the width and height of the desktop's screen."""
    box = page.locator("canvas").evaluate("canvas => [canvas.width, canvas.height]")
    return box[0], box[1]


def click(page: Page, place: tuple[int, int]) -> None:
    """Click at a place of the screen."""
    page.locator("canvas").click(position={"x": place[0], "y": place[1]})


def written_rows(image: Image.Image) -> int:
    """Count the lines of digits in the first column of TOPCAT's table browser."""
    column = image.crop((170, 190, 194, 378)).convert("L")
    pixels = column.tobytes()
    dark = [min(pixels[start : start + column.width]) < DARK for start in range(0, len(pixels), column.width)]
    return sum(1 for before, now in zip([False, *dark], dark, strict=False) if now and not before)


def test_the_screen_follows_the_window(page: Page) -> None:
    assert page.title() == "TOPCAT"
    assert re.fullmatch(r"http://localhost:\d+/", page.url)
    assert size(page) == (1280, 760)
    page.set_viewport_size({"width": 1000, "height": 640})
    until(page, lambda: size(page) == (1000, 600))
    until(page, lambda: picture(page).getpixel((990, 300)) != (0x1B, 0x23, 0x33))  # the program fills it again
    page.set_viewport_size({"width": 360, "height": 640})
    page.wait_for_timeout(800)
    assert size(page) == (1000, 600)  # shown smaller instead
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_text_passes_both_ways(page: Page, inside: Callable[..., str]) -> None:
    page.evaluate("navigator.clipboard.writeText('')")
    inside("sh", "-c", "printf 'Vega ☉ 7.68″' | timeout 60 xsel -b -i >/dev/null 2>&1")
    until(page, lambda: page.evaluate("navigator.clipboard.readText()") == "Vega ☉ 7.68″")
    page.evaluate("navigator.clipboard.writeText('Altaïr ☾')")
    page.locator("canvas").focus()
    page.keyboard.press("Control+v")
    until(page, lambda: inside("timeout", "5", "xsel", "-b", "-o") == "Altaïr ☾")
    page.get_by_role("button", name="Clipboard").click()
    page.get_by_label("Text that the desktop").fill("by the panel")
    page.get_by_role("button", name="Give to the desktop").click()
    until(page, lambda: inside("timeout", "5", "xsel", "-b", "-o") == "by the panel")


def test_it_is_accessible(page: Page) -> None:
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 700})
        assert breaches(page) == []
    expect(page.get_by_role("application", name="Screen of TOPCAT")).to_be_visible()
    page.locator("canvas").focus()
    page.keyboard.press("Control+Shift+F6")
    until(page, lambda: page.evaluate("document.activeElement.tagName") == "BUTTON")


def test_a_program_that_ended_is_started_again(page: Page, inside: Callable[..., str]) -> None:
    inside("sh", "-c", "kill -9 $(grep -la topcat.Driver /proc/[0-9]*/cmdline | cut -d/ -f3 | grep -v $$)")
    expect(page.get_by_role("heading", name="TOPCAT has stopped")).to_be_visible()
    page.get_by_role("button", name="Start it again").click()
    shown(page)


def test_it_comes_back_after_a_cut(page: Page, desktop: Desktop) -> None:
    desktop.away = True
    desktop.cut()
    expect(page.get_by_role("heading", name=re.compile("Connecting again"))).to_be_visible()
    desktop.away = False
    shown(page)


def test_topcat_shows_a_tables_rows(chromium: Browser, platform_with_topcat: Platform) -> None:
    context = chromium.new_context(base_url=platform_with_topcat.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    sign_in(page, "Johannes (demo scientist)")
    until(page, lambda: page.goto("/datalabs/topcat/launch").ok, BUILD_PATIENCE)  # type: ignore[union-attr]
    expect(page.get_by_label(re.compile("Hipparcos"))).to_be_checked()
    page.get_by_role("button", name="Launch").click()
    session_of(page)
    screen = open_session(page)
    shown(screen)
    assert re.fullmatch(r"http://[a-z0-9]{12}\.localhost:\d+/", screen.url)  # no password and no token in the address

    windows = screen.get_by_role("navigation", name="Open windows")
    still(screen)
    click(screen, LOAD)
    expect(windows.get_by_role("button", name="Load New Table")).to_be_visible()
    screen.keyboard.press("Alt+F10")
    still(screen)
    click(screen, LOCATION)
    screen.keyboard.type(TABLE, delay=20)
    screen.keyboard.press("Enter")
    expect(windows.get_by_role("button", name="Load New Table")).to_be_hidden()  # it closes when the table is there
    click(screen, BROWSER)
    expect(windows.get_by_role("button", name=re.compile("Table Browser"))).to_be_visible()
    screen.keyboard.press("Alt+F10")
    until(screen, lambda: written_rows(picture(screen)) >= ROWS)
    screen.close()
    stop(page)
    context.close()
