"""From events to rows: what each event changes, what a hostile workload can't do, and how ends are told."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.kit.refusals import Conflict
from spacelab.notifications.models import Notification
from spacelab.runs import actions, disk, folders, upkeep
from spacelab.runs.models import Run, RunJob
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Desired, Phase
from support.runs import SOURCE, Coordinator, launch
from support.sessions import QuietRuntime

pytestmark = pytest.mark.usefixtures("quiet_runtime")


@pytest.fixture
def run(scientist: Person) -> Run:
    """Launch a run."""
    return launch(scientist)


@pytest.fixture
def told(run: Run) -> Coordinator:
    """Stand in for the run's coordinator."""
    return Coordinator(run)


def test_a_launch_writes_the_folder_and_submits_a_workload(run: Run, scientist: Person) -> None:
    folder = folders.run_folder(run.pk)
    assert (folder / "bundle" / "main.cwl").read_text() == SOURCE.files["main.cwl"]
    assert json.loads((folder / "job.json").read_text()) == {
        "text": {"class": "File", "location": "/media/user/words.txt"}
    }
    options = json.loads((folder / "options.json").read_text())
    assert options["main"] == "main.cwl"
    assert options["outdir"] == f"/media/user/results/hello-{run.pk}"
    assert run.workload is not None
    spec = run.workload.spec
    assert spec["run"]["folder"] == str(folder)
    assert spec["kind"] == "batch"
    assert Entry.objects.filter(action="runs.launch", subject=f"run:{run.pk}").exists()


def test_a_run_goes_through_its_states(told: Coordinator) -> None:
    assert told.followed().state == "queued"
    told.carried(Phase.RUNNING)
    assert told.followed().state == "running"
    told.begin()
    told.start("count")
    run = told.followed()
    assert (run.state, run.steps[0]["state"], run.totals) == ("running", "running", {"running": 1})
    told.say("paused")
    assert told.followed().state == "paused"
    told.say("resumed")
    run = told.all_well()
    assert (run.state, run.steps[0]["state"], run.totals, run.followed) == (
        "succeeded",
        "succeeded",
        {"succeeded": 1},
        False,
    )
    job = RunJob.objects.get()
    assert (job.exit_code, job.cpu_seconds, job.memory_bytes) == (0, 0.5, 2**20)
    assert job.seconds == pytest.approx(2, abs=0.01)
    assert Notification.objects.get().title == "Your run Hello has succeeded"
    assert Workload.objects.get().held is False


def test_a_line_that_is_still_written_waits(told: Coordinator) -> None:
    told.begin()
    told.raw('{"at": 1800000000, "event": "sca')
    assert told.followed().steps[0]["count"] is None
    told.raw('tter", "attempt": 1, "step": "count", "count": 3}\n')
    run = told.followed()
    assert run.steps[0]["count"] == 3
    assert run.bad_lines == 0


def test_a_run_with_thousands_of_outputs_keeps_them_all(told: Coordinator) -> None:
    path = "/media/user/results/a rather long name of a folder/π-{}.fits"
    files = [{"class": "File", "location": f"file://{path.format(n)}", "size": n} for n in range(9000)]
    told.begin()
    told.finish(outputs={"images": files})
    run = told.followed()
    assert (run.state, run.bad_lines, run.outputs["images"]) == ("succeeded", 0, files)


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1, 2]",
        '{"event": "unknown"}',
        '{"event": "job-started", "step": "count"}',
        '{"event": "job-ended", "step": "count", "job": "count", "state": "glorious"}',
        '{"event": "run-ended", "state": "running"}',
        "[" * 100_000,
        '{"event": "scatter", "step": "count", "count": -4}',
        '{"event": "job-started", "step": 7, "job": ["a"]}',
    ],
    ids=range(9),
)
def test_a_senseless_line_is_counted_and_passed_over(told: Coordinator, line: str) -> None:
    told.begin()
    told.raw(line + "\n")
    told.start("count")
    run = told.followed()
    assert run.bad_lines == 1
    assert run.totals == {"running": 1}


