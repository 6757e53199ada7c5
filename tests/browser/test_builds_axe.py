"""The pages of one build, as plan, in the queue, built and failed: axe finds nothing, nothing sticks out on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from spacelab.accounts.models import Person
from spacelab.builds import actions
from spacelab.builds.actions import SYSTEM
from spacelab.builds.models import Build
from spacelab.builds.upkeep import Workshop
from support.axe import check_by_day_and_night
from support.browsing import browsing
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


def test_the_pages_of_a_build_are_usable_by_everybody(
    chromium: Browser, live_server: LiveServer, builds: dict[str, Build], developer: Person
) -> None:
    with browsing(chromium, live_server.url, developer) as page:
        for state, build in builds.items():
            page.goto(f"/builds/{build.pk}")
            expect(page.get_by_role("heading", level=2).first).to_be_visible()
            check_by_day_and_night(page, state)
