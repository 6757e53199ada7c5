"""The operators' pages about archive volumes: declaring, changing, retiring, bringing back, and who may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from spacelab.accounts.models import Person, Team
from spacelab.audit.models import Entry
from spacelab.volumes import actions
from spacelab.volumes.models import Volume
from support.datalabs import make_datalab
from support.people import make_person

PAGES = ("/volumes/", "/volumes/declare", "/volumes/euclid/change")
CHANGES = ("/volumes/declare", "/volumes/euclid/change", "/volumes/euclid/retire", "/volumes/euclid/bring-back")


@pytest.fixture
def archive(operator: Person, tmp_path: Path) -> Path:
    folder = tmp_path / "euclid"
    folder.mkdir()
    actions.declare_archive(by=operator, declaration={"name": "euclid", "path": str(folder), "title": "Euclid Q1"})
    return folder


@pytest.fixture
def asking(client: Client, operator: Person) -> Client:
    client.force_login(operator)
    return client


def entered(folder: Path, **other: str) -> dict[str, str]:
    return {"name": "gaia", "path": str(folder), "title": "Gaia DR3", "access": "everyone", **other}


def test_an_operator_declares_a_volume_for_a_person_and_a_team(asking: Client, tmp_path: Path) -> None:
    make_person("ada")
    Team.objects.create(name="Hyades", slug="hyades")
    form = entered(tmp_path, mission="Gaia", access="restricted", people="ada, ", teams="hyades")
    page = asking.post("/volumes/declare", form, follow=True).content.decode()
    assert "“Gaia DR3” is declared." in page
    volume = Volume.objects.get(name="gaia")
    assert (volume.path, volume.mission, volume.access) == (str(tmp_path), "Gaia", "restricted")
    for who in (">ada<", ">team hyades<"):
        assert who in page
    assert Entry.objects.get(action="volumes.declare").subject == "volume:gaia"


@pytest.mark.parametrize(
    ("other", "field", "said"),
    [
        ({"name": "Gaia DR3"}, "name", "name a volume"),
        ({"name": "user"}, "name", "name a volume"),
        ({"name": "я" * 300}, "name", "name a volume"),
        ({"name": ""}, "name", "This field is required"),
        ({"name": "euclid"}, "name", "There is a volume “euclid” already"),
        ({"path": "relative"}, "path", "not an absolute path"),
        ({"path": "/no/such/folder"}, "path", "There is no folder"),
        ({"path": "/"}, "path", "own state"),
        ({"title": "t" * 201}, "title", "longer than 200"),
        ({"access": "nobody"}, "access", "Select a valid choice"),
        ({"access": "restricted", "people": "nobody"}, "people", "There is no person “nobody”"),
        ({"access": "restricted", "teams": "none"}, "teams", "There is no team “none”"),
    ],
)
@pytest.mark.usefixtures("archive")
def test_a_refusal_stands_at_its_field_and_nothing_is_lost(
    asking: Client, tmp_path: Path, other: dict[str, str], field: str, said: str
) -> None:
    answer = asking.post("/volumes/declare", entered(tmp_path, summary="Kept as entered", **other))
    assert answer.status_code == 200
    (error,) = answer.context["form"].errors[field]
    assert said in error
    assert len(answer.context["form"].errors) == 1
    assert "Kept as entered" in answer.content.decode()
    assert list(Volume.objects.values_list("name", flat=True)) == ["euclid"]


def test_a_folder_that_is_a_volume_already_is_refused(asking: Client, archive: Path) -> None:
    answer = asking.post("/volumes/declare", entered(archive))
    assert "is the volume “euclid” already" in answer.context["form"].errors["path"][0]


def test_a_change_starts_from_what_is_declared_and_keeps_the_name(asking: Client, archive: Path) -> None:
    page = asking.get("/volumes/euclid/change").content.decode()
    assert 'value="Euclid Q1"' in page
    asking.post("/volumes/euclid/change", entered(archive, title="Euclid Q2", name="other"))
    assert list(Volume.objects.values_list("name", "title")) == [("euclid", "Euclid Q2")]


def test_a_volume_is_retired_and_brought_back(asking: Client, archive: Path) -> None:
    assert "data-confirm" in asking.get("/volumes/").content.decode()
    page = asking.post("/volumes/euclid/retire", follow=True).content.decode()
    assert "its files stay" in page
    assert "Bring back" in page
    assert asking.get("/data/euclid").status_code == 404
    assert "is retired already" in asking.post("/volumes/euclid/retire", follow=True).content.decode()
    assert "in use again" in asking.post("/volumes/euclid/bring-back", follow=True).content.decode()
    assert asking.get("/data/euclid").status_code == 200
    assert "is in use" in asking.post("/volumes/euclid/bring-back", follow=True).content.decode()
    assert [entry.action for entry in Entry.objects.filter(subject="volume:euclid").order_by("pk")] == [
        "volumes.declare",
        "volumes.retire",
        "volumes.bring-back",
    ]


def test_a_volume_without_its_folder_is_not_brought_back(asking: Client, archive: Path) -> None:
    asking.post("/volumes/euclid/retire")
    archive.rmdir()
    assert "There is no folder" in asking.post("/volumes/euclid/bring-back", follow=True).content.decode()
    assert asking.get("/data/euclid").status_code == 404


@pytest.mark.parametrize("role", ["scientist", "developer", "advanced-developer", "moderator"])
def test_nobody_else_manages_volumes(client: Client, archive: Path, role: str) -> None:
    client.force_login(make_person("eve", role))
    assert "/volumes/" not in client.get("/data/").content.decode()
    assert {client.get(page).status_code for page in PAGES} == {403}
    assert {client.post(address, entered(archive)).status_code for address in CHANGES} == {403}
    volume = Volume.objects.get()
    assert (volume.title, volume.retired_at) == ("Euclid Q1", None)


def test_a_visitor_is_asked_to_sign_in(client: Client, archive: Path) -> None:
    for page in PAGES:
        assert client.get(page).headers["Location"].startswith("/sign-in/?next=")


def test_an_unknown_volume_is_not_found_and_areas_are_no_archives(asking: Client, operator: Person) -> None:
    actions.ensure_areas(person=operator)
    for address in ("/volumes/nothing", f"/volumes/workspace.{operator.pk}", f"/volumes/home-{operator.pk}"):
        assert asking.get(f"{address}/change").status_code == 404
        assert asking.post(f"{address}/retire").status_code == 404


def test_the_volumes_page_names_the_datalabs_that_preselect_it(asking: Client, archive: Path) -> None:
    assert "Preselected by" not in asking.get("/data/euclid").content.decode()
    version = make_datalab("jupyterlab").versions.get()
    version.default_volumes = ["euclid"]
    version.save()
    page = asking.get("/data/euclid").content.decode()
    assert "Preselected by" in page
    assert 'href="/catalogue/jupyterlab/"' in page
