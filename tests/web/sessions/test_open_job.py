"""A job of a run opened as a session: its folder, its script, whose it is, and what can't be opened."""

from __future__ import annotations

import json
import shutil

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab
from spacelab.runs.models import Run
from spacelab.sessions.models import Session
from support.people import make_person, signed_in
from support.runs import Coordinator, file_of, launch, workspace_of
from support.sessions import make_datalab

PLACE = "/var/cache/spacelab-run/run-x/places/0"
KEPT = "/var/cache/spacelab-run/run-x/kept/1/out"
INPUTS = {
    "text": {"class": "File", "location": "file:///media/user/a%20b.txt", "path": f"{PLACE}/in/0/a b.txt"},
    "made": [
        {"class": "File", "location": "file:///var/cache/spacelab-run/run-x/kept/1/out/c", "path": f"{PLACE}/in/1/c"}
    ],
}


@pytest.fixture
def told(scientist: Person, jupyterlab: Datalab) -> Coordinator:
    """Launch a run of which a job has failed."""
    file_of(scientist, "a b.txt", "x\n")
    told = Coordinator(launch(scientist, profile="medium"))
    told.begin()
    told.start("count", inputs=INPUTS, command=["wc", f"{PLACE}/in/0/a b.txt", f"-o={PLACE}/in/1/c"])
    told.print("count", "it went wrong\n")
    environment = {"PATH": "/opt/environments/tool/bin:/usr/bin", "HOME": PLACE, "DEPTH": "3 $(id)", "BAD NAME": "x"}
    (told.folder / "jobs" / "count" / "command.json").write_text(
        json.dumps({"environment": environment, "stdin": "/elsewhere/in/0/a b.txt"})
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
    assert f"cd /media/user/{folder} || exit" in script
    command = f"exec wc '/media/user/{folder}/inputs/0/a b.txt' -o=/media/user/{folder}/inputs/1/c"
    assert f"{command} < '/media/user/{folder}/inputs/0/a b.txt'" in script
    assert """export PATH=/opt/environments/tool/bin:/usr/bin:"$PATH\"""" in script
    assert "export DEPTH='3 $(id)'" in script
    assert "BAD" not in script
    assert "HOME" not in script
    assert str((there / "inputs/0/a b.txt").readlink()) == "/media/user/a b.txt"
    assert (there / "stderr.txt").read_text() == "it went wrong\n"
    assert "kept/1/out/c" in (there / "README.md").read_text()
    assert (
        client.post(f"/runs/{told.run_id}/open", {"job": "count"}).status_code == 302
    )  # again: nothing is overwritten


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
