"""Files to open and predefined processing threads: from the form to the workload, and what bad input gets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab
from spacelab.sessions import actions, queries
from spacelab.sessions.models import Session
from spacelab.sessions.upkeep import apply_idle_policy
from spacelab.volumes.actions import ensure_areas
from spacelab.volumes.models import Volume
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Kind, Phase
from support.people import make_person
from support.sessions import idle_since, make_archive, make_datalab, make_team, move

TABLE = "/data/euclid/stars of 2026.fits"
THREAD: dict[str, Any] = {
    "name": "spectrum",
    "title": "Extract a spectrum",
    "description": "Sums along a slit.",
    "command": ["python", "$SPACELAB_PACKAGE/spectrum.py", "{table}", "--plot={plot}", "{}"],
    "inputs": [
        {"name": "table", "title": "Table", "type": "file", "formats": ["fits"]},
        {"name": "width", "title": "Width", "type": "number", "default": "2.5", "minimum": 0, "maximum": 10},
        {"name": "method", "title": "Method", "type": "choice", "choices": ["sum", "mean"], "default": "sum"},
        {"name": "note", "title": "Note", "type": "text"},
    ],
    "outputs": [{"name": "plot", "title": "Plot", "path": "plots/a b.png"}],
}
RUN = "/datalabs/topcat/threads/spectrum"
GIVEN = {"inputs.table": TABLE, "inputs.width": "1.5", "inputs.method": "mean", "profile": "small"}


@pytest.fixture
def topcat(archive: Volume, quiet_runtime: object) -> Datalab:
    """Create a datalab that opens tables and has a processing thread."""
    (Path(archive.path) / "stars of 2026.fits").write_bytes(b"table")
    (Path(archive.path) / "notes.txt").write_bytes(b"text")
    opens = {"formats": ["FITS", "VOTable"], "default": [TABLE]}
    return make_datalab("topcat", default_volumes=["euclid"], opens=opens, threads=[THREAD])


@pytest.fixture
def ada(client: Client, scientist: Person, settings: Any, tmp_path: Path) -> Client:
    """Sign the scientist in, with a workspace of her own."""
    settings.VOLUMES_DIRECTORY = tmp_path / "areas"
    client.force_login(scientist)
    ensure_areas(person=scientist)
    return client


def workspace_of(person: Person) -> Path:
    return Path(Volume.objects.get(owner=person, kind="workspace").path)


def last_session() -> Session:
    found = Session.objects.order_by("workload__created_at").last()
    assert found is not None
    return found


def test_a_file_is_opened_from_the_form(ada: Client, scientist: Person, topcat: Datalab) -> None:
    (workspace_of(scientist) / "mine.fits").write_bytes(b"x")
    text = ada.get("/datalabs/topcat/launch").content.decode()
    assert f'value="{TABLE}"' in text
    assert '<option value="/media/user/mine.fits">' in text
    assert "notes.txt" not in text
    answer = ada.post("/datalabs/topcat/launch", {"profile": "small", "open": "/media/user/mine.fits"})
    session = Session.objects.get()
    assert queries.spec_of(session).variables["SPACELAB_OPEN"] == "/media/user/mine.fits"
    assert "/media/user/mine.fits" in ada.get(answer.headers["Location"]).content.decode()


def test_what_is_opened_by_itself_and_what_is_left_empty(ada: Client, scientist: Person, topcat: Datalab) -> None:
    ada.post("/datalabs/topcat/relaunch")
    assert queries.spec_of(last_session()).variables["SPACELAB_OPEN"] == TABLE
    ada.post("/datalabs/topcat/launch", {"profile": "small", "volumes": ["euclid"], "open": ""})
    assert "SPACELAB_OPEN" not in queries.spec_of(last_session()).variables
    actions.launch(by=scientist, datalab_slug="topcat", profile="small", volumes=[], teams=[])
    assert "SPACELAB_OPEN" not in queries.spec_of(last_session()).variables


def test_a_link_preselects_a_file_and_its_volume(ada: Client, jupyterlab: Datalab, tmp_path: Path) -> None:
    volume = make_archive("gaia", tmp_path)
    (Path(volume.path) / "a.fits").touch()
    form = ada.get("/datalabs/jupyterlab/launch?open=/data/gaia/a.fits").context["form"]
    assert form["open"].value() == ["/data/gaia/a.fits"]
    assert "gaia" in form["volumes"].value()
    assert "open" not in ada.get("/datalabs/jupyterlab/launch").context["form"].fields
    jupyterlab.versions.update(opens={"formats": [], "default": []})
    assert "open" not in ada.get("/datalabs/jupyterlab/launch").context["form"].fields


def test_the_volume_of_a_file_is_mounted_and_several_files_are_opened(ada: Client, topcat: Datalab) -> None:
    wanted = {"datalab": "topcat", "open": [TABLE, "/data/user/euclid/notes.txt"]}
    made = ada.post("/api/v1/sessions", wanted, "application/json")
    assert made.status_code == 201, made.content
    assert made.json()["open"] == wanted["open"]
    assert made.json()["volumes"] == ["euclid"]
    assert queries.spec_of(last_session()).variables["SPACELAB_OPEN"] == "\n".join(wanted["open"])


def test_the_form_takes_several_files_and_keeps_them_where_one_is_wrong(
    ada: Client, topcat: Datalab, archive: Volume
) -> None:
    assert ada.get("/datalabs/topcat/launch").content.decode().count('name="open"') == 6
    notes, wrong = "/data/euclid/notes.txt", "/data/euclid/absent.fits"
    page = ada.post("/datalabs/topcat/launch", {"profile": "small", "open": [TABLE, "", wrong, notes]})
    assert page.status_code == 422
    text = page.content.decode()
    for path in (TABLE, wrong, notes):
        assert f'value="{path}"' in text
    assert "absent.fits" in page.context["form"].errors["open"][0]
    ada.post("/datalabs/topcat/launch", {"profile": "small", "open": [TABLE, "", f" {notes} ", TABLE]})
    assert queries.spec_of(last_session()).variables["SPACELAB_OPEN"] == f"{TABLE}\n{notes}"
    form = ada.get(f"/datalabs/topcat/launch?open={TABLE}&open={notes}").context["form"]
    assert form["open"].value() == [TABLE, notes]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/data/euclid/absent.fits", "There is no"),
        ("/data/euclid/../hidden/secret.fits", "is in no volume"),
        ("/data/hidden/secret.fits", "no volume “hidden” that you can use"),
        ("/data/nowhere/secret.fits", "no volume “nowhere” that you can use"),
        ("/data/euclid/out/passwd", "leads out of its volume"),
        ("/media/team_workspaces/others/a", "in no team “others”"),
        ("/etc/passwd", "is in no volume"),
        ("stars.fits", "is in no volume"),
        ("/media/user/a\nb", "is in no volume"),
        ("/data/euclid", "is in none of the volumes"),
    ],
)
def test_a_file_outside_the_volumes_is_refused(
    ada: Client, topcat: Datalab, archive: Volume, tmp_path: Path, *, path: str, said: str
) -> None:
    hidden = make_archive("hidden", tmp_path, access="restricted")
    (Path(hidden.path) / "secret.fits").touch()
    Path(archive.path, "out").symlink_to("/etc")
    make_team("others", make_person("eve"))
    refused = ada.post("/api/v1/sessions", {"datalab": "topcat", "open": [path]}, "application/json")
    assert refused.status_code == 422
    assert said in refused.json()["detail"]
    assert refused.json()["field"] in {"open", "teams"}
    assert refused.json()["advice"]
    assert not Workload.objects.exists()
    page = ada.post("/datalabs/topcat/launch", {"profile": "small", "open": path})
    assert page.status_code == 422


def test_a_restart_opens_what_is_still_there(scientist: Person, topcat: Datalab, archive: Volume) -> None:
    session = actions.relaunch(by=scientist, datalab_slug="topcat")
    move(session, Phase.STOPPED)
    assert actions.restart(by=scientist, session_id=session.id).opens == [TABLE]
    Path(archive.path, "stars of 2026.fits").unlink()
    again = last_session()
    move(again, Phase.STOPPED)
    assert actions.restart(by=scientist, session_id=again.id).opens == []


def test_a_thread_runs_over_its_inputs_and_lists_its_results(ada: Client, scientist: Person, topcat: Datalab) -> None:
    page = ada.get("/catalogue/topcat/").content.decode()
    assert "One-click processing" in page
    assert RUN in page
    form = ada.get(RUN).content.decode()
    assert 'min="0"' in form
    assert f'<option value="{TABLE}">' in form
    answer = ada.post(RUN, {**GIVEN, "inputs.note": "ζ Tau"})
    session = last_session()
    spec = queries.spec_of(session)
    assert (spec.kind, spec.interface, spec.deadline_seconds) == (Kind.BATCH, None, 24 * 3600)
    words = ("python", "$SPACELAB_PACKAGE/spectrum.py", "${INPUT_TABLE}", "--plot=${OUTPUT_DIR}/plots/a b.png", "{}")
    assert spec.command[4:] == words
    wanted = {"INPUT_TABLE": TABLE, "INPUT_WIDTH": "1.5", "INPUT_METHOD": "mean"}
    assert wanted.items() <= spec.variables.items()
    assert spec.variables["INPUT_NOTE"] == "ζ Tau"
    folder = workspace_of(scientist) / session.results
    assert spec.variables["OUTPUT_DIR"] == f"/media/user/{session.results}"
    assert session.results.startswith("results/spectrum-")
    assert folder.is_dir()
    if os.geteuid() == 0:
        assert folder.stat().st_uid == folder.parent.stat().st_uid == workspace_of(scientist).stat().st_uid
    (folder / "plots").mkdir()
    (folder / "plots" / "a b.png").write_bytes(b"x" * 2048)
    (folder / "leak").symlink_to("/etc/passwd")
    move(session, Phase.STARTING, Phase.RUNNING)
    text = ada.get(answer.headers["Location"]).content.decode()
    assert f"/sessions/{session.id}/open" not in text
    assert f'href="/api/v1/workspace/files/{session.results}/plots/a%20b.png"' in text
    assert "leak" not in text
    assert ada.get(f"/api/v1/workspace/files/{session.results}/plots/a%20b.png").status_code == 200
    seen = ada.get(f"/api/v1/sessions/{session.id}").json()
    assert seen["results"] == [f"{session.results}/plots/a b.png"]
    assert (seen["thread"], seen["url"]) == ("spectrum", "")
    move(session, Phase.SUCCEEDED)
    assert "finished" in ada.get(answer.headers["Location"]).content.decode()
    assert "/open" not in ada.get("/sessions").content.decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputs.width": "11"}, "too large"),
        ({"inputs.width": "-1"}, "too small"),
        ({"inputs.width": "1,5"}, "is not a number"),
        ({"inputs.width": "nan"}, "no finite number"),
        ({"inputs.method": "median"}, "is not offered"),
        ({"inputs.table": "/etc/passwd"}, "is in no volume"),
        ({"inputs.table": "/data/euclid/absent.fits"}, "There is no"),
        ({"inputs.note": "x" * 2000}, "too long"),
    ],
)
def test_bad_inputs_are_refused_at_their_field(
    ada: Client, scientist: Person, topcat: Datalab, change: dict[str, str], said: str
) -> None:
    answer = ada.post(RUN, {**GIVEN, **change})
    field = next(iter(change))
    assert answer.status_code == 422
    assert said in answer.context["form"].errors[field][0]
    assert answer.context["form"][field].value() == change[field]
    inputs = {name.removeprefix("inputs."): value for name, value in {**GIVEN, **change}.items() if "." in name}
    wanted = {"datalab": "topcat", "thread": "spectrum", "inputs": inputs}
    refused = ada.post("/api/v1/sessions", wanted, "application/json")
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert not Session.objects.exists()
    assert not (workspace_of(scientist) / "results").exists()


def test_unknown_threads_and_inputs_are_refused(ada: Client, topcat: Datalab) -> None:
    assert ada.get("/datalabs/topcat/threads/nothing").status_code == 404
    for wanted, status in (({"thread": "nothing"}, 404), ({"thread": "spectrum", "inputs": {"depth": 1}}, 422)):
        assert ada.post("/api/v1/sessions", {"datalab": "topcat", **wanted}, "application/json").status_code == status


def test_a_link_in_the_place_of_the_results_is_refused(ada: Client, scientist: Person, topcat: Datalab) -> None:
    (workspace_of(scientist) / "results").symlink_to("/tmp")  # noqa: S108  somebody's link, not our file
    answer = ada.post(RUN, GIVEN)
    assert answer.status_code == 422
    assert "has to be a folder" in answer.content.decode()
    assert not Session.objects.exists()


def test_a_thread_counts_in_the_quota_runs_again_and_is_never_idle(
    ada: Client, scientist: Person, topcat: Datalab
) -> None:
    ada.post(RUN, {**GIVEN, "profile": "large"})
    first = last_session()
    assert queries.used_by(scientist).cpu == 4
    move(first, Phase.STARTING, Phase.RUNNING)
    Workload.objects.update(active_at=None)
    idle_since(first, queries.idle_policy().limit * 3)
    for _ in range(2):
        apply_idle_policy()
    first.refresh_from_db()
    assert (first.warned_at, first.workload.desired) == (None, "run")
    move(first, Phase.FAILED)
    answer = ada.post(f"/sessions/{first.id}/restart")
    again = last_session()
    assert answer.headers["Location"] == f"/sessions/{again.id}"
    assert (again.thread, again.inputs) == (first.thread, first.inputs)
    assert again.results != first.results
    kept: Any = ada.get("/sessions").content.decode()
    assert "Topcat: Extract a spectrum" in kept
