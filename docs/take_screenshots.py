"""Takes the pictures in the documentation from the running product, in light and dark, wide and narrow.

`make screenshots` runs a platform of its own on a temporary state and a free port; `--url` names one that runs already,
with demo people and its archives made; `--only` takes one part of the pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import django
from django.urls import reverse
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from screenshot_tools import (
    BUILD,
    DEVELOPER,
    IMAGES,
    OPERATOR,
    PATIENCE,
    SCIENTIST,
    WIDE,
    Album,
    Portal,
    context,
    everywhere,
    sign_in,
    submit,
)
from screenshots_pipelines import pipelines
from screenshots_publishing import publishing

from support.chromium import CHROMIUM, FLAGS
from support.engine import missing_programs
from support.platform import running_platform

VOLUME = "hipparcos"
NOTEBOOK_DATALAB = "jupyterlab"
WEB_DATALAB = "sky-explorer"
THREAD = "nearby"
DESKTOP_DATALAB = "topcat"
DRAWING = 15_000
"""Milliseconds that a desktop's program has to draw itself."""

PAGES = {
    "catalogue": ("datalabs:catalogue",),
    "datalab": ("datalabs:detail", NOTEBOOK_DATALAB),
    "launch": ("lab_sessions:launch", NOTEBOOK_DATALAB),
    "sessions": ("lab_sessions:list",),
    "data": ("volumes:list",),
    "volume": ("volumes:detail", VOLUME),
    "teams": ("accounts:teams",),
    "tokens": ("accounts:tokens",),
}
"""Pages that a scientist sees, by the name of their picture: the address's name and its arguments."""

VISITORS_PAGES = {"landing": ("front",), "sign-in": ("accounts:sign-in",)}
OPERATORS_PAGES = {"people": ("accounts:people",), "audit": ("audit:trail",), "images": ("images:list",)}

NOTEBOOK = (
    "# Nearby stars\n\nHow many stars the Hipparcos catalogue holds.",
    "import astropy.table\nstars = astropy.table.Table.read('/data/hipparcos/hip2.fits')",
    "import humanize\nprint(humanize.intcomma(len(stars)), 'stars')",
)
"""The notebook that is brought: a text and two cells, one of which imports what is not installed."""


def launch(page: Page, portal: Portal, slug: str, *, volume: str = "") -> str:
    """Launch a datalab by its form and return the session's id; the page is then the session's."""
    page.goto(portal.page("lab_sessions:launch", slug))
    if volume:
        box = page.locator(f"input[type=checkbox][value='{volume}']")
        if box.count():
            box.first.check()
    submit(page).click()
    page.wait_for_url(re.compile(r"/sessions/[a-z0-9]{12}"))
    found = re.search(r"/sessions/([a-z0-9]{12})", page.url)
    if not found:
        raise RuntimeError(f"no session after launching {slug}: {page.url}")
    return found[1]


def wait_until_running(page: Page, portal: Portal, session: str) -> None:
    """Wait until the session's page says that it runs; it follows the session by itself."""
    way_in = page.locator(f"a[href*='/{session}/open']")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = page.request.get(f"{portal.url}/api/v1/sessions/{session}")
        phase = answer.json().get("phase", "") if answer.ok else ""
        if phase == "running" or (not answer.ok and way_in.count()):
            return
        if phase in {"failed", "stopped"}:
            raise RuntimeError(f"the session {phase}")
        page.wait_for_timeout(300)
    raise RuntimeError("the session takes too long to start")


def open_notebook(page: Page, portal: Portal, session: str) -> None:
    """Open the shipped notebook in JupyterLab, run all of it, and wait for its last result."""
    page.goto(portal.page("edge:open", session))
    page.wait_for_selector(".jp-Launcher, .jp-NotebookPanel, .jp-FileBrowser", timeout=120_000)
    base = page.url.split("/lab")[0]
    folder = f"data/{VOLUME}/Example_Notebooks"
    read = "async url => { const answer = await fetch(url); return answer.ok ? (await answer.json()).content : [] }"
    listing = page.evaluate(read, f"{base}/api/contents/{folder}")  # the browser knows where `*.localhost` is
    notebooks = [str(one["path"]) for one in listing if one["type"] == "notebook"]
    notebooks.sort(key=lambda path: "hyades" not in path)
    if not notebooks:
        raise RuntimeError(f"no notebook in {folder}")
    page.goto(f"{base}/lab/tree/{notebooks[0]}")
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=120_000)
    page.wait_for_timeout(3000)
    dismiss_dialogs(page)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Run All Cells")).first.click()
    page.wait_for_timeout(1500)
    dismiss_dialogs(page)
    busy = "() => ![...document.querySelectorAll('.jp-InputPrompt')].some(one => one.textContent.includes('*'))"
    page.wait_for_function(busy, timeout=120_000)
    page.wait_for_timeout(1500)
    dismiss_dialogs(page)
    figures = page.locator(".jp-CodeCell .jp-RenderedImage img")
    if figures.count():
        figures.last.scroll_into_view_if_needed()
    page.wait_for_timeout(500)


