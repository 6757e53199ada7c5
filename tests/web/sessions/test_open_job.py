"""A job of a run opened as a session: its folder, its script, whose it is, and what can't be opened."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.runs.folders import cache_folder
from spacelab.runs.models import Run
from spacelab.sessions.models import Session
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Phase
from support.people import make_person, signed_in
from support.runs import Coordinator, file_of, launch, workspace_of
from support.sessions import make_datalab

PLACE = "/var/cache/spacelab-run/work/x/0"
KEPT = "/var/cache/spacelab-run/jobs/x-1"
INPUTS = {
    "text": {"class": "File", "location": "file:///media/user/a%20b.txt", "path": f"{PLACE}/in/0/a b.txt"},
    "made": [
        {"class": "File", "location": f"file://{KEPT}/{name}", "path": f"{PLACE}/in/{name}/{name}"}
        for name in ("c", "gone")
    ],
}
LAID = [
    {"path": f"{PLACE}/in/0/a b.txt", "source": "/media/user/a b.txt"},
    {"path": f"{PLACE}/in/c/c", "source": f"{KEPT}/c"},
    {"path": f"{PLACE}/in/gone/gone", "source": f"{KEPT}/gone"},
    {"path": f"{PLACE}/out/settings.ini", "text": f"[all]\nfrom = {PLACE}/in/c/c\n"},
    {"path": f"{PLACE}/out/own.txt", "copy": "/media/user/a b.txt"},
    {"path": f"{PLACE}/out/../../escape", "source": "/media/user/a b.txt"},
    {"path": "/etc/passwd", "source": "/media/user/a b.txt"},
    {"path": f"{PLACE}/in/shadow", "source": "/etc/shadow"},
    "nonsense",
]


@pytest.fixture
def told(scientist: Person, jupyterlab: Datalab) -> Coordinator:
    """Launch a run of which a job has failed."""
    file_of(scientist, "a b.txt", "x\n")
    told = Coordinator(launch(scientist, profile="medium"))
    told.begin()
    kept = cache_folder(scientist.username) / "jobs" / "x-1"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / "c").write_text("made before\n")
    told.start("count", inputs=INPUTS, image="tool:1", command=["wc", f"{PLACE}/in/0/a b.txt", f"-o={PLACE}/in/c/c"])
    told.print("count", "it went wrong\n")
    environment = {"PATH": "/opt/environments/tool/bin:/usr/bin", "HOME": f"{PLACE}/out", "DEPTH": "3 $(id)"}
    environment["BAD NAME"] = "x"
    (told.folder / "jobs" / "count" / "command.json").write_text(
        json.dumps({"environment": environment, "stdin": "/elsewhere/in/0/a b.txt", "folder": PLACE, "laid": LAID})
    )
    told.end("count", "failed", reason="The command ended with exit code 1.")
    told.followed()
    return told


def test_the_session_opens_the_job_s_script_in_its_folder(client: Client, scientist: Person, told: Coordinator) -> None:
    client.force_login(scientist)
    page = client.get(f"/runs/{told.run_id}/").content.decode()
    assert "Open as a session" in page
    answer = client.post(f"/runs/{told.run_id}/open", {"job": "count"})
    session = Session.objects.get()
    assert answer.headers["Location"] == f"/sessions/{session.id}"
    folder = f"steps/{told.run_id}/count-1"
    assert session.opens == [f"/media/user/{folder}/run.sh"]
    assert (session.title, session.profile, session.datalab_slug) == ("count of Hello", "medium", "jupyterlab")
    there = workspace_of(scientist) / folder
    script = (there / "run.sh").read_text()
    assert "cd /job/out || exit" in script
    assert "exec wc '/job/in/0/a b.txt' -o=/job/in/c/c < '/job/in/0/a b.txt'" in script
    assert "cp -rn '/media/user/a b.txt' /job/out/own.txt" in script
    assert "export HOME=/job/out" in script
    variables = (there / "environment.sh").read_text()
    assert """export PATH=/opt/environments/tool/bin:/usr/bin:"$PATH\"""" in variables
    assert "export DEPTH='3 $(id)'" in variables
    assert "BAD" not in variables
    assert "HOME" not in variables
    assert str((there / "in/0/a b.txt").readlink()) == "/media/user/a b.txt"
    assert str((there / "in/c/c").readlink()) == f"{KEPT}/c"
    assert (there / "out/settings.ini").read_text().startswith("[all]\n")
    assert not any((there / name).is_symlink() for name in ("in/gone/gone", "in/shadow", "escape"))
    assert (there / "stderr.txt").read_text() == "it went wrong\n"
    assert f"- `{KEPT}/gone`" in (there / "README.md").read_text()
    assert (
        client.post(f"/runs/{told.run_id}/open", {"job": "count"}).status_code == 302
    )  # again: nothing is overwritten


