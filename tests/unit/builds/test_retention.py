"""What nothing needs goes, the oldest first; what anything needs stays, whatever the settings and the disk say."""

from __future__ import annotations

import io
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
from django.conf import settings as platform_settings
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.builds import actions, packages, queries, unneeded
from spacelab.builds.actions import SYSTEM
from spacelab.builds.models import Build
from spacelab.builds.rules import Retention, Unneeded, is_due, to_remove
from spacelab.builds.upkeep import Workshop
from spacelab.datalabs.actions import delete_draft
from spacelab.datalabs.models import DatalabVersion
from spacelab.images import shelf
from spacelab.kit.refusals import Conflict, Forbidden, Unavailable
from spacelab.workloads.models import Workload
from spacelab.workloads.runtimes.container.store import StoredImage
from support.builds import QuietBuilder, bring, end_workload, queued, start, state_of
from support.packages import notebook
from support.people import make_person
from support.sessions import QuietRuntime

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
moments = some.timedeltas(timedelta(0), timedelta(days=90)).map(lambda age: NOW - age)
things = some.builds(
    Unneeded,
    kind=some.sampled_from(["environment", "image", "package", "cache"]),
    name=some.text("abc", min_size=1, max_size=3),
    size=some.integers(0, 100),
    since=moments,
    rank=some.none() | some.integers(0, 5),
    timed=some.booleans(),
)
lists = some.lists(things, max_size=12, unique_by=lambda one: (one.kind, one.name))
retentions = some.builds(Retention, builds=some.integers(1, 4), days=some.integers(1, 40), floor=some.integers(0, 500))


