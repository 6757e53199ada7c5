"""Packages that are based on another datalab's version: what they take over, and who may build on what."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import datalab_package
from datalab_package import Answers
from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.builds import actions, installed, packages
from spacelab.builds.models import Build
from spacelab.builds.upkeep import Workshop
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import Forbidden, Invalid, NotFound
from spacelab.publishing.rules import State, Visibility
from support.builds import PINS, bring, end_workload, start
from support.packages import META, files_of, notebook
from support.people import make_person
from support.sessions import QuietRuntime

APP = {
    "app.py": "import streamlit as st\nst.title('Spectra')\n",
    "requirements.txt": "--extra-index-url https://example.org/simple\nstreamlit\n",
    "datalab-meta.yml": META + "keywords: [stars]\ndistribution.license: MIT\ncitation: Ada 2026\n",
}


@pytest.fixture
def make(workshop: Workshop, developer: Person) -> Callable[..., DatalabVersion]:
    """Build versions of Dora's, published for everybody unless it is said otherwise."""

    def made(
        contents: dict[str, str] = APP, state: State = State.PUBLISHED, person: Person = developer, **values: Any
    ) -> DatalabVersion:
        build = start(person, bring(person, contents))
        workshop.look()
        end_workload(build)
        for _ in range(4):
            workshop.look()
        version = Build.objects.get(pk=build.pk).datalab_version
        assert version is not None
        shown = Visibility.EVERYBODY if state is State.PUBLISHED else Visibility.PRIVATE
        DatalabVersion.objects.filter(pk=version.pk).update(state=state, **{"visibility": shown, **values})
        version.refresh_from_db()
        return version

    return made


@pytest.fixture
def dan(db: None) -> Person:
    """Another developer, without the right to Dockerfiles."""
    return make_person("dan", "developer")


