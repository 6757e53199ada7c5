"""Sessions in a real browser: the page follows what happens, works without scripts, and everybody can use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from spacelab.accounts.models import Person
from spacelab.sessions import upkeep
from spacelab.sessions.models import Session
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Phase
from support.asgi_server import serving
from support.people import make_person
from support.sessions import QuietRuntime, idle_since, launch, make_archive, make_datalab, make_team, move
from support.sessions import quiet_runtime as _quiet_runtime

quiet_runtime = _quiet_runtime
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_runtime")]
SHAPES = pytest.mark.parametrize("shape", [("light", 1440), ("dark", 360)], ids=["light-wide", "dark-narrow"])


@pytest.fixture
def portal() -> Iterator[str]:
    """Serve the portal."""
    with serving() as url:
        yield url


@pytest.fixture
def ada(transactional_db: None, tmp_path: Path) -> Person:
    """Make a person with a team, beside a datalab and two archives."""
    person = make_person("ada", "operator")
    make_archive("euclid", tmp_path, domain="astronomy")
    make_archive("hipparcos", tmp_path, domain="astronomy")
    make_datalab("jupyterlab", default_volumes=["euclid"])
    make_team("plasma", person)
    return person


@contextmanager
def browsing(
    chromium: Browser, portal: str, person: Person, *, shape: tuple[str, int] = ("light", 1440), scripts: bool = True
) -> Iterator[Page]:
    """Give a page of this person's browser; nothing may break in it."""
    client = Client()
    client.force_login(person)
    context = chromium.new_context(
        viewport={"width": shape[1], "height": 900},
        color_scheme="dark" if shape[0] == "dark" else "light",
        java_script_enabled=scripts,
    )
    context.add_cookies([{"name": "spacelab", "value": client.cookies["spacelab"].value, "url": portal}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def check(page: Page) -> None:
    """Find nothing with axe, and nothing that sticks out."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_the_page_follows_a_session_through_its_life(chromium: Browser, portal: str, ada: Person) -> None:
    with browsing(chromium, portal, ada) as page:
        page.goto(f"{portal}/datalabs/jupyterlab/launch")
        expect(page.get_by_role("checkbox", name="Euclid")).to_be_checked()
        page.get_by_label("Title").fill("銀河の距離")
        page.get_by_role("button", name="Launch").click()
        expect(page.get_by_role("heading", name="銀河の距離")).to_be_visible()
        session = Session.objects.get()
        move(session, Phase.STARTING, reason="Preparing the sandbox.")
        expect(page.locator("#session-steps")).to_contain_text("Preparing the sandbox.")
        expect(page.get_by_role("link", name="Open in a new tab")).to_have_count(0)
        QuietRuntime.printed[session.id] = b"Serving at /datalabs\n"
        move(session, Phase.RUNNING, reason="The interface answers.")
        opener = page.get_by_role("link", name="Open in a new tab")
        expect(opener).to_have_attribute("href", f"/sessions/{session.id}/open")
        expect(page.locator("#session-log")).to_have_text("Serving at /datalabs\n")
        page.get_by_role("button", name="Restart").click()
        page.get_by_role("dialog").get_by_role("button", name="Restart").click()
        expect(page.locator("#session-state")).to_contain_text("restarting")
        move(session, Phase.STOPPING, Phase.STOPPED, reason="It is being restarted.")
        upkeep.finish_restarts()
        fresh = Session.objects.exclude(pk=session.id).get()
        page.wait_for_url(f"**/sessions/{fresh.id}")
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("dialog").get_by_role("button", name="Stop").click()
        expect(page.locator("#session-state")).to_contain_text("stopping")
        move(fresh, Phase.STOPPED, reason="You stopped it.")
        expect(page.get_by_role("button", name="Launch again")).to_be_visible()


def test_everything_works_without_scripts(chromium: Browser, portal: str, ada: Person) -> None:
    with browsing(chromium, portal, ada, scripts=False) as page:
        page.goto(f"{portal}/datalabs/jupyterlab/launch")
        page.get_by_role("button", name="Launch").click()
        expect(page.locator("#session-state")).to_contain_text("queued")
        move(Session.objects.get(), Phase.STARTING, Phase.RUNNING)
        expect(page.get_by_role("link", name="Open in a new tab")).to_be_visible(timeout=10_000)
        page.get_by_role("button", name="12 h").click()
        expect(page.get_by_text("kept for 12 hours")).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#session-state")).to_contain_text("stopping")


@SHAPES
def test_the_form_and_its_refusals(chromium: Browser, portal: str, ada: Person, shape: tuple[str, int]) -> None:
    launch(ada, profile="large")
    launch(ada, profile="medium")
    QuietRuntime.warnings = ("Memory is limited for each process, not for a session as a whole.",)
    with browsing(chromium, portal, ada, shape=shape) as page:
        page.goto(f"{portal}/datalabs/jupyterlab/launch")
        check(page)
        page.get_by_label("Large").check()
        page.get_by_role("button", name="Launch").click()
        expect(page.get_by_text("in your quota")).to_be_visible()
        check(page)


@SHAPES
@pytest.mark.parametrize("state", ["queued", "running", "warned", "failed", "stopped"])
def test_a_session_s_page_in_each_state(
    chromium: Browser, portal: str, ada: Person, shape: tuple[str, int], state: str
) -> None:
    session = launch(ada, volumes=["euclid", "hipparcos"], title="Parallaxes of the Hyades")
    show(session, state)
    with browsing(chromium, portal, ada, shape=shape) as page:
        page.goto(f"{portal}/sessions/{session.id}")
        check(page)


@SHAPES
def test_the_lists(chromium: Browser, portal: str, ada: Person, shape: tuple[str, int]) -> None:
    with browsing(chromium, portal, ada, shape=shape) as page:
        page.goto(f"{portal}/sessions")
        check(page)
        for state in ("running", "warned", "failed", "stopped", "queued"):
            show(launch(ada, title=f"A {state} one"), state)
        for address in ("/sessions", "/sessions/all", "/"):
            page.goto(f"{portal}{address}")
            check(page)


def show(session: Session, state: str) -> None:
    """Bring the session into a state in which it is looked at."""
    if state == "failed":
        QuietRuntime.printed[session.id] = b"Traceback\nModuleNotFoundError: No module named 'astropy'\n"
        move(session, Phase.STARTING, Phase.FAILED, reason="The program ended before its interface answered.")
        Workload.objects.filter(pk=session.id).update(exit_code=1)
    elif state != "queued":
        move(session, Phase.STARTING, reason="Preparing the sandbox.")
        move(session, Phase.RUNNING, reason="The interface answers.")
        QuietRuntime.printed[session.id] = b"[I 05:50:13.412 ServerApp] Serving notebooks\n" * 8
        Workload.objects.filter(pk=session.id).update(
            memory_bytes=1700 * 2**20,
            cpu_seconds=812.4,
            scratch_bytes=40 * 2**20,
            started_at=timezone.now() - timedelta(minutes=20),
        )
    if state == "warned":
        idle_since(session, timedelta(hours=7, minutes=45))
        Session.objects.filter(pk=session.id).update(warned_at=timezone.now())
    if state == "stopped":
        move(session, Phase.STOPPING, Phase.STOPPED, reason="You stopped it.")
