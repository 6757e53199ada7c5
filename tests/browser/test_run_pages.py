"""Pages of runs in a real browser: usable by everybody, with and without scripts, alive without anything moving."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from spacelab.accounts.models import Person
from spacelab.workloads.rules import Phase
from support import run_pages
from support.asgi_server import serving
from support.axe import BY_DAY, BY_NIGHT, at_rest, bring_axe, check, shaped
from support.browsing import browsing
from support.people import make_person
from support.runs import file_of, make_pipeline
from support.sessions import quiet_runtime as _quiet_runtime

quiet_runtime = _quiet_runtime
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_runtime")]
ON_WIDE = ("failed", "running", "compare", "crate", "schedules", "schedule", "new schedule")
"""Pages that are looked at on a wide screen too; what they consist of is on the others as well."""
SHIFTS = """window.shifts = 0;
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shifts += one.value; })
  .observe({ type: "layout-shift", buffered: false });"""


@pytest.fixture
def portal() -> Iterator[str]:
    """Serve the portal."""
    with serving() as url:
        yield url


@pytest.fixture
def ada(transactional_db: None) -> Person:
    """Make a person."""
    return make_person("ada")


def pictured(page: Page, name: str) -> None:
    """Look at the page; keep a picture where one is wanted."""
    if folder := os.environ.get("SPACELAB_TEST_PICTURES"):
        width = page.evaluate("window.innerWidth")
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    check(page, name)


def schedules_of(person: Person) -> dict[str, str]:
    """Give the person a pipeline that starts by itself; return the pages of that."""
    make_pipeline(person)
    file_of(person)
    client = Client()
    client.force_login(person)
    text = "text:\n  class: File\n  location: /media/user/words.txt\n"
    wanted = {"trigger": "time", "cron": "30 6 * * MON-FRI", "time_zone": "Europe/Madrid", "missed": "once"}
    made = client.post("/pipelines/hello/schedule", {**wanted, "profile": "small", "job_text": text})
    return {
        "schedules": "/schedules/",
        "schedule": made.headers["Location"],
        "new schedule": "/pipelines/hello/schedule",
    }


def test_everybody_can_use_the_pages_of_runs(chromium: Browser, portal: str, ada: Person) -> None:
    failed, good = run_pages.failed(ada, frames=30), run_pages.succeeded(ada)
    other = run_pages.succeeded(ada, threshold=5.0, version="1.3", detect=run_pages.tool("stack"))
    story = run_pages.running(ada)
    pages = {
        "failed": f"{failed.pk}/",
        "succeeded": f"{good.pk}/",
        "running": f"{story.run_id}/",
        "job": f"{failed.pk}/jobs/detect.15/",
        "jobs": f"{failed.pk}/jobs?step=calibrate",
        "files": f"{good.pk}/files/",
        "table": f"{good.pk}/files/catalogue.csv",
        "fits": f"{good.pk}/files/mosaic.fits",
        "picture": f"{good.pk}/files/plot.png",
        "text": f"{good.pk}/files/report.log",
        "compare": f"compare?left={good.pk}&right={other.pk}",
        "crate": f"{good.pk}/crate",
        **schedules_of(ada),
    }
    with browsing(chromium, portal, ada) as page:
        bring_axe(page.context)
        for name, path in pages.items():
            page.goto(path if path.startswith("/") else f"/runs/{path}")
            page.evaluate("for (const one of document.querySelectorAll('main details.fold')) one.open = true")
            for shape in (BY_DAY, BY_NIGHT) if name in ON_WIDE else (BY_NIGHT,):
                shaped(page, shape)
                pictured(page, name)


def test_the_page_follows_a_run_and_nothing_moves(chromium: Browser, portal: str, ada: Person) -> None:
    story = run_pages.running(ada)
    with browsing(chromium, portal, ada) as page:
        page.goto(f"/runs/{story.run_id}/")
        box = page.locator("#box-detect")
        expect(box).to_have_attribute("data-state", "running")
        expect(box).to_contain_text("2 of 8")
        at_rest(page)
        page.evaluate(SHIFTS)
        for number in range(2, 7):
            story.job(f"detect.{number}", 20 + number, 21 + number)
            story.followed()
            expect(box).to_contain_text(f"{number + 1} of 8")
        expect(page.locator("#run-steps")).to_contain_text("7 of 8")
        story.print("stack", "\n".join(f"added frame {number}" for number in range(100)))
        expect(page.locator("#run-tail")).to_contain_text("added frame 99")
        assert page.evaluate("window.shifts") == 0
        story.job("detect.7", 28, 29, "failed", reason="It failed.", advice="Do better.")
        story.step_ended("detect", "failed", 29)
        story.finish("failed", reason="A step failed.")
        story.carried(Phase.FAILED, exit_code=1)
        story.followed()
        expect(page.get_by_role("heading", name="detect.7 failed (exit code 1).")).to_be_visible()
        expect(box).to_have_attribute("data-state", "failed")
        expect(box).to_have_accessible_name(re.compile("7 of 8, 1 failed"))
        box.click()
        page.wait_for_url("**/jobs?step=detect")
        page.get_by_role("link", name="failed 1").click()
        page.get_by_role("link", name="detect.7").click()
        expect(page.get_by_text("Do better.")).to_be_visible()


def test_lists_and_previews_open_in_the_page(chromium: Browser, portal: str, ada: Person) -> None:
    good = run_pages.succeeded(ada, frames=60)
    with browsing(chromium, portal, ada) as page:
        page.goto(f"/runs/{good.pk}/")
        page.get_by_role("link", name="Calibrate frames with its 60 jobs").click()
        panel = page.locator("#run-jobs")
        expect(panel.get_by_role("rowheader")).to_have_count(25)
        panel.get_by_role("link", name="Next").click()
        expect(panel).to_contain_text("26\u201350")
        assert page.url == f"{portal}/runs/{good.pk}/"
        page.locator("summary", has_text="mosaic.fits").click()
        expect(page.get_by_alt_text("Image of mosaic.fits, 360 by 240 pixels")).to_be_visible()
        page.get_by_label("Stretch").select_option("zscale")
        expect(page.get_by_label("Stretch")).to_have_value("zscale")
        page.locator("summary", has_text="catalogue.csv").click()
        expect(page.get_by_role("columnheader", name="ra")).to_be_visible()
        page.locator("summary", has_text="plot.png").click()
        picture = page.get_by_alt_text("plot.png")
        expect(picture).to_be_visible()
        page.wait_for_function("one => one.complete && one.naturalWidth === 640", arg=picture.element_handle())
        pictured(page, "previews")


def test_everything_is_there_without_scripts(chromium: Browser, portal: str, ada: Person) -> None:
    good, failed = run_pages.succeeded(ada), run_pages.failed(ada)
    with browsing(chromium, portal, ada, java_script_enabled=False) as page:
        page.goto(f"/runs/{failed.pk}/")
        page.locator("#box-detect").click()
        page.wait_for_url("**/jobs?step=detect")
        page.get_by_role("link", name="detect.4").click()
        expect(page.locator("#job-stderr")).to_contain_text("threshold must be positive")
        page.goto(f"/runs/{good.pk}/")
        page.locator("summary", has_text="catalogue.csv").click()
        page.get_by_role("link", name=re.compile("Look at it.*catalogue.csv")).click()
        expect(page.get_by_role("columnheader", name="ra")).to_be_visible()
        page.goto(f"/runs/{good.pk}/files/mosaic.fits")
        page.get_by_label("Stretch").select_option("linear")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_label("Stretch")).to_have_value("linear")
        page.goto(f"/runs/{good.pk}/")
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_role("heading", name="Two runs compared")).to_be_visible()
        page.goto(f"/runs/{failed.pk}/")
        page.get_by_role("button", name="Retry what failed").click()
        expect(page.locator("#run-state")).to_contain_text("queued")


def test_a_job_s_log_is_followed(chromium: Browser, portal: str, ada: Person) -> None:
    story = run_pages.running(ada)
    with browsing(chromium, portal, ada) as page:
        page.goto(f"/runs/{story.run_id}/jobs/detect.2/")
        expect(page.locator("#job-stderr")).to_contain_text("found 214 sources")
        story.print("detect.2", "".join(f"line {number}\n" for number in range(200)))
        expect(page.locator("#job-stderr")).to_contain_text("line 199")
        story.job("detect.2", 20, 22)
        story.followed()
        expect(page.get_by_role("status")).to_have_text("succeeded")