@given(lists, retentions, some.integers(0, 600))
def test_what_goes_is_due_or_the_disk_needs_it(found: list[Unneeded], retention: Retention, free: int) -> None:
    gone = to_remove(found, retention, free=free, now=NOW)
    due = [one for one in found if is_due(one, retention, NOW) and NOW - one.since >= timedelta(hours=1)]
    assert set(due) <= set(gone) <= set(found)
    assert gone == sorted(gone, key=lambda one: (one.since, one.name))
    assert all(NOW - one.since >= timedelta(hours=1) for one in gone)
    early = [one for one in gone if one not in due]
    if early:
        assert free + sum(one.size for one in gone if one != early[-1]) < retention.floor, "not one more than needed"
        kept = [one for one in found if one not in gone and one.size and NOW - one.since >= timedelta(hours=1)]
        assert all(one.since >= early[-1].since for one in kept), "the oldest go first"


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def clean(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a state of its own, with room on its disk."""
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"state": tmp_path, "builds_kept": 2, "build_days": 30})
    settings.ENVIRONMENTS_DIRECTORY = tmp_path / "environments"
    free_disk(monkeypatch, 2**40)


def free_disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(2**41, 0, free))


def environment(name: str, size: int = 5_000_000) -> Path:
    folder = platform_settings.ENVIRONMENTS_DIRECTORY / name
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    (folder / ".complete").write_text(str(size))
    back(folder / ".complete", days=90)
    back(folder, days=90)
    shelf.put(shelf.environment_key(name), shelf.CONTENTS, {})
    return folder


def back(path: Path, **age: float) -> None:
    then = (timezone.now() - timedelta(**age)).timestamp()
    os.utime(path, (then, then))


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be as old as their content says: a test can't set when one was made."""
    monkeypatch.setattr(unneeded, "moment", lambda path: datetime.fromtimestamp(path.stat().st_mtime, tz=UTC))


@pytest.fixture
def five(workshop: Workshop, developer: Person, monkeypatch: pytest.MonkeyPatch, older: None) -> list[Build]:
    """Build a draft five times, each time another environment."""
    made = []
    finish = QuietBuilder.finish
    for number in range(1, 6):
        name = f"dora-nearby-stars-{number}"

        def result(self: QuietBuilder, order: Any, name: str = name) -> Any:
            outcome = finish(self, order)
            return type(outcome)(**{**outcome.__dict__, "environment": name})

        monkeypatch.setattr(QuietBuilder, "finish", result)
        cells = {"stars.ipynb": notebook(f"print({number})")}
        build = start(developer, bring(developer, cells))
        workshop.look()
        end_workload(build)
        for _ in range(4):
            workshop.look()
        assert state_of(build) == "built"
        environment(name)
        Build.objects.filter(pk=build.pk).update(
            ended_at=timezone.now() - timedelta(days=50 - number), created_at=timezone.now() - timedelta(days=60)
        )
        made.append(Build.objects.get(pk=build.pk))
        back(packages.folder_of(made[-1].package), days=60)
    return made


def names(found: list[Unneeded], kind: str) -> list[str]:
    return [one.name for one in found if one.kind == kind]


def test_superseded_drafts_go_but_for_the_newest(five: list[Build]) -> None:
    found = actions.prunable()
    assert names(found, "environment") == [f"dora-nearby-stars-{number}" for number in (1, 2, 3)]
    assert names(found, "package") == [one.package for one in five[:3]]
    gone = actions.prune(by=SYSTEM)
    assert gone == found
    left = sorted(one.name for one in platform_settings.ENVIRONMENTS_DIRECTORY.iterdir())
    assert left == ["dora-nearby-stars-4", "dora-nearby-stars-5"]
    assert [queries.is_package_kept(one) for one in five] == [False, False, False, True, True]
    assert set(Entry.objects.filter(action="builds.prune").values_list("subject", flat=True)) == {
        f"{one.kind}:{one.name}" for one in gone
    }
    assert names(actions.prunable(), "papers") == []
    for file in shelf.folder().glob("*.json"):
        back(file, days=40)
    assert len(names(actions.prune(by=SYSTEM), "papers")) == 3
    assert shelf.get(shelf.environment_key("dora-nearby-stars-5"), shelf.CONTENTS) is not None
    assert actions.prune(by=SYSTEM) == []


def test_what_was_brought_again_a_moment_ago_stays(five: list[Build], monkeypatch: pytest.MonkeyPatch) -> None:
    found = actions.prunable()
    monkeypatch.setattr(unneeded, "find", lambda: found)
    os.utime(packages.folder_of(five[0].package))
    assert five[0].package not in names(actions.prune(by=SYSTEM), "package")
    assert queries.is_package_kept(five[0])


def test_a_low_disk_takes_more_but_never_what_is_needed(
    five: list[Build], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    free_disk(monkeypatch, 0)
    gone = actions.prune(by=SYSTEM)
    assert "dora-nearby-stars-4" in names(gone, "environment")
    assert (settings.ENVIRONMENTS_DIRECTORY / "dora-nearby-stars-5").is_dir(), "the draft's own"
    assert queries.is_package_kept(five[4])


@pytest.mark.parametrize("state", ["draft", "published", "archived"])
def test_no_version_of_any_state_loses_anything(
    five: list[Build], state: str, developer: Person, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    version = DatalabVersion.objects.get()
    version.environment, version.package, version.state = "dora-nearby-stars-1", f"/old/{five[0].package}", state
    version.save()
    free_disk(monkeypatch, 0)
    actions.prune(by=SYSTEM)
    assert (settings.ENVIRONMENTS_DIRECTORY / "dora-nearby-stars-1").is_dir()
    assert queries.is_package_kept(five[0])


def test_what_is_at_work_keeps_what_it_uses(
    five: list[Build], developer: Person, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    root = settings.ENVIRONMENTS_DIRECTORY
    mounted = [{"source": str(root / "dora-nearby-stars-2"), "target": "/base", "read_only": True}]
    for workload, spec in (("s1", {"environment": "dora-nearby-stars-1"}), ("b1", {"mounts": mounted})):
        Workload.objects.create(id=workload, owner=developer, kind="batch", phase="running", spec=spec)
    waiting = queued(developer)
    Build.objects.filter(pk=waiting.pk).update(package=five[0].package, result={"environment": "dora-nearby-stars-3"})
    settings.SPACELAB.build_days = 1
    free_disk(monkeypatch, 0)
    actions.prune(by=SYSTEM)
    assert sorted(one.name[-1] for one in root.iterdir()) == ["1", "2", "3", "5"]
    assert queries.is_package_kept(five[0])
    assert not queries.is_package_kept(five[1])
    Workload.objects.update(phase="stopped")
    actions.prune(by=SYSTEM)
    assert sorted(one.name[-1] for one in root.iterdir()) == ["3", "5"]


def test_whatever_is_named_at_the_last_moment_stays(
    five: list[Build], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    rename = Path.rename

    def named_meanwhile(path: Path, target: Path) -> Path:
        if path.parent == settings.ENVIRONMENTS_DIRECTORY and not path.name.startswith("."):
            DatalabVersion.objects.update(environment=path.name)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", named_meanwhile)
    actions.prune(by=SYSTEM)
    kept = DatalabVersion.objects.get().environment
    assert (settings.ENVIRONMENTS_DIRECTORY / kept).is_dir()


def test_failed_packages_are_kept_with_their_draft_and_then_for_their_days(
    workshop: Workshop, developer: Person, older: None, settings: Any
) -> None:
    build = queued(developer)
    actions.fail(by=SYSTEM, build=Build.objects.get(pk=build.pk), message="No.")
    build.refresh_from_db()
    back(packages.folder_of(build.package), days=100)
    Build.objects.filter(pk=build.pk).update(ended_at=timezone.now() - timedelta(days=31))
    assert names(actions.prune(by=SYSTEM), "package") == []
    delete_draft(by=developer, version=DatalabVersion.objects.get(builds=build))
    Build.objects.filter(pk=build.pk).update(ended_at=timezone.now() - timedelta(days=29))
    assert names(actions.prune(by=SYSTEM), "package") == []
    Build.objects.filter(pk=build.pk).update(ended_at=timezone.now() - timedelta(days=31))
    assert names(actions.prune(by=SYSTEM), "package") == [build.package]
    with pytest.raises(Conflict, match="not kept any more"):
        actions.again(by=developer, build_id=build.pk)
    with pytest.raises(Conflict, match="not kept any more"):
        bring(developer, previous=build.pk)
    assert not list(packages.root().glob(".*")), "nothing is left behind"


def test_a_cache_goes_when_its_person_has_not_built_for_long(
    developer: Person, older: None, workshop: Workshop
) -> None:
    folder = queries.cache_folder("dora")
    folder.mkdir(parents=True)
    (folder / "wheel").write_bytes(b"x" * 100)
    back(folder, days=31)
    waiting = queued(developer)
    assert names(actions.prune(by=SYSTEM), "cache") == []
    Build.objects.filter(pk=waiting.pk).update(state="failed", created_at=timezone.now() - timedelta(days=31))
    assert names(actions.prune(by=SYSTEM), "cache") == ["dora"]
    assert not folder.exists()


LOOSE = f"sha256:{'ef' * 32}"


class Engine:
    """An engine's images; `busy` ones are in use and can't be removed."""

    here: ClassVar[dict[str, StoredImage]] = {}
    busy: ClassVar[set[str]] = set()
    loose: ClassVar[list[StoredImage]] = []

    def images(self) -> list[StoredImage]:
        return list(self.here.values())

    def unnamed(self) -> list[StoredImage]:
        return self.loose

    def find(self, name: str) -> StoredImage | None:
        return next((one for one in (*self.here.values(), *self.loose) if name in {one.id, *one.names}), None)

    def remove(self, name: str) -> None:
        if name in self.busy:
            raise Unavailable("A container uses it.", advice="Later.")
        self.here.pop(name, None)
        self.loose[:] = [one for one in self.loose if one.id != name]


@pytest.fixture
def engine(
    five: list[Build], settings: Any, quiet_runtime: type[QuietRuntime], monkeypatch: pytest.MonkeyPatch
) -> type[Engine]:
    """Let the five builds have made images, beside others that this platform did not build."""
    quiet_runtime.images = True
    settings.IMAGE_STORE = f"{__name__}.Engine"
    here = {}
    for number, build in enumerate(five, 1):
        name, identity = f"localhost/dora_nearby-stars:v0.1.0-{number}", f"sha256:{number:064x}"
        labels = {"org.spacelab.package": build.package, "org.spacelab.builder": "here"}
        here[name] = StoredImage(identity, (name,), 10**9, labels=labels)
        Build.objects.filter(pk=build.pk).update(result={"image": name, "image_id": identity})
        shelf.put(shelf.image_key(identity), shelf.CONTENTS, {})
    DatalabVersion.objects.update(image=name, environment="")
    for other in ("localhost/datalabs/jl_base:1", "docker.io/library/debian:12", "localhost/catalogue_sky:v1-0"):
        here[other] = StoredImage(f"sha256:{other}", (other,), 10**9, labels={"org.spacelab.package": "x"})
    monkeypatch.setattr(Engine, "here", here)
    monkeypatch.setattr(Engine, "busy", set())
    monkeypatch.setattr(Engine, "loose", [])
    return Engine


def test_images_of_superseded_builds_go_and_no_others(
    engine: type[Engine], monkeypatch: pytest.MonkeyPatch, five: list[Build]
) -> None:
    mine = [name for name in engine.here if "dora" in name]
    stranger = engine.here[mine[1]]
    engine.here[mine[1]] = StoredImage("sha256:another", stranger.names, 1, labels=stranger.labels)
    engine.busy.add(mine[2])
    loose = StoredImage(LOOSE, (), 5, labels={"org.spacelab.package": five[4].package})
    engine.loose += [loose, StoredImage("sha256:foreign", (), 5)]
    engine.loose[0] = StoredImage(loose.id, (), 5, created=timezone.now() - timedelta(days=31), labels=loose.labels)
    free_disk(monkeypatch, 0)
    gone = actions.prune(by=SYSTEM)
    assert set(names(gone, "image")) == {LOOSE, mine[0], mine[3]}
    assert set(engine.here) == {mine[1], mine[2], mine[4], *(one for one in engine.here if "dora" not in one)}
    assert len(engine.here) == 6
    assert [one.id for one in engine.loose] == ["sha256:foreign"]
    assert shelf.get(shelf.image_key(f"sha256:{1:064x}"), shelf.CONTENTS) is None
    assert shelf.get(shelf.image_key(f"sha256:{5:064x}"), shelf.CONTENTS) is not None


def test_without_the_engine_nothing_of_its_goes(engine: type[Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_self: Engine) -> list[StoredImage]:
        raise Unavailable("It does not answer.", advice="Start it.")

    monkeypatch.setattr(Engine, "images", away)
    for file in shelf.folder().iterdir():
        back(file, days=400)
    found = actions.prunable()
    assert not names(found, "image")
    assert not [name for name in names(found, "papers") if name.startswith("sha256")]


def test_the_command_shows_and_does(five: list[Build]) -> None:
    said = io.StringIO()
    call_command("builds", "prune", "--dry-run", stdout=said)
    assert "dora-nearby-stars-1" in said.getvalue()
    assert "6 would go, which frees up to 15.0 MB" in said.getvalue()
    assert len(list(platform_settings.ENVIRONMENTS_DIRECTORY.iterdir())) == 5
    said = io.StringIO()
    call_command("builds", "prune", "--json", stdout=said)
    assert {one["kind"] for one in json.loads(said.getvalue())} == {"environment", "package"}
    assert len(list(platform_settings.ENVIRONMENTS_DIRECTORY.iterdir())) == 2


def test_only_operators_prune(five: list[Build], developer: Person) -> None:
    with pytest.raises(Forbidden):
        actions.prune(by=developer)
    assert actions.prune(by=make_person("olga", "operator"))
