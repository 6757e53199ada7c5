"""The whole life of a datalab, by four people who are signed in at once: from a failed build to the archive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from support.browsing import sign_in
from support.chromium import LONG_PATIENCE, PATIENCE
from support.client import Client
from support.platform import Platform
from support.session_pages import open_session, session_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PACKAGE = Path("catalogue/examples/web")
SLUG, TITLE = "whole-life", "A whole life"
DEVELOPER = "Henrietta (demo developer)"
MISSING = "no-such-package-of-ours==7\n"

TRY = [("Build", "draft → building"), ("Build has ended well", "building → built")]
TEST = [("Test", "built → testing"), ("Launch test", "passed")]
STORY = [
    ("Build", "draft → building"),
    ("Build has failed", "building → build failed"),
    ("Change what was built", "build failed → draft"),
    *TRY,
    *TEST,
    ("Change for whom it is", "everybody"),
    ("Submit for review", "testing → submitted"),
    ("Take for review", "submitted → in review"),
    ("Ask for changes", "in review → changes requested"),
    ("Change what was built", "changes requested → draft"),
    *TRY,
    *TEST,
    ("Submit for review", "testing → submitted"),
    ("Take for review", "submitted → in review"),
    ("Approve", "in review → approved"),
    ("Publish", "approved → published"),
    ("A newer version was published", "published → superseded"),
    ("Archive", "superseded → archived"),
]
"""What happens to the first version, as its history names it."""


class Someone:
    """A person at her own browser, signed in all the time."""

    def __init__(self, chromium: Browser, platform: Platform, role: str) -> None:
        self.context = chromium.new_context(base_url=platform.url, viewport={"width": 1440, "height": 900})
        self.page = self.context.new_page()
        sign_in(self.page, f"demo {role}")

    def press(self, name: str) -> None:
        """Press a button of the page, and wait for the page that answers."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follow a link of the page, and wait for where it leads."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name, exact=True).first.click()

    def sees(self, text: str | re.Pattern[str], patience: int = PATIENCE) -> None:
        """Wait until the page says something."""
        expect(self.page.get_by_role("main").get_by_text(text).first).to_be_visible(timeout=patience)

    def is_told(self, text: str) -> None:
        """Find it in the news behind the bell."""
        self.page.goto("/notifications/")
        self.sees(text)


@pytest.fixture
def people(chromium: Browser, platform: Platform) -> Iterator[dict[str, Someone]]:
    """Sign four people in, each with a browser of her own."""
    with ExitStack() as stack:
        roles = ("developer", "moderator", "scientist", "operator")
        found = {role: Someone(chromium, platform, role) for role in roles}
        for one in found.values():
            stack.callback(one.context.close)
        yield found


def rows(page: Page) -> list[list[str]]:
    """Read the cells of the page's table."""
    lines = page.get_by_role("main").locator("tbody tr").all()
    return [line.locator("th, td").all_inner_texts() for line in lines]


def files(version: str, requirements: str = "") -> list[FilePayload]:
    """Return the example's files as a version, as a browser sends them."""
    named = {one.name: one.read_text() for one in PACKAGE.iterdir() if one.is_file()}
    changes = {"version: 1.0.0": f"version: {version}", "redshift-table": SLUG, "Redshift table": TITLE}
    for before, after in changes.items():
        named["datalab-meta.yml"] = named["datalab-meta.yml"].replace(before, after)
    if requirements:
        named["requirements.txt"] = requirements
    return [{"name": name, "mimeType": "text/plain", "buffer": text.encode()} for name, text in named.items()]


def bring(developer: Someone, version: str, requirements: str = "") -> None:
    """Upload the example as a version, and have it built."""
    page = developer.page
    page.goto("/bring")
    page.get_by_label("Notebook, files or a zip").set_input_files(files(version, requirements))
    developer.press("See the plan")
    page.wait_for_url(re.compile(r"/builds/[a-z0-9]{12}$"))
    developer.press("Build")


def change(developer: Someone, path: str, before: str, after: str) -> None:
    """Change the first version's file on its page, and build it again."""
    developer.page.goto(f"/author/{SLUG}/1.0.0/files")
    developer.follow(path)
    text = developer.page.get_by_label("Text", exact=True)
    text.fill(text.input_value().replace(before, after))
    developer.press("Save")
    developer.follow("See the plan and build")
    developer.press("Build")


def wait_for_test(developer: Someone, version: str) -> None:
    """Look at the Testing page until the launch test has passed."""
    developer.sees("It can be launched.", LONG_PATIENCE)
    developer.page.goto(f"/author/{SLUG}/{version}/testing")
    developer.sees("Passed.", LONG_PATIENCE)


def publish(developer: Someone, moderator: Someone, version: str) -> None:
    """Submit, approve and publish."""
    author, review = f"/author/{SLUG}/{version}/", f"/review/{SLUG}/{version}"
    developer.page.goto(author)
    developer.press("Submit for review")
    moderator.page.goto(review)
    moderator.press("Take for review")
    for box in moderator.page.get_by_role("checkbox").all():
        box.check()
    moderator.press("Keep the checklist")
    moderator.press("Approve")
    developer.page.goto(author)
    developer.press("Publish")
    expect(developer.page.locator(".page-head .badge")).to_have_text("published")


def for_everybody(developer: Someone, version: str) -> None:
    """Open the version to everybody, once it is published."""
    developer.page.goto(f"/author/{SLUG}/{version}/visibility")
    developer.page.get_by_label("Everybody, once it is published").check()
    developer.press("Save")


