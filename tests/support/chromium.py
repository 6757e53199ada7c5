"""How every test, and the script of pictures, starts Chromium: headless, and asking no host but the tested one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000
"""Milliseconds that anything asked of a page, or expected of it, may take unless a test says otherwise."""
LONG_PATIENCE = 180_000
"""Milliseconds that a session, a build or JupyterLab's page may take."""


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run a browser that waits for whatever a test asks and expects of its pages as long as `PATIENCE` says."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        browser.on("context", be_patient)
        yield browser
        browser.close()


def be_patient(context: BrowserContext) -> None:
    """Have each action of this context's pages wait."""
    context.set_default_timeout(PATIENCE)
