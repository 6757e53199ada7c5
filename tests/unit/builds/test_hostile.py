"""What a hostile build does: to others' environments, to the disk, to whoever clears up, and to the queue."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from spacelab.accounts.models import Person
from spacelab.builds import actions, packages, planning, queries
from spacelab.builds.adapters import sealing
from spacelab.builds.adapters.environment import EnvironmentBuilder
from spacelab.builds.clearing import remove, remove_unused
from spacelab.builds.models import Build
from spacelab.builds.rules import MOST_STEPS, steps_in
from spacelab.builds.upkeep import Workshop
from spacelab.kit.folders import disk_used
from spacelab.kit.refusals import Invalid
from spacelab.workloads.rules import Phase
from support.builds import ANSWERS, bring, end_workload, queued, start, state_of
from support.people import make_person


def deep(folder: Path, levels: int) -> None:
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def test_names_that_run_together_never_share_an_environment(db: None) -> None:
    names = []
    for username, slug in (("ann", "b-c"), ("ann-b", "c0")):
        person = make_person(username, "developer")
        build = bring(person, {"a.ipynb": '{"cells": []}'})
        build.package = packages.completed(build.package, {**ANSWERS, "short_name": slug})
        names.append(EnvironmentBuilder().name(planning.order_of(build, planning.plan(build.package, {}))))
    assert names[0].rpartition("-")[2] != names[1].rpartition("-")[2]


def test_deep_folders_without_rights_are_removed_and_links_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    folder = tmp_path / "made"
    folder.mkdir()
    deep(folder, 3000)
    (folder / "out").symlink_to(kept)
    (folder / "shut").mkdir()
    (folder / "shut" / "x").touch()
    (folder / "shut").chmod(0)
    remove(folder)
    assert not folder.exists()
    assert (kept / "file").exists()


def test_no_name_hides_a_file_from_the_count(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(2**20))
    if os.geteuid() == 0:
        os.chown(tmp_path / "large", 1234, 1234)
    os.link(tmp_path / "large", tmp_path / "again")
    assert 2**20 <= disk_used(tmp_path) < 2**21
    for number in range(300):
        (tmp_path / f"empty{number}").touch()
    assert disk_used(tmp_path) > 2**20 + 300 * 4000
    deep(tmp_path, 2000)
    with pytest.raises(Invalid, match="in each other"):
        disk_used(tmp_path)
    remove(tmp_path / "d")


def test_a_failed_build_leaves_nothing_at_work(workshop: Workshop, developer: Person) -> None:
    build = queued(developer)
    workshop.look()
    deep(queries.work_folder(build.pk), 2000)
    workshop.look()
    assert state_of(build) == "failed"
    workshop.look()
    row = queries.builds().get(pk=build.pk)
    assert row.workload is not None
    assert row.workload.desired == "stop"
    end_workload(build, Phase.STOPPED)
    workshop.look()
    assert queries.builds().get(pk=build.pk).cleaned
    assert not queries.work_folder(build.pk).exists()


def test_the_cache_counts_and_is_emptied(workshop: Workshop, developer: Person, settings: Any) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"build_disk_mb": 1})
    build = queued(developer)
    workshop.look()
    cache = queries.cache_folder(developer.username)
    cache.mkdir(parents=True)
    (cache / "large").write_bytes(os.urandom(2**21))
    workshop.look()
    assert state_of(build) == "failed"
    end_workload(build, Phase.STOPPED)
    workshop.look()
    assert not cache.exists()


def test_packages_that_nobody_names_go(workshop: Workshop, developer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    build = bring(developer)
    before = set(packages.root().iterdir())
    with pytest.raises(Invalid):
        bring(developer, {"b.ipynb": "no notebook of anybody"})
    (refused,) = set(packages.root().iterdir()) - before
    remove_unused(packages.root(), queries.packages_in_use())
    assert refused.exists()
    monkeypatch.setattr("spacelab.builds.clearing.UNUSED_FOR", -1.0)
    remove_unused(packages.root(), queries.packages_in_use())
    assert [one.name for one in packages.root().iterdir()] == [build.package]


def test_one_person_s_repositories_leave_a_place_to_others(
    workshop: Workshop, developer: Person, settings: Any
) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"builds_at_once": 2})
    mine = [actions.bring_git(by=developer, url=f"https://example.org/{name}.git") for name in "abc"]
    emma = make_person("emma", "developer")
    other = start(emma, bring(emma), short_name="other-stars")
    workshop.look()
    workshop.look()
    assert state_of(other) == "building"
    assert sorted(Build.objects.filter(pk__in=[one.pk for one in mine]).values_list("state", flat=True)) == [
        "fetching",
        "received",
        "received",
    ]


@pytest.mark.parametrize("odd", ["pyvenv.cfg", "bin/python", ".complete"])
def test_folders_in_the_place_of_the_platform_s_files_go(tmp_path: Path, odd: str) -> None:
    folder = tmp_path / "made"
    (folder / "bin").mkdir(parents=True)
    (folder / odd / "deep").mkdir(parents=True)
    sealing.seal(folder, largest=2**20)
    assert (folder / "bin" / "python").is_symlink()
    assert (folder / "pyvenv.cfg").is_file()
    assert sealing.is_sealed(folder)


def test_an_endless_environment_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    (folder / "bin").mkdir(parents=True)
    deep(folder, 2000)
    with pytest.raises(Invalid, match="can't be taken over"):
        sealing.seal(folder, largest=2**20)
    remove(folder)


def test_a_flood_of_steps_stays_short() -> None:
    log = "STEP 1/4 +0.10s: Mine\n" * 100_000
    assert len(steps_in(log, ended=False, failed=False)) == MOST_STEPS
