"""A bare script of each web framework is brought, built, launched and used in a browser, without a network."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browsing import sign_in
from support.client import Client
from support.platform import Platform, running_platform
from support.tree import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.frameworks]

EXAMPLES = ROOT / "catalogue" / "examples" / "frameworks"
BUILD_SECONDS = 400.0
NO_STREAM = frozenset({"dash", "flask", "gradio"})
"""The frameworks whose pages ask by plain requests or event streams."""
ICONS = {"voila": "https://cdn.jsdelivr.net/npm/@fortawesome/"}
"""What a framework's page asks of other hosts all the same: it works without."""
FORMULAS = {"solara": "katex"}
"""What a framework's own assets lack, as its page says after a while: without the network, formulas stay text."""
ALONE = [{"name": "alone", "title": "Alone", "cpu": 1, "memory_mb": 2048, "network": "none"}]


@dataclass
class Seen:
    """What a page asked for and said."""

    foreign: set[str] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def place() -> Iterator[Platform]:
    """Run a platform whose sessions reach no network, though its builds do."""
    with running_platform(SPACELAB_PROFILES=json.dumps(ALONE), SPACELAB_CATALOGUE_DATALABS="sky-explorer") as running:
        yield running


def build(client: Client, framework: str) -> dict[str, Any]:
    """Bring the example as it is, with a title and a name for it, and wait until it is built."""
    paths = sorted(path for path in (EXAMPLES / framework).iterdir() if path.is_file())
    files = [("files", (path.name, path.read_bytes())) for path in paths]
    made: dict[str, Any] = client.api("POST", "/builds", files=files).raise_for_status().json()
    answers = {"title": framework, "short_name": f"far-{framework}", "abstract": "How far?", "version": "1"}
    answers |= {"creator": "Ada", "email": "ada@example.org"}
    client.api("POST", f"/builds/{made['id']}/start", json=answers).raise_for_status()
    deadline = time.monotonic() + BUILD_SECONDS
    while made["state"] not in {"built", "failed", "cancelled"}:
        assert time.monotonic() < deadline, made
        time.sleep(0.2)
        made = client.api("GET", f"/builds/{made['id']}").raise_for_status().json()
    assert made["state"] == "built", (made, client.api("GET", f"/builds/{made['id']}/log").text[-3000:])
    return made


def watch(page: Page) -> Seen:
    """Note what a page asks of other hosts, its WebSockets, and its errors."""
    seen = Seen()

    def asked(address: str) -> None:
        host = urlsplit(address).hostname or ""
        if host and not host.endswith("localhost"):
            seen.foreign.add(address)

    page.context.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda stream: seen.streams.add(urlsplit(stream.url).path))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    return seen


def use(page: Page, platform: Platform, session: str) -> None:
    """Open the session from its page, and press the button twice."""
    sign_in(page, "demo developer")
    page.goto(f"{platform.url}/sessions/{session}/open")
    assert urlsplit(page.url).hostname == f"{session}.localhost"
    expect(page.get_by_role("heading", name="How far?").first).to_be_visible()
    expect(page.get_by_text("10 parsecs")).to_be_visible()
    for parsecs in (20, 40):
        page.get_by_role("button", name="Twice as far").click()
        expect(page.get_by_text(f"{parsecs} parsecs")).to_be_visible()


@pytest.mark.parametrize("framework", sorted(path.name for path in EXAMPLES.iterdir()))
def test_a_bare_script_becomes_a_page_that_answers(
    chromium: Browser, place: Platform, tmp_path: Path, framework: str
) -> None:
    client = Client(place, "demo-developer")
    made = build(client, framework)
    wanted = {"datalab": f"far-{framework}", "profile": "alone", "volumes": []}
    session = client.api("POST", "/sessions", json=wanted).raise_for_status().json()["id"]
    context = chromium.new_context(base_url=place.url, viewport={"width": 1000, "height": 700})
    page = context.new_page()
    seen = watch(page)
    try:
        client.wait_for(session, "running")
        health = client.inside(session, "GET", made["plan"]["interface"]["health_path"])
        assert health.status_code < 400, "a redirect to the page is an answer too"
        use(page, place, session)
    finally:
        page.screenshot(path=tmp_path / f"{framework}.png")
        sys.stdout.write(client.api("GET", f"/sessions/{session}/log").text)  # shown if something fails
        context.close()
        client.api("DELETE", f"/sessions/{session}")
    assert not [error for error in seen.errors if FORMULAS.get(framework, " ") not in error]
    assert not {address for address in seen.foreign if not address.startswith(ICONS.get(framework, " "))}
    assert bool(seen.streams) is (framework not in NO_STREAM)
