"""Sessions in a real browser: the page follows what happens, works without scripts, and everybody can use it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from spacelab.accounts.models import Person
from spacelab.sessions import upkeep
from spacelab.sessions.models import Session
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Phase
from support.asgi_server import serving
from support.axe import check_by_day_and_night
from support.browsing import browsing
from support.people import make_person
from support.sessions import QuietRuntime, idle_since, launch, make_archive, make_datalab, make_team, move
from support.sessions import quiet_runtime as _quiet_runtime

quiet_runtime = _quiet_runtime
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_runtime")]


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


def test_the_page_follows_a_session_through_its_life(chromium: Browser, portal: str, ada: Person) -> None:
    with browsing(chromium, portal, ada) as page:
        page.goto("/datalabs/jupyterlab/launch")
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
    with browsing(chromium, portal, ada, java_script_enabled=False) as page:
        page.goto("/datalabs/jupyterlab/launch")
        page.get_by_role("button", name="Launch").click()
        expect(page.locator("#session-state")).to_contain_text("queued")
        move(Session.objects.get(), Phase.STARTING, Phase.RUNNING)
        expect(page.get_by_role("link", name="Open in a new tab")).to_be_visible()
        page.get_by_role("button", name="12 h").click()
        expect(page.get_by_text("kept for 12 hours")).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#session-state")).to_contain_text("stopping")


def test_the_form_and_its_refusals(chromium: Browser, portal: str, ada: Person) -> None:
    launch(ada, profile="large")
    launch(ada, profile="medium")
    QuietRuntime.warnings = ("Memory is limited for each process, not for a session as a whole.",)
    with browsing(chromium, portal, ada) as page:
        page.goto("/datalabs/jupyterlab/launch")
        check_by_day_and_night(page)
        page.get_by_label("Large").check()
        page.get_by_role("button", name="Launch").click()
        expect(page.get_by_text("in your quota")).to_be_visible()
        check_by_day_and_night(page)


@pytest.mark.parametrize("state", ["queued", "running", "warned", "failed", "stopped"])
def test_a_session_s_page_in_each_state(chromium: Browser, portal: str, ada: Person, state: str) -> None:
    session = launch(ada, volumes=["euclid", "hipparcos"], title="Parallaxes of the Hyades")
    show(session, state)
    with browsing(chromium, portal, ada) as page:
        page.goto(f"/sessions/{session.id}")
        check_by_day_and_night(page)


def test_the_lists(chromium: Browser, portal: str, ada: Person) -> None:
    with browsing(chromium, portal, ada) as page:
        page.goto("/sessions")
        check_by_day_and_night(page)
        for state in ("running", "warned", "failed", "stopped", "queued"):
            show(launch(ada, title=f"A {state} one"), state)
        for address in ("/sessions", "/sessions/all", "/"):
            page.goto(address)
            check_by_day_and_night(page)


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
