"""The plan of a build in a browser: its main action in sight, sent once however often pressed, and what undoes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from spacelab.accounts.models import Person
from spacelab.builds.models import Build
from spacelab.builds.upkeep import Workshop
from support.axe import at_rest, check
from support.browsing import browsing
from support.builds import bring, end_workload, queued, start, state_of, workshop  # noqa: F401  fixtures among them
from support.packages import META, notebook
from support.sessions import quiet_runtime  # noqa: F401  a fixture

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = pytest.mark.parametrize("size", [(1440, 900), (768, 1024), (360, 740)], ids=["wide", "middle", "narrow"])


@pytest.fixture
def planned(transactional_db: None, developer: Person, workshop: Workshop) -> Build:  # noqa: F811  as above
    """Bring a notebook with metadata and many imports, for a long form."""
    imports = "\n".join(f"import {name}" for name in ("humanize", "tqdm", "requests_cache", "healpy", "sncosmo"))
    return bring(developer, {"stars.ipynb": notebook(imports), "datalab-meta.yml": META})


@SIZES
def test_the_main_action_is_in_sight_at_the_start_and_at_the_end_of_the_form(
    chromium: Browser,
    live_server: LiveServer,
    planned: Build,
    developer: Person,
    size: tuple[int, int],
) -> None:
    viewport = {"width": size[0], "height": size[1]}
    with browsing(chromium, live_server.url, developer, viewport=viewport) as page:
        page.goto(f"/builds/{planned.pk}")
        build = page.get_by_role("button", name="Build", exact=True)
        expect(build).to_be_in_viewport(ratio=1)
        field = page.get_by_label("Contact e-mail")
        field.focus()
        expect(field).to_be_in_viewport(ratio=1)
        expect(build).to_be_in_viewport(ratio=1)
        at_rest(page)
        bottom = field.evaluate("one => one.getBoundingClientRect().bottom")
        assert bottom <= page.locator(".action-bar").evaluate("one => one.getBoundingClientRect().top")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(page.get_by_role("link", name="API")).to_be_in_viewport()
        check(page, size)


def test_build_is_pressed_twice_and_built_once(
    chromium: Browser,
    live_server: LiveServer,
    planned: Build,
    developer: Person,
) -> None:
    with browsing(chromium, live_server.url, developer) as page:
        sent: list[str] = []
        page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
        page.goto(f"/builds/{planned.pk}")
        page.get_by_role("button", name="Build", exact=True).dblclick()
        expect(page.get_by_text("waiting", exact=True)).to_be_visible()
        assert len(sent) == 1
        page.go_back()
        expect(page.get_by_text("waiting", exact=True)).to_be_visible()
    assert Build.objects.count() == 1
    assert state_of(planned) == "queued"


def test_a_cancelled_build_and_a_discarded_plan_are_taken_up_again(
    chromium: Browser,
    live_server: LiveServer,
    planned: Build,
    developer: Person,
) -> None:
    build = queued(developer, "by-mistake")
    with browsing(chromium, live_server.url, developer) as page:
        page.goto(f"/builds/{build.pk}")
        page.get_by_role("button", name="Cancel build").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Go back").click()
        expect(page.locator("#build-state .badge")).to_have_text("waiting")
        page.get_by_role("button", name="Cancel build").click()
        dialog.get_by_role("button", name="Cancel build").click()
        expect(page.locator("#build-state .badge")).to_have_text("cancelled")
        page.get_by_role("button", name="Back to the plan").click()
        expect(page.get_by_label("Short name")).to_have_value("by-mistake")
        expect(page.get_by_role("button", name="Build", exact=True)).to_be_enabled()

        page.goto(f"/builds/{planned.pk}")
        page.get_by_label("Title").fill("Kept")
        page.get_by_role("button", name="Discard").click()
        dialog.get_by_role("button", name="Discard").click()
        expect(page.locator("#build-notices")).to_contain_text("You discarded this plan.")
        page.get_by_role("button", name="Back to the plan").click()
        page.wait_for_url(re.compile(rf"/builds/(?!{planned.pk})"))
        expect(page.get_by_role("button", name="Build", exact=True)).to_be_visible()


@pytest.fixture
def built(planned: Build, developer: Person, workshop: Workshop) -> Build:  # noqa: F811  as above
    """Build what was brought."""
    start(developer, planned)
    workshop.look()
    end_workload(planned)
    for _ in range(4):
        workshop.look()
    assert state_of(planned) == "built"
    return planned


@pytest.mark.usefixtures("built")
def test_a_folder_is_dropped_on_the_files_of_a_version(
    chromium: Browser, live_server: LiveServer, developer: Person, tmp_path: Path
) -> None:
    (tmp_path / "catalogue" / "faint").mkdir(parents=True)
    (tmp_path / "catalogue" / "faint" / "stars.csv").write_text("name,magnitude\nProxima,11.1\n")
    (tmp_path / "notes.md").write_text("# Notes\n")
    with browsing(chromium, live_server.url, developer) as page:
        page.goto("/author/nearby-stars/0.1.0/files")
        zone = page.locator("#dropzone")
        at_rest(page)
        zone.scroll_into_view_if_needed()
        box = zone.bounding_box()
        assert box
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        dropped = [str(tmp_path / "catalogue"), str(tmp_path / "notes.md")]
        data = {"items": [], "files": dropped, "dragOperationsMask": 1}
        devtools = page.context.new_cdp_session(page)
        for kind in ("dragEnter", "dragOver", "drop"):
            devtools.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})
        expect(page.locator("#chosen")).to_contain_text("catalogue/faint/stars.csv")
        expect(page.locator("#chosen")).to_contain_text("2 files")
        page.locator("#send-upload").click()
        page.get_by_role("link", name="See the plan and build").wait_for()
        expect(page.get_by_role("row", name="catalogue/faint/stars.csv")).to_be_visible()
        expect(page.get_by_role("row", name="stars.ipynb")).to_be_visible()
