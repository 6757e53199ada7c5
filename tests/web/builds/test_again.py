"""A datalab whose environment is lost: nobody can launch it, its maintainer builds it again by one click."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.builds import actions, packages, queries
from spacelab.builds.actions import SYSTEM
from spacelab.builds.models import Build
from spacelab.builds.upkeep import Workshop
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import Conflict, Forbidden
from spacelab.sessions.choosing import Wanted, choose
from support.builds import QuietBuilder, end_workload, queued, state_of
from support.people import make_person
from support.sessions import QuietRuntime, make_datalab


@pytest.fixture
def version(workshop: Workshop, developer: Person) -> DatalabVersion:
    """Build a draft."""
    return built(workshop, queued(developer))


def built(workshop: Workshop, build: Build) -> DatalabVersion:
    workshop.look()
    end_workload(build)
    for _ in range(4):
        workshop.look()
    assert state_of(build) == "built"
    version = queries.builds().get(pk=build.pk).datalab_version
    assert version is not None
    return version


@pytest.fixture
def lost(version: DatalabVersion, quiet_runtime: type[QuietRuntime]) -> DatalabVersion:
    """Lose what it is started from."""
    quiet_runtime.absent = frozenset({version.environment})
    return version


def launch_page(version: DatalabVersion) -> str:
    return reverse("lab_sessions:launch", args=[version.datalab.slug])


def test_a_click_builds_it_again_and_then_it_can_be_launched(
    lost: DatalabVersion, developer: Person, client: Client, workshop: Workshop, quiet_runtime: type[QuietRuntime]
) -> None:
    client.force_login(developer)
    page = launch_page(lost)
    said = client.get(page).content.decode()
    assert "This datalab has to be built again here." in said
    assert "Build it again" in said
    refused = client.post(page, {"profile": "small"})
    assert refused.status_code == 409
    assert "has to be built again here" in refused.content.decode()
    answer = client.post("/datalabs/nearby-stars/again", {"version": "0.1.0"})
    build = Build.objects.get(datalab_version=lost, state="queued")
    assert answer.headers["Location"] == f"/builds/{build.pk}"
    assert "It is being built again." in client.get(page).content.decode()
    assert client.post("/datalabs/nearby-stars/again", {"version": "0.1.0"}).headers["Location"].endswith(build.pk)
    quiet_runtime.absent = frozenset()
    again = built(workshop, build)
    assert (again.pk, again.state) == (lost.pk, "built")
    assert Entry.objects.filter(action="builds.again").count() == 1
    assert client.post(page, {"profile": "small"}).status_code == 302


def test_a_published_version_stays_published(
    lost: DatalabVersion, operator: Person, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    DatalabVersion.objects.filter(pk=lost.pk).update(state="published", notes="For good.", package="/gone/x")
    lost.refresh_from_db()
    result = QuietBuilder.finish

    def renamed(self: QuietBuilder, order: Any) -> Any:
        return replace(result(self, order), environment="made-again")

    monkeypatch.setattr(QuietBuilder, "finish", renamed)
    again = built(workshop, actions.build_again(by=operator, version=lost))
    assert (again.pk, again.state, again.notes, again.environment) == (lost.pk, "published", "For good.", "made-again")
    assert Path(again.package).is_dir()
    assert Entry.objects.filter(action="datalabs.made-again", details__environment="made-again").exists()


def test_an_older_build_that_ends_late_changes_nothing(
    lost: DatalabVersion, developer: Person, workshop: Workshop
) -> None:
    again = actions.build_again(by=developer, version=lost)
    newer = queued(developer)
    Build.objects.filter(pk=newer.pk).update(state="built", datalab_version=lost, cleaned=True)
    DatalabVersion.objects.filter(pk=lost.pk).update(environment="newer", state="built")
    assert built(workshop, again).environment == "newer"


def test_who_may_not_is_told_who_may(lost: DatalabVersion, client: Client) -> None:
    DatalabVersion.objects.filter(pk=lost.pk).update(state="published", visibility="everybody")
    other = make_person("emil", "developer")
    client.force_login(other)
    said = client.get(launch_page(lost)).content.decode()
    assert "Its maintainer or an operator can do that" in said
    assert "Build it again" not in said
    assert client.post("/datalabs/nearby-stars/again", {"version": "0.1.0"}).status_code == 403
    with pytest.raises(Forbidden):
        actions.build_again(by=other, version=lost)
    assert client.post("/datalabs/nearby-stars/again", {"version": "9"}).status_code == 404


def test_without_its_package_it_says_so(lost: DatalabVersion, developer: Person, client: Client) -> None:
    shutil.rmtree(packages.root())
    client.force_login(developer)
    said = client.get(launch_page(lost)).content.decode()
    assert "Nothing is kept here that it could be built from" in said
    assert "Build it again" not in said
    with pytest.raises(Conflict, match="can't be built again"):
        actions.build_again(by=developer, version=lost)
    assert actions.absent_versions() == []


def test_what_has_nothing_to_be_built_from_is_told_before_a_launch(
    db: None, scientist: Person, quiet_runtime: type[QuietRuntime]
) -> None:
    make_datalab("old", environment="old-1")
    quiet_runtime.absent = frozenset({"old-1"})
    with pytest.raises(Conflict, match="Nothing is kept"):
        choose(scientist, Wanted(datalab="old", profile="small"))


def test_a_start_queues_what_is_missing_once(lost: DatalabVersion) -> None:
    begun, refused = actions.build_absent(by=SYSTEM)
    assert ([one.datalab_version for one in begun], refused) == ([lost], [])
    assert actions.build_absent(by=SYSTEM) == ([], [])
    actions.fail(by=SYSTEM, build=begun[0], message="No.")
    assert actions.build_absent(by=SYSTEM) == ([], []), "what failed is not tried at every start"
    assert queries.absence_of(lost) is not None


def test_the_interface_for_programs_does_it_too(lost: DatalabVersion, developer: Person, client: Client) -> None:
    client.force_login(developer)
    wanted = {"datalab": "nearby-stars", "version": "0.1.0"}
    answer = client.post("/api/v1/builds/again", wanted, content_type="application/json")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")


def test_files_are_found_where_the_state_is_now(version: DatalabVersion) -> None:
    there = Path(version.package)
    version.package = f"/old/state/packages/{there.name}"
    assert queries.package_of(version) == there


def test_the_page_of_an_old_build_says_what_is_gone(
    version: DatalabVersion, developer: Person, client: Client, quiet_runtime: type[QuietRuntime]
) -> None:
    client.force_login(developer)
    build = Build.objects.get(datalab_version=version)
    page = f"/builds/{build.pk}"
    assert "not kept any more" not in client.get(page).content.decode()
    quiet_runtime.absent = frozenset({version.environment})
    assert "The page to launch it offers to build it again." in client.get(page).content.decode()
    later = Build.objects.create(
        id="later", person=developer, state="built", slug=build.slug, number=9, datalab_version=version, source="upload"
    )
    said = client.get(page).content.decode()
    assert "A later build took its place" in said
    assert "Its files are kept, so they can be built once more." in said
    assert "Change files and build again" in said
    shutil.rmtree(packages.root())
    said = client.get(page).content.decode()
    assert "bring them again" in said
    assert "Change files and build again" not in said
    Build.objects.filter(pk=later.pk).update(state="failed", package="0" * 64)
    said = client.get("/builds/later").content.decode()
    assert "Its files are not kept any more: to build it, bring them again." in said
    assert "Back to the plan" not in said
    Build.objects.filter(pk=later.pk).update(git_url="https://example.org/x.git")
    assert "Try again" in client.get("/builds/later").content.decode()