def test_all_is_where_the_job_had_it_and_again_after_a_restart(
    client: Client, scientist: Person, told: Coordinator, settings: Any, tmp_path: Path
) -> None:
    settings.ENVIRONMENTS_DIRECTORY = tmp_path
    (tmp_path / "tool").mkdir()
    Run.objects.update(environments={"tool:1": "tool"})
    DatalabVersion.objects.update(activity_probe="jupyter")
    client.force_login(scientist)
    client.post(f"/runs/{told.run_id}/open", {"job": "count"})
    session = Session.objects.get()
    assert session.workload.spec["interface"]["path"].endswith(f"/tree/media/user/steps/{told.run_id}/count-1/run.sh")
    shown = {one["target"]: one for one in session.workload.spec["mounts"]}
    job = Path(shown["/job"]["source"])
    assert {one.name: str(one.readlink()) for one in job.iterdir()} == {
        name: f"/media/user/steps/{told.run_id}/count-1/{name}" for name in ("in", "out", "tmp")
    }
    cache = str(cache_folder(scientist.username))
    ours = {"/job", "/var/cache/spacelab-run", "/run/spacelab-run", "/opt/environments/tool"}
    assert all(shown[one]["read_only"] for one in ours)
    assert (shown["/var/cache/spacelab-run"]["source"], shown["/run/spacelab-run"]["source"]) == (
        cache,
        str(told.folder),
    )
    Workload.objects.filter(pk=session.pk).update(phase=Phase.STOPPED)
    client.post(f"/sessions/{session.pk}/restart")
    again = Session.objects.exclude(pk=session.pk).get()
    assert {one["target"]: one for one in again.workload.spec["mounts"]} == shown
    assert (again.job, again.opens) == (session.job, session.opens)
    Workload.objects.filter(pk=again.pk).update(phase=Phase.STOPPED)
    Run.objects.all().delete()
    page = client.post(f"/sessions/{again.pk}/restart")
    assert page.status_code == 409
    assert "The run of this step was deleted." in page.content.decode()


def test_the_step_s_own_datalab_is_taken_where_it_names_one(
    client: Client, scientist: Person, told: Coordinator
) -> None:
    make_datalab("spectra", version="2.1")
    told.start("count", inputs={}, image="datalabs/spectra:2.1")
    told.followed()
    client.force_login(scientist)
    client.post(f"/runs/{told.run_id}/open", {"job": "count"})
    session = Session.objects.get()
    assert session.version_name == "Spectra 2.1"


def test_a_link_in_the_way_is_not_followed(
    client: Client, scientist: Person, told: Coordinator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    steps = workspace_of(scientist) / "steps"
    shutil.rmtree(steps, ignore_errors=True)
    steps.symlink_to(outside)
    client.force_login(scientist)
    assert client.post(f"/runs/{told.run_id}/open", {"job": "count"}).status_code == 422
    assert not list(outside.iterdir())
    steps.unlink()


def test_nobody_else_opens_it_nor_what_there_is_not(client: Client, scientist: Person, told: Coordinator) -> None:
    path = f"/runs/{told.run_id}/open"
    assert signed_in(make_person("eve")).post(path, {"job": "count"}).status_code == 404
    assert signed_in(make_person("olga", "operator")).post(path, {"job": "count"}).status_code == 404
    assert signed_in(None).post(path, {"job": "count"}).status_code in {302, 401}
    client.force_login(scientist)
    assert client.post(path, {"job": "absent"}).status_code == 404
    assert client.get(path).status_code == 405
    Run.objects.update(cleaned_at="2026-01-01T00:00:00Z")
    assert client.post(path, {"job": "count"}).status_code == 409
    assert not Session.objects.exists()
