"""What jobs left for reuse: what goes first, what stays while it may be used, and what nobody can trick away."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.runs import caches, folders
from spacelab.runs.rules import Footprint, overfull
from spacelab.workloads.models import Workload
from support.runs import Coordinator, launch

pytestmark = pytest.mark.usefixtures("quiet_runtime")
MIB = 2**20


@pytest.fixture(autouse=True)
def _empty(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have a state directory of the test's own: tests of other processes leave things in the usual one meanwhile."""
    monkeypatch.setattr(settings.SPACELAB, "state", tmp_path)


@pytest.fixture
def few(scientist: Person, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make three results of a MiB each, the first unused for longest, where two may stay."""
    monkeypatch.setattr(settings.SPACELAB, "run_cache_mb", 2)
    kept = folders.cache_folder(scientist.username) / "jobs"
    for number in range(3):
        folder = kept / f"run-{number}"
        folder.mkdir(parents=True)
        (folder / "made").write_bytes(b"x" * (MIB - 8192))
        used(folder, minutes=60 - number)
    return kept


def used(folder: Path, minutes: float) -> None:
    """Let a folder look as if it was used so long ago."""
    at = (timezone.now() - timedelta(minutes=minutes)).timestamp()
    os.utime(folder, (at, at))


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_the_longest_unused_goes_first(few: Path) -> None:
    assert caches.trim_all(timezone.now()) == 1
    assert names(few) == ["run-1", "run-2"]
    assert caches.trim_all(timezone.now()) == 0
    assert caches.trim_all(timezone.now() + timedelta(days=91)) == 2


def test_what_a_run_at_work_may_use_stays(few: Path, scientist: Person) -> None:
    launch(scientist)
    Workload.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert caches.trim_all(timezone.now()) == 0
    Workload.objects.update(created_at=timezone.now())
    assert caches.trim_all(timezone.now()) == 1


def test_a_low_disk_takes_more(few: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.SPACELAB, "disk_floor_mb", 2**40)
    assert caches.trim_all(timezone.now()) == 3


def test_what_was_used_meanwhile_stays(few: Path, scientist: Person) -> None:
    found = caches.entries(scientist.username)
    used(few / "run-0", minutes=0)
    assert [caches.remove(one) for one in found if one.name == "run-0"] == [False]


def test_working_folders_of_killed_runs_go(scientist: Person) -> None:
    work = folders.cache_folder(scientist.username) / "work"
    for name, minutes in (("old", 70), ("new", 1)):
        (work / name).mkdir(parents=True)
        used(work / name, minutes)
    caches.trim_all(timezone.now())
    assert names(work) == ["new"]


def test_no_link_is_followed(scientist: Person, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    used(tmp_path / "mine", minutes=10**6)
    cache = folders.cache_folder(scientist.username)
    (cache / "work").mkdir(parents=True)
    (cache / "jobs").symlink_to(tmp_path)
    (cache / "work" / "away").symlink_to(tmp_path)
    os.utime(cache / "work" / "away", (1, 1), follow_symlinks=False)
    caches.trim_all(timezone.now())
    assert (tmp_path / "mine").exists()
    assert names(cache / "work") == []


def test_a_run_is_known_by_the_names_of_what_it_made(scientist: Person) -> None:
    run = Coordinator(launch(scientist)).run_id
    cache = folders.cache_folder(scientist.username)
    for name in (f"jobs/{run}abc-1", f"work/{run}abc", "jobs/other-1"):
        (cache / name).mkdir(parents=True)
        (cache / name / "made").write_bytes(b"x" * MIB)
    assert 2 * MIB <= caches.size_of_run(scientist.username, run) < 2.2 * MIB


@pytest.mark.parametrize(
    ("sizes", "free", "ends"),
    [
        ({"a": (5, 0), "b": (50, 1)}, 1000, set()),
        ({"a": (5, 0), "b": (101, 0)}, 1000, {"b"}),
        ({"a": (5, 1), "b": (50, 20)}, 99, {"b"}),
        ({"a": (5, 1), "b": (50, 2)}, 99, set()),
        ({"a": (5, 1), "b": (50, 2)}, 9, {"b"}),
        ({"a": (5, 0), "b": (50, 0.1)}, 9, set()),
        ({"a": (101, 50), "b": (50, 20)}, 9, {"a", "b"}),
    ],
    ids=range(7),
)
def test_which_runs_end_for_the_disk_s_sake(sizes: dict[str, tuple[float, float]], free: int, ends: set[str]) -> None:
    found = [Footprint(name, int(size * MIB), growth * MIB) for name, (size, growth) in sizes.items()]
    limits = {"most": 100 * MIB, "free": free * MIB, "floor": 100 * MIB, "reserve": 10 * MIB}
    assert set(overfull(found, **limits)) == ends
