"""The pages of runs: each for its owner, her team, an operator, somebody else and a visitor."""

from __future__ import annotations

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.runs import actions, folders
from spacelab.runs.models import KeptBundle, Run
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Desired, Phase
from support.people import make_person, signed_in
from support.runs import Coordinator, launch
from support.sessions import make_team

pytestmark = pytest.mark.usefixtures("quiet_runtime")
BUTTONS = ("stop", "pause", "unpause", "resume", "rename", "delete")


@pytest.fixture
def ada(client: Client, scientist: Person) -> Client:
    """Sign the scientist in."""
    client.force_login(scientist)
    return client


@pytest.fixture
def told(scientist: Person) -> Coordinator:
    """Launch a run, and stand in for its coordinator."""
    return Coordinator(launch(scientist, title="First look"))


def text_of(client: Client, path: str) -> str:
    """Get a page that has to be there."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_an_empty_list_says_how_to_begin(ada: Client) -> None:
    assert "No runs yet" in text_of(ada, "/runs/")


def test_a_failed_job_stands_first_with_its_reason_and_what_to_do(ada: Client, told: Coordinator) -> None:
    told.begin()
    told.start("count", command=["wc", "-c", "a file"])
    told.print("count", "wc: no such file\n")
    told.end("count", "failed", reason="The command ended with exit code 1.", advice="Look at its log.")
    told.finish("failed", reason="One step failed.")
    told.carried(Phase.FAILED, exit_code=1)
    told.followed()
    text = text_of(ada, f"/runs/{told.run_id}/")
    for part in ("count failed (exit code 1).", "Look at its log.", "One step failed.", "Retry what failed"):
        assert part in text
    assert "data-live" not in text
    text = text_of(ada, f"/runs/{told.run_id}/job?name=count")
    assert "wc: no such file" in text
    assert "wc -c &#x27;a file&#x27;" in text
    assert "wc: no such file" in text_of(ada, f"/runs/{told.run_id}/log?job=count")
    assert "count" in text_of(ada, f"/runs/{told.run_id}/jobs?step=count")
    assert "count: failed" in text_of(ada, "/runs/")


def test_words_of_a_run_are_never_markup(ada: Client, told: Coordinator) -> None:
    evil = "<script>alert(1)</script>"
    told.begin([{"id": evil, "label": evil, "run": evil, "scatter": False, "parent": ""}])
    told.say("job-started", step=evil, job=evil, command=[evil], inputs={evil: evil})
    told.say("problem", severity="error", message=evil, advice=evil, file=evil, line=1, node=evil)
    told.say("job-ended", step=evil, job=evil, state="failed", reason=evil, advice=evil)
    told.finish("failed", reason=evil)
    told.followed()
    for path in (f"/runs/{told.run_id}/", "/runs/", f"/runs/{told.run_id}/jobs"):
        assert "<script>alert" not in text_of(ada, path)
    assert "<script>alert" not in ada.get(f"/runs/{told.run_id}/job", {"name": evil}).content.decode()


def test_the_buttons_pause_and_let_go_on(ada: Client, told: Coordinator) -> None:
    told.begin()
    told.followed()
    assert ada.post(f"/runs/{told.run_id}/pause").headers["Location"] == f"/runs/{told.run_id}/"
    assert (told.folder / "control.json").read_text() == '{"paused": true}'
    assert "pausing" in text_of(ada, f"/runs/{told.run_id}/")
    told.say("paused")
    told.followed()
    assert "no further job begins" in text_of(ada, f"/runs/{told.run_id}/")
    ada.post(f"/runs/{told.run_id}/unpause")
    assert (told.folder / "control.json").read_text() == '{"paused": false}'


def test_what_a_workload_made_of_the_control_file_is_not_followed(
    ada: Client, told: Coordinator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    there = tmp_path_factory.mktemp("host") / "file"
    there.write_text("mine")
    (told.folder / "control.json").symlink_to(there)
    (told.folder / ".control.json.new").symlink_to(there)
    ada.post(f"/runs/{told.run_id}/pause")
    assert there.read_text() == "mine"
    assert not (told.folder / "control.json").is_symlink()


def test_a_run_is_renamed_shown_to_a_team_and_removed(ada: Client, scientist: Person, told: Coordinator) -> None:
    ben = make_person("ben")
    make_team("plasma", scientist, ben)
    path = f"/runs/{told.run_id}/"
    assert signed_in(ben).get(path).status_code == 404
    ada.post(f"{path}rename", {"title": "Λ", "team": "plasma"})
    text = text_of(signed_in(ben), path)
    assert "Λ" in text
    assert "Stop" not in text
    assert "Λ" in text_of(signed_in(ben), "/runs/?whose=team")
    assert "Λ" in text_of(signed_in(ben), "/runs/?whose=plasma")
    assert "Λ" not in text_of(signed_in(ben), "/runs/")
    for button in BUTTONS:
        assert signed_in(ben).post(path + button, {"title": "x"}).status_code == 403, button
    assert ada.post(f"{path}delete").status_code == 409
    told.all_well()
    assert ada.post(f"{path}delete").headers["Location"] == "/runs/"
    assert not Run.objects.exists()
    assert not KeptBundle.objects.exists()
    assert not folders.run_folder(told.run_id).exists()


def test_others_see_and_do_nothing(told: Coordinator, operator: Person) -> None:
    other = signed_in(make_person("eve"))
    path = f"/runs/{told.run_id}/"
    for page in ("", "jobs", "job?name=count", "log"):
        assert other.get(path + page).status_code == 404
        assert signed_in(None).get(path + page).status_code in {302, 401}
    for button in BUTTONS:
        assert other.post(path + button, {"title": "x"}).status_code == 404, button
        assert signed_in(None).post(path + button).status_code in {302, 401}
    assert Workload.objects.get().desired == Desired.RUN
    boss = signed_in(operator)
    assert "First look" in text_of(boss, "/runs/?whose=everybody")
    assert "First look" not in text_of(other, "/runs/?whose=everybody")
    assert "Stop" in text_of(boss, path)
    assert boss.post(f"{path}pause").status_code == 403
    assert boss.post(f"{path}stop").status_code == 302
    assert Workload.objects.get().desired == Desired.STOP


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", True),
        ("state=unfinished", True),
        ("state=failed", False),
        ("pipeline=hello", True),
        ("pipeline=other", False),
        ("since=2026-01-01", True),
        ("until=2020-01-01", False),
        ("since=nonsense&state=nonsense&whose=nonsense", True),
    ],
)
def test_the_list_is_narrowed(ada: Client, told: Coordinator, query: str, shown: bool) -> None:  # noqa: FBT001  from the table above
    assert ("First look" in text_of(ada, f"/runs/?{query}")) is shown


def test_a_run_that_has_succeeded_is_not_resumed(ada: Client, told: Coordinator, scientist: Person) -> None:
    told.all_well()
    assert ada.post(f"/runs/{told.run_id}/resume").status_code == 409
    assert ada.post(f"/runs/{told.run_id}/pause").status_code == 409
    assert actions.stop(by=scientist, run_id=told.run_id).state == "succeeded"
