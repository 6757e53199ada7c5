"""What somebody installed and wrote in a session becomes a draft of her own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.builds import packages
from spacelab.builds.models import Build
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import Forbidden
from spacelab.sessions import actions, saving
from spacelab.sessions.models import Session
from spacelab.volumes.actions import ensure_areas
from spacelab.volumes.models import Volume
from spacelab.workloads.rules import Phase
from support.builds import PINS, workshop  # noqa: F401  fixtures are found by name here
from support.packages import notebook
from support.people import make_person, signed_in
from support.sessions import QuietRuntime, make_datalab, move

NAMES = {"title": "Stars of mine", "short_name": "my-stars"}


@pytest.fixture
def dora(db: None, workshop: object) -> Person:  # noqa: F811  pytest's way
    """Somebody who writes datalabs, beside a published JupyterLab."""
    make_datalab("lab", kind="jupyter", metadata={"abstract": "Of the lab.", "distribution.license": "MIT"})
    person = make_person("dora", "developer")
    ensure_areas(person=person)
    for kind in ("home", "workspace"):  # the folders of an earlier test's Dora
        shutil.rmtree(area(person, kind))
        area(person, kind).mkdir()
    return person


@pytest.fixture
def session(dora: Person) -> Session:
    """Launch it, and have something installed and written."""
    begun = actions.launch(by=dora, datalab_slug="lab", profile="small", volumes=[], teams=[], title="A try")
    install(dora, "healpy-1.17.3", "ruamel.yaml-0.18.6", "pip-25.0")
    write(dora, "stars.ipynb", notebook("import healpy"))
    write(dora, "old/dust.ipynb", notebook("1"))
    return begun


def area(person: Person, kind: str) -> Path:
    return Path(Volume.objects.get(owner=person, kind=kind).path)


def site(person: Person, python: str = "3.11") -> Path:
    return area(person, "home") / f".spacelab/environments/lab-py{python}/lib/python{python}/site-packages"


def install(person: Person, *projects: str, python: str = "3.11") -> None:
    for project in projects:
        (site(person, python) / f"{project}.dist-info").mkdir(parents=True)


def write(person: Person, path: str, text: str) -> None:
    file = area(person, "workspace") / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def save(person: Person, session: Session, **more: Any) -> Any:
    sent = {**NAMES, "notebooks": ["stars.ipynb"], **more}
    return signed_in(person).post(f"/sessions/{session.id}/save", sent)


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.STOPPED])
def test_a_session_becomes_a_draft_package(
    dora: Person, session: Session, phase: Phase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PINS, "base", ["healpy==1.16", "astropy==6.1"])
    move(session, phase)
    page = signed_in(dora).get(f"/sessions/{session.id}").content.decode()
    assert f'href="/sessions/{session.id}/save"' in page
    form = signed_in(dora).get(f"/sessions/{session.id}/save").content.decode()
    for shown in ("healpy==1.17.3", "stars.ipynb", "old/dust.ipynb", 'value="lab-dora"'):
        assert shown in form
    answer = save(dora, session)
    build = Build.objects.get()
    assert answer.headers["Location"] == f"/builds/{build.pk}"
    folder = packages.folder_of(build.package)
    assert [path for path, _ in packages.list_files(folder)] == [
        "datalab-meta.yml",
        "requirements.txt",
        "spacelab.yml",
        "stars.ipynb",
    ]
    lines = (folder / "requirements.txt").read_text().splitlines()[1:]
    assert lines == ["astropy==6.1", "healpy==1.17.3", "ruamel-yaml==0.18.6"], "hers in place of the datalab's"
    said = packages.metadata(folder)
    assert said["title"] == "Stars of mine"
    assert not {"abstract", "distribution.license"} & said.keys(), "they are about the lab, not about her notebooks"
    plan = signed_in(dora).get(f"/builds/{build.pk}").content.decode()
    assert "From the session A try" in plan
    assert 'value="my-stars"' in plan
    assert "Where nearby stars move." in plan, "the abstract is drafted from the notebook"
    entry = Entry.objects.get(action="sessions.save")
    assert entry.details["notebooks"] == ["stars.ipynb"]
    assert actions_start(dora, build).derived_from == DatalabVersion.objects.get(datalab__slug="lab")


def actions_start(person: Person, build: Build) -> DatalabVersion:
    signed_in(person).post(
        f"/builds/{build.pk}/start",
        {**NAMES, "version": "0.1.0", "abstract": "Stars.", "creator": "Dora", "email": "dora@example.org"},
    )
    return DatalabVersion.objects.get(datalab__slug="my-stars")


def test_with_images_only_what_she_added_is_named(
    dora: Person, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    DatalabVersion.objects.update(image="localhost/lab:1")
    monkeypatch.setattr(QuietRuntime, "images", True)
    assert save(dora, session).status_code == 302
    build = Build.objects.get()
    assert build.plan["builds_on"] == "lab 1.0"
    text = (packages.folder_of(build.package) / "requirements.txt").read_text()
    assert text.splitlines()[1:] == ["healpy==1.17.3", "ruamel-yaml==0.18.6"]


def test_the_python_in_use_counts_and_other_datalabs_don_t(dora: Person, session: Session) -> None:
    install(dora, "healpy-1.0", python="3.9")
    for folder in (site(dora, "3.9"), site(dora)):
        folder.touch()  # the later one was installed into last
    other = area(dora, "home") / ".spacelab/environments/lab-two-py3.11/lib/python3.11/site-packages"
    (other / "secret-1.0.dist-info").mkdir(parents=True)
    found = saving.personal_packages(session)
    assert found.pins == {"healpy": "healpy==1.17.3", "ruamel-yaml": "ruamel-yaml==0.18.6"}


def test_what_is_of_no_index_is_named_by_its_address_or_left_out(dora: Person, session: Session) -> None:
    install(dora, "mine-0.1", "theirs-2.0", "odd-1.0")
    (site(dora) / "mine-0.1.dist-info/direct_url.json").write_text('{"url": "file:///media/user/mine", "dir_info": {}}')
    url = '{"url": "https://example.org/theirs.git", "vcs_info": {"vcs": "git", "commit_id": "%s"}}'
    (site(dora) / "theirs-2.0.dist-info/direct_url.json").write_text(url % ("a" * 40))
    (site(dora) / "odd-1.0.dist-info/direct_url.json").symlink_to("/etc/hostname")
    found = saving.personal_packages(session)
    assert found.left_out == ["mine"]
    assert found.pins["theirs"] == f"theirs @ git+https://example.org/theirs.git@{'a' * 40}"
    assert "Left out" in signed_in(dora).get(f"/sessions/{session.id}/save").content.decode()


def test_nothing_is_read_through_a_link(dora: Person, session: Session, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "lib/python3.11/site-packages/secret-1.0.dist-info").mkdir(parents=True)
    (outside / "key.ipynb").write_text(notebook("1"))
    overlays = area(dora, "home") / ".spacelab/environments"
    (overlays / "lab-py3.12").symlink_to(outside)
    (area(dora, "workspace") / "key.ipynb").symlink_to(outside / "key.ipynb")
    (area(dora, "workspace") / "folder").symlink_to(outside)
    assert "secret" not in saving.personal_packages(session).pins
    assert [one.inside for one in saving.offered_notebooks(dora)] == ["old/dust.ipynb", "stars.ipynb"]
    for path in ("key.ipynb", "folder/key.ipynb", "../home/x.ipynb", "/etc/x.ipynb"):
        answer = save(dora, session, notebooks=[path])
        assert answer.status_code == 422, path
    assert not Build.objects.exists()


@pytest.mark.parametrize(
    ("limits", "chosen", "said"),
    [
        ({"MOST_NOTEBOOKS": 1}, ["stars.ipynb", "old/dust.ipynb"], "2 notebooks are chosen"),
        ({"LARGEST_NOTEBOOK": 10}, ["stars.ipynb"], "is larger than"),
        ({"LARGEST_TOGETHER": 10}, ["stars.ipynb"], "Together they are too large"),
        ({"MOST_PACKAGES": 2}, ["stars.ipynb"], "a draft takes over 2"),
        ({}, ["gone.ipynb"], "There is no such file"),
        ({}, ["data.csv"], "is no notebook"),
    ],
)
def test_limits_are_said_at_the_field(
    session: Session, limits: dict[str, int], chosen: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in limits.items():
        monkeypatch.setattr(saving, name, value)
    answer = save(session.owner, session, notebooks=chosen)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Build.objects.exists()


def test_a_broken_notebook_is_named(dora: Person, session: Session) -> None:
    write(dora, "broken.ipynb", "{")
    answer = save(dora, session, notebooks=["broken.ipynb"])
    assert answer.status_code == 422
    assert "broken.ipynb" in answer.content.decode()


def test_with_nothing_to_save_it_says_so(dora: Person) -> None:
    begun = actions.launch(by=dora, datalab_slug="lab", profile="small", volumes=[], teams=[])
    assert "Nothing beyond what" in signed_in(dora).get(f"/sessions/{begun.id}/save").content.decode()
    answer = save(dora, begun, notebooks=[])
    assert answer.status_code == 422
    assert "there is nothing to save" in answer.content.decode()


def test_what_was_deleted_can_t_be_built_upon(dora: Person, session: Session) -> None:
    Session.objects.update(version=None)
    assert "/save" not in signed_in(dora).get(f"/sessions/{session.id}").content.decode()
    assert signed_in(dora).get(f"/sessions/{session.id}/save").status_code == 409
    assert save(dora, session).status_code == 409


OTHERS: dict[str, Callable[[], Person]] = {
    "developer": lambda: make_person("dan", "developer"),
    "operator": lambda: make_person("olga", "operator"),
    "scientist": lambda: make_person("sten"),
}


@pytest.mark.parametrize("who", OTHERS)
def test_a_session_is_saved_by_its_owner_alone(dora: Person, session: Session, who: str) -> None:
    other = OTHERS[who]()
    for answer in (signed_in(other).get(f"/sessions/{session.id}/save"), save(other, session)):
        assert answer.status_code in {403, 404}
        assert "healpy" not in answer.content.decode()
    assert not Build.objects.exists()


def test_who_may_not_author_is_not_offered_it(dora: Person) -> None:
    sten = make_person("sten")
    begun = actions.launch(by=sten, datalab_slug="lab", profile="small", volumes=[], teams=[])
    assert "/save" not in signed_in(sten).get(f"/sessions/{begun.id}").content.decode()
    with pytest.raises(Forbidden):
        actions.save_as_datalab(by=sten, session_id=begun.id, **NAMES, notebooks=[])