def launch(someone: Someone, platform: Platform) -> None:
    """Launch what the page offers, use its interface, and stop it."""
    page = someone.page
    someone.press("Launch")
    session = session_of(page)
    tab = open_session(page)
    tab.get_by_label("Redshift").fill("1")
    tab.get_by_role("button", name="Show").click()
    expect(tab.get_by_role("row", name="H β")).to_contain_text("972.3")
    tab.close()
    Client(platform, "demo-scientist").stop(session)


def mend_a_failed_build(developer: Someone) -> None:
    """See the first build fail, change the file where it stands, and build again."""
    bring(developer, "1.0.0", MISSING)
    expect(developer.page.get_by_label("Why it failed")).to_contain_text(
        "no-such-package-of-ours", timeout=LONG_PATIENCE
    )
    change(developer, "requirements.txt", MISSING, "# nothing beyond Python\n")


def ask_for_a_change(moderator: Someone) -> None:
    """Hear of it as a moderator, comment on a line, and ask for a change."""
    moderator.is_told(f"{TITLE} 1.0.0")
    review = f"/review/{SLUG}/1.0.0"
    moderator.page.goto(review)
    moderator.press("Take for review")
    moderator.page.goto(f"{review}/comments?path=redshift.py&line=8")
    moderator.page.get_by_label("Comment", exact=True).fill("Please name the source of these wavelengths.")
    moderator.press("Send")
    moderator.page.goto(review)
    moderator.page.get_by_label("Reason").fill("The table names no source.")
    moderator.press("Ask for changes")


def find_nothing(scientist: Someone) -> None:
    """Look for what is under review: it is in no search, and its page is none."""
    scientist.page.goto("/catalogue/?q=whole+life")
    expect(scientist.page.get_by_role("link", name=TITLE)).to_have_count(0)
    answer = scientist.page.goto(f"/catalogue/{SLUG}/")
    assert answer
    assert answer.status == 404


def answer_and_change(developer: Someone) -> None:
    """Read the reason, answer the comment, and do what was asked."""
    developer.is_told("The table names no source.")
    developer.page.goto(f"/author/{SLUG}/1.0.0/review")
    developer.page.locator("summary", has_text="Answer").click()
    developer.page.get_by_label("Answer", exact=True).fill("It is the NIST database; the file says so now.")
    developer.press("Send")
    developer.sees("It is the NIST database")
    change(developer, "redshift.py", "LINES = {", "# Wavelengths: NIST Atomic Spectra Database.\nLINES = {")


def find_and_launch(scientist: Someone, platform: Platform) -> None:
    """Type a word, find it, use it, and rate it."""
    scientist.page.goto("/catalogue/")
    scientist.page.get_by_label("Search").fill("whole life")
    scientist.page.wait_for_url("**/catalogue/?q=*")
    scientist.page.get_by_role("main").get_by_role("link", name=TITLE).first.click()
    scientist.page.wait_for_url(f"**/catalogue/{SLUG}/")
    scientist.follow("Launch")
    launch(scientist, platform)
    scientist.page.goto(f"/catalogue/{SLUG}/")
    scientist.press("5 stars")
    scientist.sees("You gave 5 of 5")


def archive(developer: Someone) -> None:
    """Put the first version away."""
    developer.page.goto(f"/author/{SLUG}/1.0.0/")
    expect(developer.page.locator(".page-head .badge")).to_have_text("superseded")
    developer.follow("Archive…")
    developer.page.get_by_label("Reason").fill("Version 2 replaces it.")
    developer.press("Archive")


def look_back(developer: Someone, operator: Someone) -> None:
    """Read the story in the history, and the same in the audit trail."""
    developer.page.goto(f"/author/{SLUG}/1.0.0/history")
    told = list(reversed(rows(developer.page)))
    assert [(what, outcome) for _, what, _, outcome, _ in told] == STORY
    assert told[-1][2:] == [DEVELOPER, "superseded → archived", "Version 2 replaces it."]
    operator.page.goto(f"/audit/?subject=datalab:{SLUG}")
    lines = [line for line in reversed(rows(operator.page)) if "version: 1.0.0" in line[4]]
    moved = [(actor, found[1]) for _, actor, _, _, text in lines if (found := re.search(r"after: (\S+)", text))]
    assert [after.replace("-", " ") for _, after in moved] == [
        outcome.rsplit("→ ", 1)[1] for *_, outcome, _ in told if "→" in outcome
    ]
    for state, person in {"approved": "person:demo-moderator", "published": "person:demo-developer"}.items():
        assert (person, state) in moved


def test_from_a_failed_build_to_an_archived_version_that_starts(people: dict[str, Someone], platform: Platform) -> None:
    developer, moderator = people["developer"], people["moderator"]
    scientist, operator = people["scientist"], people["operator"]
    mend_a_failed_build(developer)
    wait_for_test(developer, "1.0.0")
    for_everybody(developer, "1.0.0")
    developer.press("Submit for review")
    ask_for_a_change(moderator)
    find_nothing(scientist)
    answer_and_change(developer)
    wait_for_test(developer, "1.0.0")
    publish(developer, moderator, "1.0.0")
    find_and_launch(scientist, platform)

    bring(developer, "2.0.0")
    wait_for_test(developer, "2.0.0")
    for_everybody(developer, "2.0.0")
    publish(developer, moderator, "2.0.0")
    archive(developer)
    scientist.page.goto(f"/datalabs/{SLUG}/launch?version=1.0.0")
    launch(scientist, platform)
    look_back(developer, operator)
