"""A draft is there for its datalab's maintainer and for nobody else: in pages, in the API, in the search."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from spacelab.accounts.models import Person, Role
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.sessions.models import Session
from support.people import make_person
from support.sessions import make_datalab

API = "/api/v1/datalabs"


@pytest.fixture
def maintainer(db: None, quiet_runtime: object) -> Person:
    """Somebody with one datalab that is a draft alone, and one with a draft beside a published version."""
    person = make_person("dora", "developer")
    make_datalab("spectra", version="0.1", state="built", maintainer=person)
    make_datalab("jupyterlab", maintainer=person)
    make_datalab("jupyterlab", version="2.0-rc", state="built")
    return person


def browser_of(person: Person | None) -> Client:
    client = Client()
    if person is not None:
        client.force_login(person)
    return client


OTHERS: dict[str, Callable[[], Person | None]] = {
    "visitor": lambda: None,
    "scientist": lambda: make_person("ada"),
    "developer": lambda: make_person("eve", "developer"),
    "advanced developer": lambda: make_person("adva", "advanced-developer"),
    "moderator": lambda: make_person("mod", "moderator"),
    "operator": lambda: make_person("olga", "operator"),
}


@pytest.mark.parametrize("who", OTHERS)
def test_nobody_else_finds_it(maintainer: Person, who: str) -> None:
    client = browser_of(OTHERS[who]())
    for path in ("/catalogue/", "/catalogue/?q=spectra", "/", f"{API}?q=spectra", f"{API}/jupyterlab"):
        text = client.get(path).content.decode()
        assert "Spectra" not in text
        assert "2.0-rc" not in text
    assert client.get("/catalogue/spectra/").status_code == 404
    assert client.get("/catalogue/spectra/icon.svg").status_code == 404
    assert client.get(f"{API}/spectra").status_code == 404
    assert "2.0-rc" not in client.get("/catalogue/jupyterlab/").content.decode()


@pytest.mark.parametrize("who", [one for one in OTHERS if one != "visitor"])
def test_nobody_else_launches_it(maintainer: Person, who: str) -> None:
    client = browser_of(OTHERS[who]())
    assert client.get("/datalabs/spectra/launch").status_code == 404
    assert client.post("/datalabs/spectra/relaunch").status_code == 404
    said = [
        client.post("/api/v1/sessions", {"datalab": slug, "version": version}, "application/json").json()
        for slug, version in (("spectra", "0.1"), ("nothing", "0.1"), ("jupyterlab", "2.0-rc"), ("jupyterlab", "7"))
    ]
    assert [one["status"] for one in said] == [404, 404, 422, 422]
    assert said[0]["detail"].replace("spectra", "…") == said[1]["detail"].replace("nothing", "…")
    assert said[2]["detail"].replace("2.0-rc", "…") == said[3]["detail"].replace("7", "…")
    assert not Session.objects.exists()


def test_its_maintainer_sees_and_launches_it(maintainer: Person) -> None:
    client = browser_of(maintainer)
    catalogue = client.get("/catalogue/").content.decode()
    assert "Your drafts" in catalogue
    assert 'href="/catalogue/spectra/#drafts"' in catalogue
    page = client.get("/catalogue/spectra/").content.decode()
    assert "Not published: their author sees and launches them" in page
    assert "/datalabs/spectra/launch?version=0.1" in page
    assert client.get("/catalogue/spectra/icon.svg").headers["Cache-Control"] == "private, no-store"
    form = client.get("/datalabs/spectra/launch?version=0.1")
    assert "not published: built" in form.content.decode()
    answer = client.post("/datalabs/spectra/launch?version=0.1", {"profile": "small"})
    assert answer.status_code == 302
    assert Session.objects.get().version_number == "0.1"
    assert {one["state"] for one in client.get(f"{API}/jupyterlab").json()["versions"]} == {"published", "built"}


def test_a_published_version_stays_the_one_that_a_launch_takes(maintainer: Person) -> None:
    client = browser_of(maintainer)
    client.post("/datalabs/jupyterlab/relaunch")
    assert Session.objects.get().version_number == "1.0"
    client.post("/datalabs/jupyterlab/launch", {"profile": "small", "version": "2.0-rc"})
    assert Session.objects.order_by("workload__created_at").last().version_number == "2.0-rc"  # type: ignore[union-attr]


def test_a_draft_that_changes_hands_is_the_new_maintainer_s(maintainer: Person) -> None:
    heir = make_person("henri", "developer")
    Datalab.objects.filter(slug="spectra").update(maintainer=heir)
    assert browser_of(heir).get("/catalogue/spectra/").status_code == 200
    assert browser_of(maintainer).get("/catalogue/spectra/").status_code == 404


def test_what_is_archived_is_launched_by_those_who_may_see_it(maintainer: Person, scientist: Person) -> None:
    versions = DatalabVersion.objects.filter(datalab__slug="spectra")
    versions.update(state="archived")
    assert browser_of(maintainer).get("/datalabs/spectra/launch").status_code == 200
    assert browser_of(scientist).get("/datalabs/spectra/launch").status_code == 404
    versions.update(visibility="everybody")
    assert browser_of(scientist).get("/datalabs/spectra/launch").status_code == 200
    without = Role.objects.get(name="scientist")
    without.permissions = [one for one in without.permissions if one != "datalabs.launch-archived"]
    without.save()
    assert browser_of(scientist).get("/datalabs/spectra/launch").status_code == 403
