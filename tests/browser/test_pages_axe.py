"""Every page in a real browser: axe finds nothing, the policy blocks nothing, nothing sticks out on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone
from playwright.sync_api import Browser, Page

from spacelab.accounts.models import Person
from spacelab.audit.actions import System
from spacelab.builds.models import Build
from spacelab.datalabs.actions import advance, bookmark, rate
from spacelab.datalabs.models import DatalabVersion
from spacelab.feedback.models import Comment, Report
from spacelab.moderation.models import ReviewComment
from spacelab.publishing.rules import State
from spacelab.volumes.actions import declare_archive, retire_archive
from support.authoring import make_version
from support.axe import bring_axe, check_by_day_and_night
from support.browsing import complaints_of, let_in
from support.datalabs import make_datalab
from support.people import make_person
from support.reviews import make_package, make_submitted

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = [
    ("/", ""),
    ("/", "scientist"),
    ("/catalogue/", ""),
    ("/catalogue/", "operator"),
    ("/catalogue/?q=nothing-has-this", ""),
    ("/catalogue/jupyterlab/", ""),
    ("/catalogue/jupyterlab/", "scientist"),
    ("/catalogue/?mission=Gaia&opens=fits&official=on", ""),
    ("/launch/jupyterlab?file=/media/user/a.fits", ""),
    ("/launch/jupyterlab?file=/media/user/a.fits", "scientist"),
    ("/open?file=/data/hipparcos/hip2.fits", ""),
    ("/datalabs/jupyterlab/launch?open=/data/hipparcos/README.md", "scientist"),
    ("/datalabs/jupyterlab/threads/nearby", "scientist"),
    ("/bring", "developer"),
    ("/datalabs/jupyterlab/derive?version=1.0", "developer"),
    ("/author/", "scientist"),
    ("/author/", "developer"),
    ("/author/spectra/1.0/history", "developer"),
    ("/author/spectra/2.0/history", "developer"),
    ("/author/spectra/1.0/metadata", "developer"),
    ("/author/spectra/2.0/metadata", "developer"),
    ("/author/spectra/1.0/visibility", "developer"),
    ("/author/spectra/1.0/testing", "developer"),
    ("/author/spectra/2.0/testing", "developer"),
    ("/author/spectra/2.0/files", "developer"),
    ("/author/spectra/2.0/files/edit?path=app.py", "developer"),
    ("/author/spectra/2.0/build", "developer"),
    ("/author/spectra/1.0/advance?transition=archive", "developer"),
    ("/author/spectra/2.0/delete", "developer"),
    ("/builds", "developer"),
    ("/builds/all", "operator"),
    ("/data/", "operator"),
    ("/data/hipparcos", "operator"),
    ("/volumes/", "operator"),
    ("/volumes/declare", "operator"),
    ("/volumes/hipparcos/change", "operator"),
    ("/volumes/", "scientist"),
    ("/review/", "moderator"),
    ("/review/?show=mine", "moderator"),
    ("/review/prisms/1.0", "moderator"),
    ("/review/prisms/1.0/files", "moderator"),
    ("/review/prisms/1.0/comments", "moderator"),
    ("/author/prisms/1.0/review", "developer"),
    ("/review/reports/", "moderator"),
    ("/review/reports/?show=settled", "moderator"),
    ("/review/reports/1/settle", "moderator"),
    ("/catalogue/jupyterlab/comments/", "moderator"),
    ("/catalogue/jupyterlab/comments/1/", "scientist"),
    ("/catalogue/jupyterlab/comments/3/edit", "scientist"),
    ("/catalogue/jupyterlab/report", "scientist"),
    ("/catalogue/jupyterlab/report?comment=1", "scientist"),
    ("/bookmarks/", "scientist"),
    ("/no-such-page", ""),
    ("/catalogue/no-such-datalab/", ""),
    ("/sign-in/", ""),
    ("/request-access/", ""),
    ("/account/", "scientist"),
    ("/account/password/", "scientist"),
    ("/account/tokens/", "scientist"),
    ("/notifications/", "scientist"),
    ("/notifications/?show=unread", "developer"),
    ("/account/notifications/", "operator"),
    ("/teams/", "scientist"),
    ("/roles/", "scientist"),
    ("/roles/", "operator"),
    ("/people/", "operator"),
    ("/people/add/", "operator"),
    ("/people/of/ada/", "operator"),
    ("/access-requests/", "operator"),
    ("/audit/", "operator"),
    ("/api/docs", ""),
]
"""Addresses, each with the role of who looks at it (empty for a visitor). Add yours here."""

THREAD = {
    "name": "nearby",
    "title": "Stars within a distance",
    "command": ["true"],
    "inputs": [
        {"name": "table", "title": "Table", "type": "file", "formats": ["md"]},
        {"name": "distance", "title": "Distance", "type": "number", "default": "10", "minimum": 1},
        {"name": "method", "title": "Method", "type": "choice", "choices": ["sum", "mean"]},
    ],
}


def somebody(role: str) -> Person:
    """Make somebody with this role, and what she has written."""
    ada = make_person("ada", role)
    if role == "developer":
        make_version(ada, state=State.PUBLISHED, published_at=timezone.now())
        advance(by=ada, version=make_version(ada, "2.0"), transition="submit")
        folder = settings.SPACELAB.state / "packages" / "spectra-2"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "app.py").write_text(
            '"""An app."""\nimport math\n\n@cached\ndef area(r: float) -> float:\n'
            "    # of a circle\n    return math.pi * r ** 2 if r > 0.5 else None\n"
        )
        changed = {"state": State.CHANGES_REQUESTED, "metadata": {}, "package": str(folder)}
        DatalabVersion.objects.filter(version="2.0").update(**changed)
        two = DatalabVersion.objects.get(version="2.0")
        known = {"person": ada, "slug": "spectra", "version": "2.0", "source": "upload", "package": "spectra-2"}
        Build.objects.create(id="b1", state="failed", number=1, datalab_version=two, brought="app.py", **known)
        Build.objects.create(id="b2", state="planned", brought="app.py", **known)
    return ada


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[Page]:
    """Open one page for all addresses, so that the browser has their common styles and scripts from the second on."""
    context = chromium.new_context()
    bring_axe(context)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def complaints(window: Page) -> list[str]:
    """Collect what breaks on the page."""
    return complaints_of(window)


@pytest.fixture
def page(window: Page, complaints: list[str], live_server: LiveServer) -> Iterator[Page]:
    """Give the page to a visitor whom nobody knows; nothing may break on it."""
    window.context.clear_cookies()
    complaints.clear()
    yield window
    window.goto(f"{live_server.url}{static('ui/mark.svg')}")  # asks for nothing while the database is emptied
    assert complaints == []


@pytest.fixture
def archives(transactional_db: None, tmp_path: Path) -> None:
    """Declare one archive for everybody and a retired one for nobody, from folders with a file each."""
    for name, access in (("hipparcos", "everyone"), ("euclid_q1", {"people": []})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "README.md").write_text(
            "# What is here\n\n| file | holds |\n|---|---|\n| a.fits | stars |\n"
        )
        facts = {"title": f"The {name} catalogue", "domain": "Astronomy", "mission": "Hipparcos", "summary": "Stars."}
        declare_archive(
            by=System("tests"), declaration={"name": name, "path": str(tmp_path / name), "access": access, **facts}
        )
    retire_archive(by=System("tests"), name="euclid_q1")


def put_under_review(folder: Path, author: Person) -> None:
    """Have a version of somebody's under review, with files, a published one before it, and a comment."""
    mona = make_person("mona", "moderator")
    old = make_package(folder / "old", {"app.py": "one\n"})
    make_submitted(author, "0.9", State.PUBLISHED, slug="prisms", package=str(old), published_at="2025-01-01T00:00Z")
    new = make_package(folder / "new", {"app.py": "two\n" + "long " * 50, "logo.png": b"\0"})
    version = make_submitted(author, slug="prisms", state=State.IN_REVIEW, reviewer=mona, package=str(new))
    make_submitted(author, "2.0", slug="lines")
    ReviewComment.objects.create(
        version=version, author=mona, text="Why *two*?", path="app.py", line=1, content_hash=version.content_hash
    )


