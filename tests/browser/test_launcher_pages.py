"""The launcher and the list of runs: axe finds nothing, files are chosen by keyboard, without a script as well."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, expect

from spacelab.accounts.models import Person
from support.axe import check_by_day_and_night
from support.browsing import browsing
from support.runs import MANY, Coordinator, file_of, launch, make_pipeline
from support.sessions import make_archive, make_team, quiet_runtime  # noqa: F401  a fixture among them

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quiet_runtime"),
]


@pytest.fixture
def ada(transactional_db: None, scientist: Person, tmp_path: Any) -> Person:
    """Give the scientist pipelines, files, data, a team, and a run."""
    make_archive("euclid", tmp_path)
    make_team("plasma", scientist)
    for name in ("tables/a.csv", "sky.fits"):
        file_of(scientist, name)
    make_pipeline(scientist)
    make_pipeline(scientist, "many", {"main.cwl": MANY})
    told = Coordinator(launch(scientist, title="First look"))
    told.begin()
    told.start("count")
    told.end("count", "failed", reason="The command ended with exit code 1.")
    told.finish("failed", reason="A step failed.")
    told.followed()
    return scientist


def test_the_pages_are_usable_by_everybody(chromium: Browser, live_server: LiveServer, ada: Person) -> None:
    with browsing(chromium, live_server.url, ada) as page:
        for address in (
            "/runs/",
            "/runs/?state=succeeded",
            "/pipelines/many/launch",
            "/pipelines/many/launch?view=text",
        ):
            page.goto(address)
            check_by_day_and_night(page, address)
        page.goto("/pipelines/many/launch")
        page.get_by_role("button", name=re.compile("^Browse for inputs.picture")).click()
        expect(page.get_by_role("button", name=re.compile("Your workspace"))).to_be_visible()
        check_by_day_and_night(page, "the list of places")
        page.get_by_role("button", name="Launch").last.click()
        expect(page.get_by_role("alert")).to_be_visible()
        check_by_day_and_night(page, "with errors")


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without"])
def test_a_file_is_chosen_by_keyboard(chromium: Browser, live_server: LiveServer, ada: Person, *, script: bool) -> None:
    with browsing(chromium, live_server.url, ada, java_script_enabled=script) as page:
        page.goto("/pipelines/hello/launch")
        page.get_by_role("button", name=re.compile("^Browse")).press("Enter")
        page.get_by_role("button", name=re.compile("Your workspace")).press("Enter")
        page.get_by_role("button", name="tables").press("Enter")
        page.get_by_role("button", name="a.csv").press("Enter")
        field = page.get_by_label("text", exact=False).first
        expect(field).to_have_value("/media/user/tables/a.csv")
        field.press("Enter")
        page.wait_for_url(re.compile(r"/runs/[a-z0-9]{12}/"))
        expect(page.get_by_text("queued").first).to_be_visible()