@pytest.mark.parametrize(
    "values",
    [
        {"exit_code": "0", "cpu_seconds": float("nan"), "memory_bytes": -1},
        {"cpu_seconds": 1e400, "started_at": 1e300, "ended_at": "yesterday", "memory_bytes": 2**80},
        {"outputs": {"a": "x" * 1_000_00, "b": "\ud800\0", "c": "x" * 100_000}, "reason": "\0" * 9},
        {"outputs": [1], "reason": {"a": 1}, "advice": 4, "trouble": "t" * 9000},
    ],
    ids=range(4),
)
def test_values_of_any_kind_are_taken_as_far_as_they_make_sense(told: Coordinator, values: dict[str, Any]) -> None:
    told.begin()
    told.start("count", inputs={"x": "\0\ud834"}, command=["a", 7, "\0"])
    told.end("count", **values)
    run = told.followed()
    assert run.totals == {"succeeded": 1}
    job = RunJob.objects.get()
    assert job.memory_bytes in {None, 2**20}
    assert len(job.trouble) <= 20
    assert len(json.dumps(job.outputs)) < 200_000


def test_events_are_not_read_through_a_link_nor_from_a_pipe(told: Coordinator, tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"event": "run-ended", "state": "succeeded", "attempt": 1}\n')
    (told.folder / "events.jsonl").symlink_to(secret)
    assert told.followed().state == "queued"
    (told.folder / "events.jsonl").unlink()
    os.mkfifo(told.folder / "events.jsonl")
    assert told.followed().state == "queued"


