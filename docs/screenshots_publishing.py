"""Pictures of a datalab's way from a draft to the catalogue: its author's pages, the review, what users say of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page
from screenshot_tools import (
    BUILD,
    DEVELOPER,
    OPERATOR,
    PATIENCE,
    SCIENTIST,
    WIDE,
    Album,
    Portal,
    context,
    everywhere,
    sign_in,
    submit,
)

MODERATOR = "demo-moderator"
PACKAGE = Path(__file__).resolve().parents[1] / "catalogue" / "examples" / "web"
SLUG, VERSION = "redshift-table", "1.0.0"
AUTHOR_PAGES = {"author-testing": "testing:author-testing", "author-metadata": "datalabs:author-metadata"}
REMARK = "Please name the source of these wavelengths."
PRAISE = "Just what one needs beside a spectrum. Could it show **air wavelengths**, too?"


def build(page: Page, portal: Portal) -> None:
    """Bring the example, build it, and wait until it has passed its launch test."""
    page.goto(portal.page("builds:bring"))
    page.locator("#id_upload").set_input_files([one for one in PACKAGE.iterdir() if one.is_file()])
    page.locator("#send-upload").click()
    page.wait_for_url(BUILD)
    submit(page).click()
    page.wait_for_selector("#build-notices [data-tone=ok]", timeout=PATIENCE * 1000)
    page.goto(portal.page("testing:author-testing", SLUG, VERSION))
    page.wait_for_selector("text=Passed.", timeout=PATIENCE * 1000)
    page.goto(portal.page("datalabs:author-visibility", SLUG, VERSION))
    page.get_by_label("Everybody, once it is published").check()
    page.get_by_role("button", name="Save").click()


def review(page: Page, portal: Portal) -> None:
    """Take the version for review, comment on a line, and fill in the checklist."""
    page.goto(portal.page("moderation:review", SLUG, VERSION))
    page.get_by_role("button", name="Take for review").click()
    page.goto(portal.page("moderation:comments", SLUG, VERSION) + "?path=redshift.py&line=8")
    page.get_by_label("Comment", exact=True).fill(REMARK)
    page.get_by_role("button", name="Send", exact=True).click()
    page.goto(portal.page("moderation:review", SLUG, VERSION))
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Keep the checklist").click()


def use(page: Page, portal: Portal) -> None:
    """Rate the datalab, and write about it."""
    page.goto(portal.page("datalabs:detail", SLUG))
    page.get_by_role("button", name="5 stars").click()
    page.get_by_label("Your comment").fill(PRAISE)
    page.get_by_role("button", name="Send", exact=True).click()


def publishing(browser: Browser, portal: Portal, album: Album) -> None:
    """Take a version's life, with everybody who has a part in it signed in at once."""
    with ExitStack() as stack:
        people = {}
        for username in (DEVELOPER, MODERATOR, SCIENTIST, OPERATOR):
            people[username] = stack.enter_context(context(browser, "light", WIDE)).new_page()
            sign_in(people[username], portal, username)
        developer, moderator = people[DEVELOPER], people[MODERATOR]
        build(developer, portal)
        here = {name: (route, SLUG, VERSION) for name, route in AUTHOR_PAGES.items()}
        everywhere(browser, portal, developer.context.storage_state(), here, album)
        developer.get_by_role("button", name="Submit for review").click()
        review(moderator, portal)
        pages: dict[str, tuple[str, ...]] = {
            "reviews": ("moderation:queue",),
            "review": ("moderation:review", SLUG, VERSION),
            "review-files": ("moderation:files", SLUG, VERSION),
        }
        everywhere(browser, portal, moderator.context.storage_state(), pages, album)
        moderator.goto(portal.page("moderation:review", SLUG, VERSION))
        moderator.get_by_role("button", name="Approve").click()
        developer.goto(portal.page("datalabs:author-history", SLUG, VERSION))
        developer.get_by_role("button", name="Publish").click()
        history: dict[str, tuple[str, ...]] = {
            "author-history": ("datalabs:author-history", SLUG, VERSION),
            "author-list": ("datalabs:author-list",),
            "notifications": ("notifications:list",),
        }
        everywhere(browser, portal, developer.context.storage_state(), history, album)
        use(people[SCIENTIST], portal)
        found: dict[str, tuple[str, ...]] = {
            "datalab-published": ("datalabs:detail", SLUG),
            "launch-link": ("lab_sessions:launch-link", SLUG),
        }
        everywhere(browser, portal, people[SCIENTIST].context.storage_state(), found, album)
        roles: dict[str, tuple[str, ...]] = {"roles": ("accounts:roles",)}
        everywhere(browser, portal, people[OPERATOR].context.storage_state(), roles, album)
