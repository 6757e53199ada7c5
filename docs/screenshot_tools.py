"""What every part of the pictures needs: a browser, somebody signed in, and an album that keeps pictures small."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.urls import NoReverseMatch, reverse
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page
from playwright.sync_api import Error as BrowserError

IMAGES = Path(__file__).resolve().parent / "images"
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 360, "height": 740}
LARGEST = 200_000
"""Bytes that a picture should not exceed: it is stored with fewer colours until it fits."""
COLOURS = (256, 160, 96, 48)
PATIENCE = 180.0
"""Seconds that a session may take until it runs; the first one of a fresh install is slow."""
SCIENTIST = "demo-scientist"
DEVELOPER = "demo-developer"
OPERATOR = "demo-operator"
BUILD = re.compile(r"/builds/([a-z0-9]{12})$")


@dataclass(frozen=True)
class Portal:
    """A running platform."""

    url: str

    def page(self, name: str, *arguments: str) -> str:
        """Return the address of a page by its name."""
        return self.url + reverse(name, args=arguments)


@dataclass
class Album:
    """The pictures taken so far, and what went wrong."""

    folder: Path
    problems: list[str] = field(default_factory=list)

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Go on with the next picture when this one can't be taken."""
        try:
            yield
        except (BrowserError, NoReverseMatch, OSError, RuntimeError) as error:
            self.problems.append(f"{name}: {str(error).splitlines()[0]}")
            sys.stdout.write(f"  ✗ {name}\n")

    def take(self, page: Page, name: str, *, whole: bool = False) -> None:
        """Take a picture of what the page shows, or of the whole page, and store it small."""
        page.evaluate("document.fonts ? document.fonts.ready.then(() => true) : true")
        page.wait_for_timeout(250)
        self.store(name, page.screenshot(full_page=whole, animations="disabled", caret="hide"))

    def store(self, name: str, png: bytes) -> None:
        """Write a picture with as many colours as its size allows."""
        picture = Image.open(io.BytesIO(png)).convert("RGB")
        for colours in COLOURS:
            small = io.BytesIO()
            picture.quantize(colours, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
            if small.tell() <= LARGEST:
                break
        self.folder.mkdir(exist_ok=True)
        (self.folder / f"{name}.png").write_bytes(small.getvalue())
        sys.stdout.write(f"  · {name}.png, {small.tell() / 1000:.0f} kB\n")
        sys.stdout.flush()


def sign_in(page: Page, portal: Portal, username: str) -> None:
    """Sign in as a demo person, by one click."""
    page.goto(portal.page("accounts:sign-in"))
    page.locator(f"button[value='{username}']").click()
    page.wait_for_load_state()
    if page.url.startswith(portal.page("accounts:sign-in")):
        raise RuntimeError(f"{username} can't sign in")


def submit(page: Page) -> Locator:
    """Find the button that sends the page's main form."""
    return page.locator(
        "main form[method=post] button[type=submit].primary, main form[method=post] button.primary"
    ).last


def context(browser: Browser, scheme: str, size: dict[str, int], state: object = None) -> BrowserContext:
    """Open a browser of its own, with the cookies of another if given."""
    made: BrowserContext = browser.new_context(
        viewport=size,  # type: ignore[arg-type]
        color_scheme=scheme,  # type: ignore[arg-type]
        storage_state=state,  # type: ignore[arg-type]
        locale="en-GB",
        reduced_motion="reduce",
    )
    made.set_default_timeout(30_000)
    return made


def everywhere(
    browser: Browser, portal: Portal, state: object, pages: Mapping[str, tuple[str, ...]], album: Album
) -> None:
    """Take pages in light, dark and narrow, as whoever `state` holds the cookies of."""
    for suffix, scheme, size in (("light", "light", WIDE), ("dark", "dark", WIDE), ("narrow", "light", NARROW)):
        with context(browser, scheme, size, state) as visitor:
            page = visitor.new_page()
            for name, where in pages.items():
                with album.attempt(f"{name}-{suffix}"):
                    answer = page.goto(portal.page(*where))
                    if answer is None or not answer.ok:
                        raise RuntimeError(f"{page.url} answers {answer.status if answer else 'nothing'}")
                    album.take(page, f"{name}-{suffix}")