def test_the_log_of_a_job_is_not_read_through_a_link(told: Coordinator, tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    told.print("count", "plain")
    assert folders.read_log(told.run_id, "count", "stderr") == b"plain"
    (told.folder / "jobs" / "count" / "stdout").symlink_to(secret)
    (told.folder / "jobs" / "away").symlink_to(tmp_path)
    assert folders.read_log(told.run_id, "count", "stdout") == b""
    assert folders.read_log(told.run_id, "away", "stderr") == b""
    for name in ("../..", "/etc", "count/../../options.json", ""):
        assert folders.read_log(told.run_id, name, "stderr") == b""


def test_a_thousand_jobs_cost_few_statements(told: Coordinator) -> None:
    told.begin()
    told.say("scatter", step="count", count=1000)
    for number in range(1000):
        told.start(f"count.{number}", index=[number])
        told.end(f"count.{number}")
    with CaptureQueriesContext(connection) as seen:
        run = told.followed()
    assert run.totals == {"succeeded": 1000}
    assert run.steps[0]["jobs"] == {"succeeded": 1000}
    assert len(seen) < 40  # SQLite takes 999 values in a statement
    assert list(run.jobs.order_by("number").values_list("index", flat=True)[:2]) == [[0], [1]]


def test_what_ends_without_a_word_was_interrupted_and_says_what_to_do(told: Coordinator) -> None:
    told.begin()
    told.start("count")
    told.carried(Phase.FAILED, exit_code=137, reason="It was killed.", trouble="out-of-memory")
    run = told.followed()
    assert run.state == "interrupted"
    assert run.reason == "It was killed. (exit code 137)"
    assert "larger profile" in run.advice
    assert run.totals == {"interrupted": 1}
    assert Notification.objects.get().title == "Your run Hello was interrupted"


def test_a_stop_cancels_and_a_resume_goes_on_without_repeating(told: Coordinator, scientist: Person) -> None:
    told.begin()
    told.start("count")
    told.end("count")
    told.followed()
    actions.stop(by=scientist, run_id=told.run_id)
    run = Run.objects.select_related("workload").get(pk=told.run_id)
    assert run.workload is not None
    first = run.workload
    assert first.desired == Desired.STOP
    told.carried(Phase.STOPPED)
    assert (told.followed().state, Notification.objects.count()) == ("cancelled", 0)
    run = actions.resume(by=scientist, run_id=told.run_id)
    assert (run.state, run.attempt) == ("queued", 2)
    assert run.workload_id != first.pk
    told.attempt = 2
    told.begin()
    told.end("count", "reused", cpu_seconds=None)
    told.finish()
    told.carried(Phase.SUCCEEDED)
    run = told.followed()
    assert (run.state, run.totals) == ("succeeded", {"succeeded": 1})
    assert RunJob.objects.get().cpu_seconds == 0.5


def test_what_an_earlier_attempt_still_wrote_changes_nothing(told: Coordinator, scientist: Person) -> None:
    told.begin()
    told.finish("failed", reason="It failed.")
    assert told.followed().state == "failed"
    run = actions.resume(by=scientist, run_id=told.run_id)
    assert run.begun == 1  # the workload of the first attempt has not ended yet
    told.start("late")
    told.carried(Phase.FAILED)
    run = told.followed()
    assert (run.state, run.begun, run.totals) == ("queued", 2, {})


def test_runs_beyond_the_number_at_once_wait_and_begin_in_turn(scientist: Person, settings: Any) -> None:
    first, second, third = (Coordinator(launch(scientist)) for _ in range(3))
    run = third.followed()
    assert run.workload is None
    assert "2 of your runs are at work" in run.reason
    first.all_well()
    assert third.followed().workload is not None
    assert second.followed().workload is not None


def test_a_run_waits_for_what_sessions_take(scientist: Person, settings: Any) -> None:
    settings.SPACELAB.quota_cpu = 3
    try:
        launch(scientist, profile="medium")
        run = launch(scientist, profile="medium")
    finally:
        settings.SPACELAB.quota_cpu = 8
    assert run.workload is None
    assert "2 CPU cores of your quota" in run.reason


def test_a_coordinator_that_goes_on_after_its_last_word_is_ended(told: Coordinator) -> None:
    told.begin()
    told.finish()
    told.followed()
    Run.objects.update(ended_at="2026-01-01T00:00:00Z")
    told.followed()
    assert Workload.objects.get().desired == Desired.STOP
    told.carried(Phase.STOPPED)
    run = told.followed()
    assert (run.state, run.followed) == ("succeeded", False)


def test_the_end_of_the_log_is_kept(told: Coordinator, quiet_runtime: type[QuietRuntime]) -> None:
    run = Run.objects.get(pk=told.run_id)
    assert run.workload_id is not None
    quiet_runtime.printed[run.workload_id] = b"what it printed\n"
    told.carried(Phase.FAILED)
    assert bytes(told.followed().log) == b"what it printed\n"


def test_folders_are_measured_and_old_ones_removed(told: Coordinator, settings: Any) -> None:
    told.print("count", "x" * 100_000)
    told.carried(Phase.RUNNING)
    disk.Watch().look()
    assert Run.objects.get().disk_bytes > 100_000
    run = told.all_well()
    assert run.disk_bytes > 100_000
    upkeep.look_after_folders()
    assert told.folder.exists()
    Run.objects.update(ended_at=timezone.now() - timedelta(days=settings.SPACELAB.run_days, seconds=1))
    upkeep.look_after_folders()
    run = Run.objects.get()
    assert run.cleaned_at is not None
    assert not told.folder.exists()


def test_a_run_that_fills_the_disk_is_ended_and_says_why(
    told: Coordinator, scientist: Person, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(settings.SPACELAB, "run_disk_mb", 1)
    watch = disk.Watch()
    told.carried(Phase.RUNNING)
    watch.look()
    assert Workload.objects.get().desired == Desired.RUN
    written = folders.cache_folder(scientist.username) / "work" / f"{told.run_id}abc" / "places" / "0"
    written.mkdir(parents=True)
    (written / "large").write_bytes(b"x" * 2 * 2**20)
    watch.known.clear()
    watch.look()
    workload = Workload.objects.get()
    assert workload.desired == Desired.STOP
    assert "a run may fill 1." in workload.stop_reason
    told.begin()
    told.start("count")
    told.end("count", "cancelled")
    told.finish("cancelled", reason="The run was stopped.")
    told.carried(Phase.STOPPED, reason=workload.stop_reason)
    run = told.followed()
    assert (run.state, run.trouble) == ("failed", "disk-full")
    assert run.reason.startswith("It has filled 2 MiB of the disk")
    assert "then resume it" in run.advice
    assert Notification.objects.get().title == "Your run Hello failed"


def test_a_run_that_makes_files_until_none_fits_is_ended(
    told: Coordinator, scientist: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "FEW_FILES", 10**18)
    monkeypatch.setattr(disk, "MANY_FILES", 40)
    written = folders.cache_folder(scientist.username) / "jobs" / f"{told.run_id}abc-1"
    written.mkdir(parents=True)
    told.carried(Phase.RUNNING)
    disk.Watch().look()
    assert Workload.objects.get().desired == Desired.RUN
    for number in range(50):
        (written / str(number)).touch()
    disk.Watch().look()
    assert Workload.objects.get().stop_reason.endswith("hardly more files, and it has made 51.")


def test_what_a_machine_took_with_it_goes_on_by_itself(told: Coordinator) -> None:
    told.begin()
    told.start("count")
    told.carried(Phase.FAILED, exit_code=137, reason="It was ended by force.", trouble="lost")
    run = told.followed()
    assert (run.attempt, run.begun, run.restarts, run.totals) == (2, 2, 1, {"interrupted": 1})
    assert run.workload is not None
    assert run.workload.phase == "queued"
    assert not Notification.objects.exists()
    assert Entry.objects.filter(action="runs.go-on", subject=f"run:{run.pk}").exists()
    told.attempt = 2
    run = told.all_well()
    assert (run.state, run.totals) == ("succeeded", {"succeeded": 1})


def test_a_run_that_is_lost_again_and_again_says_why_it_waits_for_somebody(
    told: Coordinator, scientist: Person, settings: Any
) -> None:
    for attempt in range(1, settings.SPACELAB.run_restarts + 2):
        told.attempt = attempt
        told.begin()
        told.carried(Phase.FAILED, exit_code=137, reason="It was ended by force.", trouble="lost")
        run = told.followed()
    assert (run.state, run.attempt, run.trouble) == ("interrupted", settings.SPACELAB.run_restarts + 1, "lost")
    assert run.advice.startswith("It went on by itself 3 times, and no job was finished since.")
    actions.resume(by=scientist, run_id=run.pk)
    told.attempt += 1
    told.begin()
    told.end("count")  # what gets on may go on
    told.carried(Phase.FAILED, exit_code=137, reason="It was ended by force.", trouble="lost")
    assert told.followed().attempt == told.attempt + 1


@pytest.mark.parametrize("why", ["stopped", "left", "folder", "never", "restored"])
def test_what_was_lost_stays_where_something_speaks_against_it(
    told: Coordinator, scientist: Person, settings: Any, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    told.begin()
    told.followed()
    if why == "stopped":
        actions.stop(by=scientist, run_id=told.run_id)
    elif why == "left":
        Person.objects.update(is_active=False)
    elif why == "folder":
        shutil.rmtree(told.folder)
    elif why == "restored":
        # The folder of a person of this name is other tests' folder too, where several processes run them at once.
        monkeypatch.setattr(folders, "cache_folder", lambda username: told.folder / "gone" / username)
    else:
        monkeypatch.setattr(settings.SPACELAB, "run_restarts", 0)
    told.carried(Phase.FAILED, exit_code=137, reason="It was ended by force.", trouble="lost")
    run = told.followed()
    assert (run.attempt, run.state) == (1, "cancelled" if why == "stopped" else "interrupted")
    advice = {"folder": "The folder of this run is not there any more: run it again.", "never": "Resume it: "}
    assert run.advice.startswith(advice.get(why, ""))
    assert run.advice.count("Resume it") == (why in {"never", "restored"})


def test_a_waiting_run_that_may_not_begin_any_more_has_ended_and_its_owner_hears_of_it(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(begun=0, workload=None, volumes=["no-such-volume"])
    upkeep.begin_waiting()
    run.refresh_from_db()
    assert (run.state, run.trouble) == ("failed", "refused")
    assert run.ended_at is not None
    assert Notification.objects.get().title == "Your run Hello failed"


def test_what_an_operator_stops_while_it_waits_is_told_to_its_owner(run: Run, operator: Person) -> None:
    Run.objects.filter(pk=run.pk).update(attempt=2)
    assert actions.stop(by=operator, run_id=run.pk).state == "cancelled"
    assert Notification.objects.get().text == "An operator stopped it."


def test_a_folder_that_no_run_has_is_removed_once_it_is_old(told: Coordinator) -> None:
    young, old = folders.run_folder("young"), folders.run_folder("old")
    for folder in (young, old):
        (folder / "jobs").mkdir(parents=True)
    for folder in (old, told.folder):
        os.utime(folder, (1, 1))
    upkeep.look_after_folders()
    assert (young.exists(), old.exists(), told.folder.exists()) == (True, False, True)


def test_a_launch_that_is_rolled_back_leaves_a_folder_that_is_swept_away(scientist: Person) -> None:
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        run = launch(scientist)
        raise ZeroDivisionError
    assert folders.run_folder(run.pk).exists()
    os.utime(folders.run_folder(run.pk), (1, 1))
    upkeep.look_after_folders()
    assert not folders.run_folder(run.pk).exists()


@pytest.mark.parametrize("done", [actions.pause, actions.resume])
def test_a_run_whose_folder_was_lost_says_so(told: Coordinator, scientist: Person, done: Any) -> None:
    if done is actions.resume:
        told.finish("failed")
        told.carried(Phase.FAILED)
        told.followed()
    shutil.rmtree(told.folder)
    with pytest.raises(Conflict, match="is not there any more"):
        done(by=scientist, run_id=told.run_id)
