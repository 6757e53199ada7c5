"""The catalogue as a visitor meets it."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from support.datalabs import make_datalab
from support.people import make_person

pytestmark = pytest.mark.django_db


def found(client: Client, query: str) -> list[str]:
    page = client.get(f"/catalogue/{query}").content.decode()
    return re.findall(r'<h2><a href="/catalogue/([a-z0-9-]+)/"', page)


def test_a_visitor_finds_a_datalab_and_reads_about_it(client: Client) -> None:
    make_datalab("euclid-lab", title="Euclid Lab", tags=["euclid"], description="# More\n\n<script>x</script>")
    make_datalab("draft-lab", state="built")
    assert found(client, "") == ["euclid-lab"]
    page = client.get("/catalogue/euclid-lab/").content.decode()
    assert "<h1>More</h1>" in page
    assert "<script>x" not in page
    assert client.get("/catalogue/draft-lab/").status_code == 404


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("?q=GALAXIEN", ["a"]),
        ("?q=köhler+galaxien", ["a"]),
        ("?q=kohler", ["a"]),
        ("?q=kohler+nothing", []),
        ("?q=what", ["a", "b"]),
        ("?tag=Sun", ["b"]),
        ("?tag=su", []),
        ("?kind=desktop", ["b"]),
        ("?kind=nonsense", ["a", "b"]),
        ("?sort=newest", ["b", "a"]),
        ("?sort=nonsense&page=99999", ["a", "b"]),
        ("?q=%25", []),
    ],
)
def test_search_filter_and_sort(client: Client, query: str, slugs: list[str]) -> None:
    make_datalab("a", title="Äpfel", author="M. Köhler", tags=["Galaxien"])
    make_datalab("b", title="Birnen", kind="desktop", tags=["sun", "sunspots"])
    assert found(client, query) == slugs


def test_pages_keep_what_was_asked(client: Client) -> None:
    for number in range(30):
        make_datalab(f"lab-{number:02}")
    page = client.get("/catalogue/?q=lab&page=2").content.decode()
    assert len(re.findall(r'class="card linked"', page)) == 6
    assert "?q=lab&amp;page=1" in page


def test_nothing_found_says_so(client: Client) -> None:
    make_datalab()
    assert "Nothing fits" in client.get("/catalogue/?q=zzz").content.decode()


def test_an_icon_can_not_act(client: Client) -> None:
    make_datalab("a", icon="<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    answer = client.get("/catalogue/a/icon.svg")
    assert answer["Content-Type"].startswith("image/svg+xml")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "alert(1)" not in client.get("/catalogue/").content.decode()


def test_a_published_version_says_how_it_is_cited(client: Client) -> None:
    version = make_datalab("stars").versions.get()
    version.metadata = {"title": "Stars <i>", "creator.name": ["Lovelace, Ada"], "citation": "Cite “me”"}
    version.save()
    page = client.get("/catalogue/stars/").content.decode()
    assert "Lovelace, Ada (" in page
    assert "Stars &lt;i&gt;, version 1.0. Software. http://testserver/catalogue/stars/" in page
    assert "Cite “me”" in page
    assert "@software{stars-1.0," in page


def test_a_draft_is_not_cited(client: Client) -> None:
    author = make_person("dora", "developer")
    make_datalab("stars", state="built", maintainer=author)
    client.force_login(author)
    assert "How to cite it" not in client.get("/catalogue/stars/").content.decode()


@pytest.mark.parametrize(("role", "launches"), [("", 1), ("scientist", 2), ("moderator", 2)])
def test_versions_in_the_archive_are_shown_and_launched_by_whoever_may(
    client: Client, role: str, launches: int
) -> None:
    datalab = make_datalab("stars", version="1.0")
    datalab.versions.create(version="0.9", state="archived", visibility="everybody", published_at=timezone.now())
    if role:
        client.force_login(make_person("eva", role))
    page = client.get("/catalogue/stars/").content.decode()
    assert re.search(r"0\.9</span> <span[^>]*>archived", page)
    assert len(re.findall(r'href="/datalabs/stars/launch\?version=', page)) == launches