def dismiss_dialogs(page: Page) -> None:
    """Close what JupyterLab asks at its first start: a kernel to choose, news to fetch."""
    for _ in range(3):
        button = page.locator(".jp-Dialog button.jp-mod-accept")
        if not button.count():
            break
        button.first.click()
        page.wait_for_timeout(400)
    refusal = page.get_by_role("button", name="No", exact=True)
    if refusal.count():
        refusal.first.click()
        page.wait_for_timeout(400)


FIRST_VISIT = {"first-visit": ("front",), "no-sessions": ("lab_sessions:list",)}


def before_signing_in(browser: Browser, portal: Portal, album: Album) -> None:
    """Take what a visitor sees, and what a person sees who has nothing yet."""
    everywhere(browser, portal, None, VISITORS_PAGES, album)
    with context(browser, "light", WIDE) as newcomer:
        sign_in(newcomer.new_page(), portal, SCIENTIST)
        everywhere(browser, portal, newcomer.storage_state(), FIRST_VISIT, album)


def journey(browser: Browser, portal: Portal, album: Album) -> None:
    """Take a scientist's way from the catalogue to a notebook and back."""
    with context(browser, "light", WIDE) as scientist:
        page = scientist.new_page()
        sign_in(page, portal, SCIENTIST)
        pages = dict(PAGES)
        with album.attempt("jupyterlab-notebook-light"):
            session = launch(page, portal, NOTEBOOK_DATALAB, volume=VOLUME)
            album.take(page, "session-starting-light")
            wait_until_running(page, portal, session)
            pages["session-running"] = ("lab_sessions:detail", session)
            open_notebook(page, portal, session)
            album.take(page, "jupyterlab-notebook-light")
        with album.attempt("sky-explorer-light"):
            session = launch(page, portal, WEB_DATALAB, volume=VOLUME)
            wait_until_running(page, portal, session)
            page.goto(portal.page("edge:open", session))
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(1500)
            album.take(page, "sky-explorer-light")
        everywhere(browser, portal, scientist.storage_state(), pages, album)


def choose(page: Page, portal: Portal, name: str, content: str) -> None:
    """Choose a file on the page where applications are brought."""
    page.goto(portal.page("builds:bring"))
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content.encode()}
    page.locator("#id_upload").set_input_files([file])  # type: ignore[list-item]


def notebook() -> str:
    """Write the notebook that is brought."""
    text, *code = NOTEBOOK
    cells: list[dict[str, object]] = [{"cell_type": "markdown", "id": "text", "metadata": {}, "source": text}]
    for number, source in enumerate(code):
        cell = {"cell_type": "code", "id": f"c{number}", "metadata": {}, "outputs": [], "execution_count": None}
        cells.append({**cell, "source": source})
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def developer(browser: Browser, portal: Portal, album: Album) -> None:
    """Take a developer's way from a notebook to a datalab, and a build that fails."""
    patience = PATIENCE * 1000
    with context(browser, "light", WIDE) as signed_in:
        page = signed_in.new_page()
        sign_in(page, portal, DEVELOPER)
        pages: dict[str, tuple[str, ...]] = {"bring": ("builds:bring",)}
        with album.attempt("build-done-light"):
            choose(page, portal, "nearby-stars.ipynb", notebook())
            album.take(page, "bring-chosen-light")
            page.locator("#send-upload").click()
            page.wait_for_url(BUILD)
            everywhere(browser, portal, signed_in.storage_state(), {"plan": ("builds:detail", page.url[-12:])}, album)
            submit(page).click()
            page.wait_for_selector("#build-log:has-text('STEP 2')", timeout=patience)
            album.take(page, "build-running-light")
            page.wait_for_selector("#build-notices [data-tone=ok]", timeout=patience)
            pages["build-done"] = ("builds:detail", page.url[-12:])
            pages |= {"launch-draft": ("lab_sessions:launch", "nearby-stars"), "builds": ("builds:list",)}
        with album.attempt("build-failed-light"):
            choose(page, portal, "wrong.ipynb", notebook())
            page.locator("#send-upload").click()
            page.wait_for_url(BUILD)
            page.locator("[name=more]").fill("astropie")
            submit(page).click()
            page.wait_for_selector("#build-notices [data-tone=bad]", timeout=patience)
            pages["build-failed"] = ("builds:detail", page.url[-12:])
        everywhere(browser, portal, signed_in.storage_state(), pages, album)