def speak_about(slug: str) -> None:
    """Have people rate a datalab, write about it and report it, under numbers that addresses name."""
    subject, eva = f"datalab:{slug}", make_person("eva")
    ada = Person.objects.filter(username="ada").first() or make_person("ada")
    rate(by=eva, slug=slug, stars=4)
    Comment.objects.create(pk=1, subject=subject, author=eva, text="# Good\n\n" + "stars" * 40)
    Comment.objects.create(pk=2, subject=subject, author=eva, answers_id=1, by_owner=True, text="`x`")
    Comment.objects.create(pk=3, subject=subject, author=ada, text="Mine.")
    hidden = {"hidden_at": timezone.now(), "hidden_reason": "Advertising."}
    Comment.objects.create(pk=4, subject=subject, author=eva, text="Buy.", **hidden)
    Report.objects.create(
        pk=1, subject=subject, comment_id=1, quoted="Bad", reason="unwanted", text="*Why*", person=eva
    )
    done = {"state": "settled", "outcome": "done", "note": "Mended.", "settled_at": timezone.now()}
    Report.objects.create(subject=subject, reason="broken", person=eva, **done)
    bookmark(by=ada, slug=slug)


@pytest.mark.parametrize(("address", "role"), PAGES)
@pytest.mark.usefixtures("archives")
def test_a_page_is_usable_by_everybody(
    page: Page, live_server: LiveServer, tmp_path: Path, address: str, role: str
) -> None:
    make_datalab("jupyterlab", tags=["notebook"], description="# Inside\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    DatalabVersion.objects.update(threads=[THREAD], opens={"formats": ["md"]})
    if role:
        let_in(page.context, live_server.url, somebody(role))
    if any(part in address for part in ("jupyterlab/", "reports/", "bookmarks")):
        speak_about("jupyterlab")
    if "/review" in address:
        ada = Person.objects.get(username="ada")
        put_under_review(tmp_path, make_person("dora", "developer") if role == "moderator" else ada)
    page.goto(f"{live_server.url}{address}")
    check_by_day_and_night(page)
