"""Launching: what a session is made of, what is refused, and that nothing is left of a refusal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, NotFound, OverQuota, Unavailable
from spacelab.sessions import actions, queries
from spacelab.sessions.models import LaunchChoice, Session
from spacelab.volumes.models import Volume
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Network, Phase
from support.people import make_person
from support.sessions import QuietRuntime, launch, make_archive, make_datalab, make_team, move


def test_a_launch_describes_the_workload(
    scientist: Person, jupyterlab: Datalab, archive: Volume, settings: Any
) -> None:
    team = make_team("plasma", scientist)
    session = actions.launch(
        by=scientist, datalab_slug="jupyterlab", profile="medium", volumes=["euclid"], teams=[team.slug], title="銀河"
    )
    spec = queries.spec_of(session)
    targets = {mount.target: mount for mount in spec.mounts}
    assert targets["/data/euclid"].read_only
    assert targets["/data/euclid"].source == archive.path
    assert not targets["/media/user"].read_only
    assert not targets["/media/team_workspaces/plasma"].read_only
    assert (spec.resources.cpu, spec.resources.memory_mb) == (2, 4096)
    assert spec.network is Network.OUTBOUND
    assert spec.variables["DATALAB_ID"] == session.id
    assert spec.variables["SPACELAB_URL"] == spec.variables["DATALABS_URL"] == settings.SPACELAB.portal_url
    assert queries.url_of(session).endswith(f"/datalabs/{session.id}/lab")
    assert (session.title, session.workload.phase) == ("銀河", "queued")
    assert Entry.objects.filter(action="sessions.launch", subject=f"session:{session.id}").exists()
    choice = LaunchChoice.objects.get()
    assert (choice.profile, choice.volumes, choice.teams) == ("medium", ["euclid"], ["plasma"])


def test_the_package_stands_in_the_session(scientist: Person, jupyterlab: Datalab, tmp_path: Path) -> None:
    DatalabVersion.objects.update(package=str(tmp_path))
    mounts = {mount.target: mount for mount in queries.spec_of(launch(scientist)).mounts}
    assert mounts["/opt/datalab"].source == str(tmp_path)
    assert mounts["/opt/datalab"].read_only


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"volumes": ["nowhere"]}, "volumes"),
        ({"volumes": ["hidden"]}, "volumes"),
        ({"volumes": ["../euclid"]}, "volumes"),
        ({"teams": ["others"]}, "teams"),
        ({"profile": "enormous"}, "profile"),
        ({"version": "9.9"}, "version"),
        ({"version": "0.9"}, "version"),
        ({"title": "x" * 300}, "title"),
    ],
)
@pytest.mark.usefixtures("jupyterlab", "archive")
def test_bad_choices_are_refused_at_their_field(
    scientist: Person, tmp_path: Path, change: dict[str, Any], field: str
) -> None:
    make_archive("hidden", tmp_path, access="restricted")
    make_team("others", make_person("eve"))
    make_datalab("jupyterlab", version="0.9", state="building")
    wanted: dict[str, Any] = {"profile": "small", "volumes": ["euclid"], "teams": []}
    with pytest.raises(Invalid) as caught:
        actions.launch(by=scientist, datalab_slug="jupyterlab", **{**wanted, **change})
    assert caught.value.field == field
    assert caught.value.advice
    assert not Workload.objects.exists()
    assert not LaunchChoice.objects.exists()


def test_hidden_and_unknown_volumes_get_the_same_answer(scientist: Person, jupyterlab: Datalab, tmp_path: Path) -> None:
    make_archive("hidden", tmp_path, access="restricted")
    said = []
    for name in ("hidden", "absent"):
        with pytest.raises(Invalid) as caught:
            launch(scientist, volumes=[name])
        said.append(caught.value.message.replace(name, "…"))
    assert said[0] == said[1]


def test_a_datalab_without_a_published_version_is_not_there(scientist: Person, quiet_runtime: object) -> None:
    make_datalab("draft", state="built")
    with pytest.raises(NotFound):
        actions.launch(by=scientist, datalab_slug="draft", profile="small", volumes=[], teams=[])


def test_a_person_without_the_right_can_t_launch(jupyterlab: Datalab) -> None:
    nobody = make_person("nil")
    nobody.roles.clear()
    with pytest.raises(Forbidden):
        launch(nobody)


def test_the_quota_counts_what_runs_and_nothing_else(scientist: Person, jupyterlab: Datalab) -> None:
    first = launch(scientist, profile="large")
    launch(scientist, profile="large")
    with pytest.raises(OverQuota, match="0 of 8 are free"):
        launch(scientist)
    assert Session.objects.count() == 2
    move(first, Phase.STOPPED)
    assert launch(scientist, profile="large")
    assert launch(make_person("grace"), profile="large")


def test_a_full_disk_is_said(scientist: Person, jupyterlab: Datalab, settings: Any) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"disk_reserve_mb": 10**9})
    with pytest.raises(Unavailable, match="disk"):
        launch(scientist)
    assert not Session.objects.exists()


def test_without_isolation_one_person_only(
    scientist: Person, jupyterlab: Datalab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuietRuntime, "isolation", "none")
    move(launch(scientist), Phase.STOPPED)
    assert launch(scientist)
    with pytest.raises(Conflict, match="one person only"):
        launch(make_person("grace"))
    assert Session.objects.filter(owner=scientist).count() == Session.objects.count() == 2


def test_relaunch_takes_the_last_choices_or_the_defaults(
    scientist: Person, jupyterlab: Datalab, archive: Volume
) -> None:
    first = actions.relaunch(by=scientist, datalab_slug="jupyterlab")
    assert (first.profile, first.volumes) == ("small", ["euclid"])
    launch(scientist, profile="medium", volumes=[])
    again = actions.relaunch(by=scientist, datalab_slug="jupyterlab")
    assert (again.profile, again.volumes) == ("medium", [])


RACE = """
import threading
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from support.people import make_person
from support.sessions import launch, make_datalab
from spacelab.kit.refusals import OverQuota
person = make_person("ada")
make_datalab("jupyterlab")
together = threading.Barrier(6)
outcomes = []
def attempt():
    together.wait()
    try:
        launch(person)
        outcomes.append("launched")
    except OverQuota:
        outcomes.append("refused")
    finally:
        connection.close()
threads = [threading.Thread(target=attempt) for _ in range(6)]
[one.start() for one in threads]
[one.join() for one in threads]
print(*outcomes)
"""


def test_launches_at_once_stay_within_the_quota(tmp_path: Path) -> None:
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SPACELAB_")},
        "DJANGO_SETTINGS_MODULE": "support.racing",
        "SPACELAB_STATE": str(tmp_path),
        "SPACELAB_QUOTA_SESSIONS": "2",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", RACE], env=variables, capture_output=True, text=True, timeout=400, check=False
    )
    assert sorted(done.stdout.split()) == ["launched"] * 2 + ["refused"] * 4, done.stderr