@pytest.fixture
def on_images(quiet_runtime: type[QuietRuntime], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a runtime that carries images."""
    monkeypatch.setattr(QuietRuntime, "images", True)


def folder(build: Build) -> Path:
    return packages.folder_of(build.package)


def derive(person: Person, version: DatalabVersion, **more: Any) -> Build:
    names = {"title": "Spectra of mine", "short_name": "my-spectra"}
    return actions.derive(by=person, version=version, **{**names, **more})


def finish(workshop: Workshop, build: Build) -> DatalabVersion:
    actions.start(by=build.person, build_id=build.pk, answers={})
    workshop.look()
    end_workload(build)
    for _ in range(4):
        workshop.look()
    version = Build.objects.get(pk=build.pk).datalab_version
    assert version is not None
    assert version.state == State.BUILT
    return version


def test_environments_are_copied_as_pinned_requirements(
    make: Callable[..., DatalabVersion], dan: Person, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = make()
    monkeypatch.setitem(PINS, origin.environment, ["streamlit==1.40.0", "tornado==6.4"])
    build = derive(dan, origin)
    text = (folder(build) / "requirements.txt").read_text().splitlines()
    assert text[1:] == ["--extra-index-url https://example.org/simple", "streamlit==1.40.0", "tornado==6.4"]
    assert (folder(build) / "app.py").read_text() == APP["app.py"]
    said = packages.metadata(folder(build))
    assert (said["title"], said["creator.name"], said["distribution.license"]) == (
        "Spectra of mine",
        dan.display_name,
        "MIT",
    )
    assert "citation" not in said
    assert Entry.objects.filter(action="builds.derive", subject=f"build:{build.pk}").exists()
    version = finish(workshop, build)
    assert (version.derived_from, version.datalab.maintainer) == (origin, dan)


def test_images_are_built_upon(
    make: Callable[..., DatalabVersion], dan: Person, workshop: Workshop, on_images: None
) -> None:
    origin = make(image="localhost/dora_nearby-stars:v0.1.0-1")
    build = derive(dan, origin, pins={"healpy": "healpy==1.17"})
    assert (folder(build) / "requirements.txt").read_text().splitlines()[1:] == [
        "--extra-index-url https://example.org/simple",
        "healpy==1.17",
    ]
    plan = Build.objects.get(pk=build.pk).plan
    assert plan["builds_on"] == "nearby-stars 0.1.0"
    assert "FROM ${DERIVED_FROM}" in plan["dockerfile"]
    assert plan["steps"][0]["title"] == "Start from nearby-stars 0.1.0"
    finish(workshop, build)


def test_an_own_dockerfile_is_not_needed_twice(
    make: Callable[..., DatalabVersion], dan: Person, workshop: Workshop, on_images: None
) -> None:
    ada = make_person("adva", "advanced-developer")
    files = {
        "Dockerfile": "ARG REGISTRY\nFROM ${REGISTRY}/datalabs/web_base\nCOPY serve.py /opt/serve.py\n",
        "serve.py": "1",
        "secret-notes.txt": "of the author",
        "spacelab.yml": "command: [serve]\nroot: writable\nopens: {formats: [fits]}\ninterface: {path: /start}\n",
        "datalab-meta.yml": META,
    }
    origin = make(files, person=ada, image="localhost/adva_nearby-stars:v0.1.0-1")
    build = derive(dan, origin)
    assert sorted(one.name for one in folder(build).iterdir()) == ["datalab-meta.yml", "spacelab.yml"]
    plan = Build.objects.get(pk=build.pk).plan
    assert not plan["own_dockerfile"]
    assert "CMD" not in plan["dockerfile"], "it starts as its origin does"
    assert (plan["interface"]["port"], plan["interface"]["path"]) == (10000, "/start")
    assert plan["labels"]["org.spacelab.root"] == "writable"
    assert packages.set_up(folder(build))["opens"] == {"formats": ["fits"]}
    assert finish(workshop, build).derived_from == origin


def test_what_was_not_reviewed_needs_the_role(
    make: Callable[..., DatalabVersion], dan: Person, developer: Person, on_images: None
) -> None:
    shared = make(state=State.BUILT, image="localhost/a:1", visibility=Visibility.PEOPLE)
    shared.people.add(dan, adva := make_person("adva", "advanced-developer"))
    with pytest.raises(Forbidden):
        derive(dan, shared)
    assert derive(adva, shared).state == "planned"
    assert derive(developer, shared).state == "planned", "her own"
    by_hand = {"a.ipynb": notebook("1"), "datalab-meta.yml": META.replace("nearby", "far")}
    by_hand["spacelab.yml"] = "base: {datalab: nearby-stars, version: 0.1.0}\n"
    with pytest.raises(Forbidden):
        start(dan, bring(dan, by_hand), short_name="far-stars")


@pytest.mark.parametrize("role", ["scientist", "moderator", "operator"])
def test_others_than_developers_derive_nothing(make: Callable[..., DatalabVersion], role: str) -> None:
    with pytest.raises(Forbidden):
        derive(make_person("olga", role), make())
    assert Build.objects.count() == 1


def test_what_one_may_not_launch_is_not_there(make: Callable[..., DatalabVersion], dan: Person) -> None:
    private = make(state=State.BUILT)
    with pytest.raises(NotFound):
        derive(dan, private)
    named = {"a.ipynb": notebook("1"), "datalab-meta.yml": META.replace("nearby", "far")}
    for version in ("0.1.0", "9.9"):
        named["spacelab.yml"] = f"base: {{datalab: nearby-stars, version: {version}}}\n"
        build = bring(dan, named)
        with pytest.raises(Invalid, match="no version that you can use"):
            start(dan, build, short_name="far-stars")


def test_the_archive_of_its_origin_breaks_nothing(
    make: Callable[..., DatalabVersion], dan: Person, workshop: Workshop
) -> None:
    origin = make()
    version = finish(workshop, derive(dan, origin))
    DatalabVersion.objects.filter(pk=origin.pk).update(state=State.ARCHIVED)
    for role in dan.roles.all():
        role.permissions = [one for one in role.permissions if one != "datalabs.launch-archived"]
        role.save()
    with pytest.raises(NotFound):
        derive(Person.objects.get(pk=dan.pk), origin, short_name="another")
    last = Build.objects.get(datalab_version=version)
    assert finish(workshop, actions.again(by=dan, build_id=last.pk)).derived_from == origin


@pytest.mark.parametrize(
    ("title", "short_name", "field"),
    [("", "my-spectra", "title"), ("x" * 121, "my-spectra", "title"), ("Mine", "My Spectra", "short_name")],
)
def test_names_are_checked(
    make: Callable[..., DatalabVersion], dan: Person, title: str, short_name: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        derive(dan, make(), title=title, short_name=short_name)
    assert refused.value.field == field


def test_somebody_elses_name_is_refused_and_an_own_one_gets_the_next_number(
    make: Callable[..., DatalabVersion], dan: Person, developer: Person
) -> None:
    origin = make()
    with pytest.raises(Invalid, match="somebody else"):
        derive(dan, origin, short_name="nearby-stars")
    assert derive(developer, origin, short_name="nearby-stars").version == "0.2.0"


def test_a_package_can_t_build_on_itself(workshop: Workshop, developer: Person) -> None:
    contents = {"a.ipynb": notebook("1"), "datalab-meta.yml": META}
    contents["spacelab.yml"] = "base: {datalab: nearby-stars, version: 0.1.0}\n"
    build = bring(developer, contents)
    with pytest.raises(Invalid, match="on itself"):
        start(developer, build)


def test_installed_projects_are_told_by_their_folders(tmp_path: Path) -> None:
    folders = ["ruamel.yaml-0.18.6.dist-info", "pip-25.dist-info", "numpy-1.0.dist-info", "numpy-2.1.3.dist-info"]
    folders += ["odd", "x-not.a.version!.dist-info", "torch-2.5.1+cpu.dist-info", "../../etc-1.0.dist-info"]
    lines = {"ruamel-yaml": "ruamel-yaml==0.18.6", "numpy": "numpy==2.1.3", "torch": "torch==2.5.1+cpu"}
    assert installed.pinned(folders) == lines
    site = tmp_path / "lib/python3.11/site-packages"
    for name, origin in (
        ("a-1.0", None),
        ("b-1.0", {"url": "https://example.org/b.git", "vcs_info": {"vcs": "git", "commit_id": "a" * 40}}),
        ("c-1.0", {"url": "file:///build/source", "dir_info": {}}),
    ):
        (site / f"{name}.dist-info").mkdir(parents=True)
        if origin:
            (site / f"{name}.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    assert installed.in_environment(tmp_path) == {
        "a": "a==1.0",
        "b": f"b @ git+https://example.org/b.git@{'a' * 40}",
    }


@pytest.mark.parametrize(
    "told",
    [
        "",
        "[]",
        '{"url": "https://ada:secret@example.org/b.git", "vcs_info": {"vcs": "git", "commit_id": "aaaaaaa"}}',
        '{"url": "https://example.org/b.whl\\n--index-url=https://x", "archive_info": {}}',
        '{"url": "file:///etc/passwd", "archive_info": {}}',
    ],
)
def test_addresses_that_should_not_be_passed_on_are_left_out(told: str) -> None:
    assert installed.from_elsewhere("b", told) == ""


def test_set_up_is_written_beside_what_stands_there(tmp_path: Path) -> None:
    file = tmp_path / "spacelab.yml"
    datalab_package.write_setup(tmp_path, {})
    assert not file.exists()
    for before, after in (
        (None, {"kind": "web"}),
        ("{}\n", {"kind": "web"}),
        ("# how\nroot: writable\n", {"root": "writable", "kind": "web"}),
        ("kind: jupyter\n", {"kind": "web"}),
    ):
        if before is not None:
            file.write_text(before)
        datalab_package.write_setup(tmp_path, {"kind": "web"})
        assert packages.set_up(tmp_path) == after


def test_without_images_a_base_only_tells_the_lineage(tmp_path: Path) -> None:
    for item in files_of({"a.ipynb": notebook("1"), "datalab-meta.yml": META}):
        (tmp_path / item.path).write_bytes(item.content.read())
    datalab_package.write_setup(tmp_path, {"base": {"datalab": "spectra", "version": "1.10"}})
    assert str(datalab_package.read_manifest(tmp_path).based_on) == "spectra 1.10"
    assert datalab_package.make_plan(tmp_path).builds_on == ""
    assert datalab_package.make_plan(tmp_path, answers=Answers(layered=True)).builds_on == "spectra 1.10"


def test_what_is_shared_no_more_is_built_upon_no_more(
    make: Callable[..., DatalabVersion], dan: Person, workshop: Workshop
) -> None:
    origin = make(state=State.BUILT, visibility="people")
    origin.people.set([dan])
    version = finish(workshop, derive(dan, origin))
    origin.people.set([])
    last = Build.objects.get(datalab_version=version)
    again = actions.again(by=dan, build_id=last.pk)
    with pytest.raises(Invalid, match="no version that you can use"):
        actions.start(by=dan, build_id=again.pk, answers={})
