"""Pages of pipelines in a real browser: axe finds nothing, nothing sticks out, and the graph is walked by keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, expect

from spacelab.accounts.models import Person
from spacelab.pipelines import actions
from spacelab.pipelines.models import PipelineImport
from spacelab.pipelines.rules import Kind
from support.axe import BY_DAY, BY_NIGHT, bring_axe, check, shaped
from support.browsing import browsing
from support.people import make_person
from support.pipelines import USING, WORKFLOW

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SQUEEZED = "[...document.querySelectorAll('tr.told td + td')].some(one => one.offsetWidth < 150)"
BROKEN = WORKFLOW.replace("say.cwl", "catalogue/none/1.0.cwl").replace("message: message}", "massage: message}")
PAGES = [
    "/pipelines/",
    "/pipelines/steps/?q=nothing-has-this",
    "/pipelines/scatter-gather/",
    "/pipelines/broken/",
    "/pipelines/new",
    "/pipelines/new?git_url=https%3A%2F%2Fexample.org%2Fa.git",
    "/pipelines/imports/failedimport",
    "/pipelines/own/compare",
    "/pipelines/mine/",
    "/pipelines/own/0.1.0/author/files",
    "/pipelines/own/0.1.0/author/file?path=main.cwl",
    "/pipelines/own/0.1.0/author/metadata",
    "/pipelines/own/0.1.0/author/testing",
    "/pipelines/own/0.1.0/author/history",
]


def prepared() -> Person:
    """Install what is shipped, and give somebody a draft that is valid and one that is not."""
    for kind in (Kind.STEP, Kind.PIPELINE):
        for folder in sorted(Path(settings.CATALOGUE_DIRECTORY, f"{kind}s").iterdir()):
            actions.install_folder(by=actions.SYSTEM, folder=folder, kind=kind)
    dora = make_person("dora", "developer")
    own = USING.replace("catalogue/say/1.0", "catalogue/figlet/1.0").replace("{message: message}", "{text: message}")
    own = own.replace("say/said", "say/letters").replace("[said]", "[letters]")
    actions.create(by=dora, slug="own", files={"main.cwl": own})
    actions.create(by=dora, slug="own", version="0.2.0", files={"main.cwl": f"{own}# more\n", "notes.md": "# Notes\n"})
    address = "https://example.org/people/tool.git"
    PipelineImport.objects.create(
        id="failedimport", person=dora, slug="x", version="1", git_url=address, state="failed", ended_at=timezone.now()
    )
    actions.create(by=dora, slug="broken", files={"main.cwl": BROKEN})
    return dora


def test_pages_are_usable_by_everybody(chromium: Browser, live_server: LiveServer) -> None:
    with browsing(chromium, live_server.url, prepared()) as page:
        bring_axe(page.context)
        for address in PAGES:
            page.goto(address)
            for shape in (BY_DAY, BY_NIGHT):
                shaped(page, shape)
                check(page, (address, shape))
                assert not page.evaluate(SQUEEZED), (address, shape)


def test_the_graph_is_walked_by_keyboard_and_leads_to_its_steps(chromium: Browser, live_server: LiveServer) -> None:
    prepared()
    with browsing(chromium, live_server.url) as page:
        page.goto("/pipelines/scatter-gather/")
        page.locator(".graph").focus()
        heard = []
        for _ in range(6):
            page.keyboard.press("Tab")
            heard.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        assert heard[0].startswith("input A folder")
        assert any(one.startswith("step Count each one's words, scattered") for one in heard)
        page.locator("a.graph-box", has_text="count").first.focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("#node-(list$|count)"))
