"""Launch links ask before they start anything; badges; and what a file is opened with."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from spacelab.accounts.models import Person, Role
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.sessions.links import draw_badge
from spacelab.sessions.models import Session
from spacelab.volumes.models import Volume
from support.people import make_person
from support.sessions import make_archive, make_datalab

pytestmark = pytest.mark.django_db
LINK = "/launch/jupyterlab"


@pytest.fixture
def ada(client: Client, scientist: Person) -> Client:
    """Sign the scientist in."""
    client.force_login(scientist)
    return client


@pytest.fixture
def data(archive: Volume, tmp_path: Path) -> Volume:
    """Put a file into the archive `euclid`, and have another archive."""
    (Path(archive.path) / "deep").mkdir()
    (Path(archive.path) / "deep" / "field.fits").write_bytes(b"SIMPLE")
    return make_archive("gaia", tmp_path)


def test_a_link_asks_and_then_launches_what_it_said(ada: Client, jupyterlab: Datalab, data: Volume) -> None:
    address = f"{LINK}?version=1.0&volume=gaia&file=/data/euclid/deep/field.fits"
    page = ada.get(address)
    text = page.content.decode()
    assert page.status_code == 200
    for part in ("Nothing has been started yet", "/data/euclid", "/data/gaia", "/data/euclid/deep/field.fits", "Small"):
        assert part in text
    assert "volumes=gaia&amp;open=%2Fdata%2Feuclid%2Fdeep%2Ffield.fits" in text
    assert not Session.objects.exists(), "looking at it starts nothing"
    answer = ada.post(address, {"profile": "medium"})
    session = Session.objects.get()
    assert answer["Location"] == f"/sessions/{session.id}"
    assert session.volumes == ["euclid", "gaia"]
    assert session.opens == ["/data/euclid/deep/field.fits"]
    assert session.profile == "medium"


def test_a_file_lies_in_the_volume_that_is_named(ada: Client, jupyterlab: Datalab, data: Volume) -> None:
    ada.post(f"{LINK}?volume=euclid&file=deep/field.fits", {"profile": "small"})
    assert Session.objects.get().opens == ["/data/euclid/deep/field.fits"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("file=deep/field.fits", 422),
        ("volume=euclid&volume=gaia&file=deep/field.fits", 422),
        ("version=9.9", 422),
        ("volume=" + "x" * 1001, 422),
        ("file=%00/data/euclid", 422),
        ("&".join(f"volume=v{number}" for number in range(21)), 422),
    ],
)
def test_a_link_that_makes_no_sense_is_refused(
    ada: Client, jupyterlab: Datalab, data: Volume, query: str, status: int
) -> None:
    for answer in (ada.get(f"{LINK}?{query}"), ada.post(f"{LINK}?{query}", {"profile": "small"})):
        assert answer.status_code == status
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        "volume=nowhere",
        "file=/data/euclid/missing.fits",
        "file=/data/euclid/../../etc/passwd",
        "volume=euclid&file=../../../etc/passwd",
        "file=/etc/passwd",
        "file=/media/team_workspaces/theirs/a.fits",
    ],
)
def test_what_is_not_there_is_said_on_the_page(ada: Client, jupyterlab: Datalab, data: Volume, query: str) -> None:
    answer = ada.post(f"{LINK}?{query}", {"profile": "small"})
    assert answer.status_code == 422
    assert 'data-tone="bad"' in answer.content.decode()
    assert not Session.objects.exists()


def test_nobody_else_s_page_can_press_the_button(scientist: Person, jupyterlab: Datalab) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(scientist)
    answer = strict.post(LINK, {"profile": "small"})
    assert answer.status_code == 403
    assert strict.get(LINK)["X-Frame-Options"] == "DENY"
    assert not Session.objects.exists()


def test_a_visitor_reads_what_it_is_and_signs_in(client: Client, jupyterlab: Datalab) -> None:
    text = client.get(f"{LINK}?volume=euclid&file=a.fits").content.decode()
    assert "Sign in to launch" in text
    assert quote("/launch/jupyterlab?volume=euclid&file=a.fits", safe="") in text
    assert "<form" not in text.split("<main")[1].split("</main")[0]


def test_links_to_what_is_not_hers_tell_a_visitor_nothing(client: Client, jupyterlab: Datalab) -> None:
    make_datalab("secret", state="built", maintainer=make_person("dora", "developer"))
    for address in ("/launch/secret", "/launch/nothing", "/launch/jupyterlab?version=9.9"):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in")
        assert client.post(address).status_code == 302
    client.force_login(make_person("ada"))
    answers = {client.get(address).status_code for address in ("/launch/secret", "/launch/nothing")}
    assert answers == {404}


@pytest.mark.parametrize("role", ["scientist", "developer", "advanced developer", "moderator", "operator"])
def test_each_role_may_follow_a_link(jupyterlab: Datalab, role: str) -> None:
    browser = Client()
    browser.force_login(make_person("eva", role.replace(" ", "-")))
    assert browser.get(LINK).status_code == 200


def test_who_may_not_launch_is_refused(jupyterlab: Datalab) -> None:
    person = make_person("eva")
    person.roles.set([Role.objects.create(name="reader", permissions=[])])
    browser = Client()
    browser.force_login(person)
    assert browser.get(LINK).status_code == 403
    assert browser.post(LINK, {"profile": "small"}).status_code == 403
    assert not Session.objects.exists()


def test_the_badge_is_for_everybody_s_datalabs_alone(client: Client, jupyterlab: Datalab) -> None:
    make_datalab("secret", state="built", maintainer=make_person("dora", "developer"))
    answer = client.get(f"{LINK}/badge.svg")
    assert answer["Content-Type"].startswith("image/svg+xml")
    assert "launch Jupyterlab" in answer.content.decode()
    assert "public" in answer["Cache-Control"]
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "Set-Cookie" not in answer
    hidden, missing = client.get("/launch/secret/badge.svg"), client.get("/launch/nothing/badge.svg")
    assert (hidden.status_code, hidden.content) == (404, missing.content)


@pytest.mark.parametrize("title", ["TOPCAT", '"><script>alert(1)</script>', "Ä & <b>", "x" * 120, "星表", ""])
def test_a_badge_is_an_image_whatever_the_title(title: str) -> None:
    drawn = ET.fromstring(draw_badge(title))  # noqa: S314  our own drawing
    tags = {one.tag.rpartition("}")[2] for one in drawn.iter()}
    assert tags == {"svg", "title", "rect", "path", "g", "text"}
    assert 80 < int(drawn.attrib["width"]) < 420


def test_the_datalab_s_page_has_the_link_to_copy(client: Client, jupyterlab: Datalab) -> None:
    Datalab.objects.update(title="Lab [x] <b>")
    text = client.get("/catalogue/jupyterlab/").content.decode()
    assert r"[![Launch Lab \[x\] \&lt;b\&gt;](" in text
    assert "&lt;a href=&quot;http" in text
    assert ".. image:: http" in text
    DatalabVersion.objects.update(visibility="private")
    owner = make_person("dora", "developer")
    Datalab.objects.update(maintainer=owner)
    client.force_login(owner)
    assert ".. image:: http" not in client.get("/catalogue/jupyterlab/").content.decode()


def test_a_file_is_opened_with_what_opens_its_type(client: Client, jupyterlab: Datalab, archive: Volume) -> None:
    make_datalab("stars", opens={"formats": ["fits", "fit"]})
    make_datalab("tables", opens={"formats": ["csv"]})
    make_datalab("hidden", opens={"formats": ["fits"]}, state="built")
    (Path(archive.path) / "a b&c.fits").write_bytes(b"SIMPLE")
    volume = client.get("/data/euclid").content.decode()
    (address,) = re.findall(r'href="(/open\?file=[^"]+)"', volume)
    assert address == "/open?file=%2Fdata%2Feuclid/a%20b%26c.fits"
    text = client.get(address).content.decode()
    assert re.findall(r'href="(/launch/[^"]+)"', text) == ["/launch/stars?file=%2Fdata%2Feuclid%2Fa%20b%26c.fits"]
    assert "/data/euclid/a b&amp;c.fits" in text
    assert "Sign in to launch" in client.get("/launch/stars?file=%2Fdata%2Feuclid%2Fa%20b%26c.fits").content.decode()


@pytest.mark.parametrize("query", ["", "?file=README", "?file=a.unheard-of", "?file=%00", "?file=" + "x" * 5000])
def test_a_file_that_nothing_opens_gets_an_answer(client: Client, db: None, query: str) -> None:
    answer = client.get(f"/open{query}")
    assert answer.status_code == 200
    assert "Nothing here opens it by itself" in answer.content.decode()
