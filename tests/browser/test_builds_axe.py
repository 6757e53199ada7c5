"""The pages of one build, as plan, in the queue, built and failed: axe finds nothing, nothing sticks out on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser

from spacelab.accounts.models import Person
from spacelab.builds import actions
from spacelab.builds.actions import SYSTEM
from spacelab.builds.models import Build
from spacelab.builds.upkeep import Workshop
from support.builds import bring, end_workload, queued, workshop  # noqa: F401  fixtures among them
from support.packages import META, notebook
from support.sessions import quiet_runtime  # noqa: F401  a fixture

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def builds(transactional_db: None, developer: Person, workshop: Workshop) -> dict[str, Build]:  # noqa: F811  as above
    """Make a build in each state that has a page of its own."""
    planned = bring(developer, {"a.ipynb": notebook("import humanize\nimport tqdm"), "datalab-meta.yml": META})
    built = queued(developer, "built-one")
    workshop.look()
    end_workload(built)
    for _ in range(3):
        workshop.look()
    failed = queued(developer, "failed-one")
    where = {"step": "Installing packages", "file": "requirements.txt", "line": 2}
    actions.fail(by=SYSTEM, build=failed, message="There is no package “nmpy”.", advice="Did you mean numpy?", **where)
    return {"planned": planned, "built": built, "failed": failed, "queued": queued(developer, "waiting-one")}


@pytest.mark.parametrize("shape", [("light", 1440), ("dark", 360)], ids=["light-wide", "dark-narrow"])
def test_the_pages_of_a_build_are_usable_by_everybody(
    chromium: Browser,
    live_server: LiveServer,
    builds: dict[str, Build],
    developer: Person,
    shape: tuple[str, int],
) -> None:
    client = Client()
    client.force_login(developer)
    scheme, width = shape
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    context.add_cookies([{"name": "spacelab", "value": client.cookies["spacelab"].value, "url": live_server.url}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for state, build in builds.items():
        page.goto(f"{live_server.url}/builds/{build.pk}", wait_until="domcontentloaded")
        page.wait_for_selector("h2")
        results = Axe().run(page)
        assert results.violations_count == 0, (state, results.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, state
    context.close()
    assert complaints == []