def thread(browser: Browser, portal: Portal, album: Album) -> None:
    """Take a processing thread's form, and its run with the results."""
    with context(browser, "light", WIDE) as signed_in:
        page = signed_in.new_page()
        sign_in(page, portal, SCIENTIST)
        pages: dict[str, tuple[str, ...]] = {"thread": ("lab_sessions:thread", WEB_DATALAB, THREAD)}
        with album.attempt("thread-results-light"):
            page.goto(portal.page(*pages["thread"]))
            submit(page).click()
            page.wait_for_selector("#session-results table", timeout=PATIENCE * 1000)
            page.wait_for_selector("#session-state [data-tone=ok]", timeout=PATIENCE * 1000)
            pages["thread-results"] = ("lab_sessions:detail", page.url.rsplit("/", 1)[1])
        everywhere(browser, portal, signed_in.storage_state(), pages, album)


def desktop(browser: Browser, portal: Portal, album: Album) -> None:
    """Take a desktop program's way from the catalogue to a table that it has opened."""
    with context(browser, "light", WIDE) as signed_in:
        page = signed_in.new_page()
        sign_in(page, portal, SCIENTIST)
        pages: dict[str, tuple[str, ...]] = {
            "catalogue": ("datalabs:catalogue",),
            "datalab-desktop": ("datalabs:detail", DESKTOP_DATALAB),
            "launch-desktop": ("lab_sessions:launch", DESKTOP_DATALAB),
        }
        everywhere(browser, portal, signed_in.storage_state(), pages, album)
        with album.attempt("desktop-light"):
            session = launch(page, portal, DESKTOP_DATALAB, volume=VOLUME)
            wait_until_running(page, portal, session)
            page.goto(portal.page("edge:open", session))
            page.wait_for_selector("body:not([data-cover]) canvas", timeout=PATIENCE * 1000)
            page.wait_for_timeout(DRAWING)
            album.take(page, "desktop-light")


def operator(browser: Browser, portal: Portal, album: Album) -> None:
    """Take what an operator sees."""
    with context(browser, "light", WIDE) as signed_in:
        sign_in(signed_in.new_page(), portal, OPERATOR)
        everywhere(browser, portal, signed_in.storage_state(), OPERATORS_PAGES, album)


PARTS: dict[str, Callable[[Browser, Portal, Album], None]] = {
    "visitor": before_signing_in,
    "scientist": journey,
    "developer": developer,
    "thread": thread,
    "pipelines": pipelines,
    "publishing": publishing,
    "operator": operator,
}
DESKTOPS: dict[str, Callable[[Browser, Portal, Album], None]] = {"desktop": desktop}
"""Parts that need a platform with a container engine."""


def walk(
    portal: Portal, album: Album, only: str = "", parts: Mapping[str, Callable[[Browser, Portal, Album], None]] = PARTS
) -> None:
    """Take all pictures of a platform, or one part of them."""
    program = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, "--hide-scrollbars"])
        for name, part in parts.items():
            if not only or name == only:
                with album.attempt(name):
                    part(browser, portal, album)
        browser.close()


def main() -> None:
    """Take the pictures; exit status 1 if one of them could not be taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running platform; without it one is started for the pictures")
    parser.add_argument("--into", type=Path, default=IMAGES, help="where the pictures go")
    parser.add_argument("--only", choices={**PARTS, **DESKTOPS}, default="", help="one part of the pictures")
    options = parser.parse_args()
    album = Album(options.into)
    with tempfile.TemporaryDirectory() as state:
        os.environ["SPACELAB_STATE"] = state  # the addresses are all that this process needs of the platform
        os.environ["DJANGO_SETTINGS_MODULE"] = "spacelab.site.settings"
        django.setup()
        reverse("front")
        del os.environ["SPACELAB_STATE"]
    if options.url:
        walk(Portal(options.url.rstrip("/")), album, options.only, {**PARTS, **DESKTOPS} if options.only else PARTS)
    else:
        for runtime, parts in (("process", PARTS), ("container", DESKTOPS)):
            if options.only and options.only not in parts:
                continue
            if runtime == "container" and (lacking := missing_programs()):
                sys.stdout.write(f"No pictures of desktops: {lacking}\n")
                continue
            sys.stdout.write(f"Starting a platform (runtime {runtime}); a first start takes some minutes …\n")
            with running_platform(runtime, SPACELAB_BROWSER=CHROMIUM) as platform:
                walk(Portal(platform.url), album, options.only, parts)
    if album.problems:
        sys.exit("\n".join(["These pictures are missing:", *album.problems]))


if __name__ == "__main__":
    main()
