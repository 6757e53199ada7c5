"""Schedules in the controller's hands: they fire once, wait, catch up, watch folders, and stop when they must."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, NotFound
from spacelab.notifications.models import Notification
from spacelab.runs import actions as run_actions
from spacelab.runs.models import Run
from spacelab.runs.schedules import actions, queries, upkeep
from spacelab.runs.schedules.models import Firing, Schedule, WatchedFile
from spacelab.runs.schedules.settling import Asked
from spacelab.runs.schedules.upkeep import look_after_schedules
from support.people import make_person
from support.runs import Coordinator, file_of, make_pipeline, workspace_of
from support.sessions import make_archive

pytestmark = pytest.mark.usefixtures("quiet_runtime")

MERGE = """cwlVersion: v1.2
class: Workflow
inputs:
  tables: File[]
  note: {type: string, default: none}
outputs:
  merged: {type: File, outputSource: merge/out}
steps:
  merge: {run: merge.cwl, in: {tables: tables}, out: [out]}
"""
TOOL = """cwlVersion: v1.2
class: CommandLineTool
baseCommand: cat
inputs:
  tables: {type: "File[]", inputBinding: {position: 1}}
outputs:
  out: stdout
"""


def hourly(person: Person, **more: Any) -> Schedule:
    job = {"text": file_of(person)}
    return actions.create(
        by=person, asked=Asked(**{"pipeline": "hello", "trigger": "time", "cron": "0 * * * *", "job": job, **more})
    )


def watching(person: Person, **more: Any) -> Schedule:
    given = {"pipeline": "hello", "trigger": "files", "folder": "/media/user/in", "input": "text", "patterns": "*.txt"}
    (workspace_of(person) / "in").mkdir(exist_ok=True)
    return actions.create(by=person, asked=Asked(**{**given, "one_run_each": True, "settle_seconds": 2, **more}))


def due_since(schedule: Schedule, **ago: float) -> datetime:
    """Have a schedule's next time lie in the past, as if the controller had been away since."""
    at = (timezone.now() - timedelta(**ago)).replace(minute=0, second=0, microsecond=0)
    Schedule.objects.filter(pk=schedule.pk).update(next_at=at, not_before=None)
    return at


def looked(seconds: float = 0) -> list[Run]:
    """Have the controller look, as it would after some seconds; return all runs."""
    if seconds:
        past = timezone.now() - timedelta(seconds=seconds)
        WatchedFile.objects.update(since=past)
        Schedule.objects.filter(state="active", trigger="files").update(next_at=past)
    look_after_schedules()
    return list(Run.objects.order_by("created_at"))


@pytest.fixture
def ada(scientist: Person) -> Person:
    make_pipeline(scientist)
    shutil.rmtree(workspace_of(scientist) / "in", ignore_errors=True)
    return scientist


def test_a_time_that_has_come_starts_one_run_as_its_owner(ada: Person) -> None:
    schedule = hourly(ada, missed="once", choices={"profile": "medium", "results": "nightly"})
    assert looked() == []
    at = due_since(schedule, minutes=61)
    assert len(looked()) == 1
    assert len(looked()) == 1
    run = Run.objects.get()
    assert (run.owner, run.profile, run.job) == (ada, "medium", schedule.job)
    assert run.results.startswith("nightly/20")
    firing = Firing.objects.get(outcome="launched")
    assert firing.run == run
    assert firing.due >= at
    assert Schedule.objects.get().next_at > timezone.now()  # type: ignore[operator]
    assert Entry.objects.filter(action="runs.schedule-fire", subject=f"schedule:{schedule.pk}").exists()


def test_a_controller_that_dies_while_it_starts_a_run_starts_it_once(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = hourly(ada, missed="once")
    due_since(schedule, minutes=30)
    real = actions.forget_old

    def die(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(actions, "forget_old", die)
    with pytest.raises(KeyboardInterrupt):
        look_after_schedules()
    assert not Run.objects.exists()
    assert not Firing.objects.exists()
    monkeypatch.setattr(actions, "forget_old", real)
    assert len(looked()) == 1
    assert len(looked()) == 1


def test_times_that_passed_are_left_out_and_said_to_be(ada: Person) -> None:
    schedule = hourly(ada, missed="skip", time_zone="Asia/Kolkata", cron="7 3 1 1 *")
    Schedule.objects.update(next_at=datetime(2020, 1, 1, 3, 7, tzinfo=UTC))
    assert looked() == []
    left_out = Firing.objects.get()
    assert (left_out.outcome, left_out.reason) == ("skipped", "The platform was not running then.")
    assert left_out.times >= 7
    assert Schedule.objects.get(pk=schedule.pk).next_at > timezone.now()  # type: ignore[operator]


def test_each_missed_time_gets_its_run_one_after_the_other(ada: Person) -> None:
    schedule = hourly(ada, missed="each")
    due_since(schedule, hours=2, minutes=30)
    first = looked()
    assert len(first) == 1
    assert len(looked()) == 1, "they never overlap"
    assert "It waits for its run" in Schedule.objects.get().reason
    Coordinator(first[0]).all_well()
    assert len(looked()) == 2


def test_runs_overlap_only_where_they_may(ada: Person) -> None:
    schedule = hourly(ada, missed="skip")
    due_since(schedule, seconds=0)
    Schedule.objects.update(next_at=timezone.now())
    assert len(looked()) == 1
    Schedule.objects.update(next_at=timezone.now())
    assert len(looked()) == 1
    assert Firing.objects.filter(outcome="skipped", reason="Its last run is still at work.").count() == 1
    Schedule.objects.update(next_at=timezone.now(), may_overlap=True)
    assert len(looked()) == 2


def test_a_schedule_that_lost_its_pipeline_its_right_or_its_owner_stops(ada: Person) -> None:
    gone, left = hourly(ada, title="gone"), hourly(ada)
    Schedule.objects.filter(pk=gone.pk).update(pipeline_slug="nothing")
    Schedule.objects.update(next_at=timezone.now())
    runs = looked()
    assert len(runs) == 1
    gone.refresh_from_db()
    assert gone.state == "stopped"
    assert Notification.objects.filter(title="Your schedule gone was stopped").exists()
    Person.objects.filter(pk=ada.pk).update(is_active=False)
    Schedule.objects.filter(pk=left.pk).update(next_at=timezone.now(), may_overlap=True)
    assert len(looked()) == 1
    left.refresh_from_db()
    assert (left.state, left.reason) == ("stopped", "Its owner has left.")


def test_a_full_quota_is_tried_again_or_left_out(ada: Person, settings: Any) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"quota_waiting_runs": 0})
    patient, hasty = hourly(ada, missed="once"), hourly(ada, missed="skip")
    Schedule.objects.update(next_at=timezone.now())
    assert looked() == []
    patient.refresh_from_db()
    hasty.refresh_from_db()
    assert (patient.state, patient.tries, "unfinished runs" in patient.reason) == ("active", 1, True)
    assert patient.not_before is not None
    assert patient.not_before > timezone.now()
    assert Firing.objects.get().outcome == "refused"
    assert hasty.next_at is not None
    assert hasty.next_at > timezone.now()
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"quota_waiting_runs": 5})
    assert looked() == []
    Schedule.objects.update(not_before=timezone.now())
    assert len(looked()) == 1


def test_pausing_and_resuming_belong_to_the_owner(ada: Person) -> None:
    schedule = hourly(ada, missed="each")
    actions.pause(by=ada, schedule_id=schedule.pk)
    due_since(schedule, hours=5)
    assert looked() == []
    resumed = actions.resume(by=ada, schedule_id=schedule.pk)
    assert resumed.next_at is not None
    assert resumed.next_at > timezone.now()
    eve, olga = make_person("eve"), make_person("olga", "operator")
    for verb in (actions.pause, actions.resume, actions.delete, actions.run_now):
        with pytest.raises(NotFound):
            verb(by=eve, schedule_id=schedule.pk)
    with pytest.raises(Forbidden):
        actions.delete(by=olga, schedule_id=schedule.pk)
    actions.pause(by=olga, schedule_id=schedule.pk)
    assert Schedule.objects.get().reason == "An operator paused it."
    assert Notification.objects.filter(person=ada, title="Your schedule Hello was paused").exists()


def test_a_schedule_of_times_runs_once_now_as_well(ada: Person) -> None:
    schedule = hourly(ada)
    assert actions.run_now(by=ada, schedule_id=schedule.pk).run is not None
    with pytest.raises(Conflict, match="still at work"):
        actions.run_now(by=ada, schedule_id=schedule.pk)
    with pytest.raises(Conflict, match="waits for files"):
        actions.run_now(by=ada, schedule_id=watching(ada).pk)


def test_each_new_file_starts_a_run_of_its_own(ada: Person) -> None:
    file_of(ada, "in/old.txt")
    watching(ada)
    file_of(ada, "in/a.txt")
    file_of(ada, "in/b.txt.part")
    file_of(ada, "in/deep/c.txt")
    assert looked() == []
    runs = looked(seconds=3)
    assert [run.job for run in runs] == [{"text": {"class": "File", "location": "/media/user/in/a.txt"}}]
    assert len(looked(seconds=3)) == 1
    file_of(ada, "in/b.txt")
    looked(seconds=3)
    assert len(looked(seconds=3)) == 1
    assert "1 files wait for its run" in Schedule.objects.get().reason
    Coordinator(runs[0]).all_well()
    assert [run.job["text"]["location"] for run in looked(seconds=3)] == [
        "/media/user/in/a.txt",
        "/media/user/in/b.txt",
    ]


def test_a_file_that_changes_waits_until_it_has_settled_and_counts_again(ada: Person) -> None:
    schedule = watching(ada, may_overlap=True)
    file_of(ada, "in/a.txt", "one")
    looked()
    file_of(ada, "in/a.txt", "one, two")
    assert looked(seconds=3) == [], "it changed since the last look"
    assert len(looked(seconds=3)) == 1
    file_of(ada, "in/a.txt", "three, and more")
    looked(seconds=3)
    assert len(looked(seconds=3)) == 2
    (workspace_of(ada) / "in" / "a.txt").unlink()
    looked(seconds=3)
    assert not schedule.watched.exists()


def test_all_new_files_go_to_one_run_as_a_list(ada: Person) -> None:
    make_pipeline(ada, "merge", {"main.cwl": MERGE, "merge.cwl": TOOL})
    watching(ada, pipeline="merge", input="tables", one_run_each=False, with_subfolders=True, job={"note": "x"})
    for name in ("a", "deep/b", ".hidden/c"):
        file_of(ada, f"in/{name}.txt")
    looked()
    runs = looked(seconds=3)
    assert [run.job["note"] for run in runs] == ["x"]
    assert {one["location"] for one in runs[0].job["tables"]} == {"/media/user/in/a.txt", "/media/user/in/deep/b.txt"}
    assert sorted(Firing.objects.get().files) == ["/media/user/in/a.txt", "/media/user/in/deep/b.txt"]


def test_files_that_are_there_count_where_that_is_wanted(ada: Person) -> None:
    file_of(ada, "in/old.txt")
    watching(ada, with_present=True)
    looked()
    assert len(looked(seconds=3)) == 1


def test_links_and_strangers_folders_are_not_followed(ada: Person) -> None:
    watching(ada, with_subfolders=True)
    place = workspace_of(ada) / "in"
    (place / "passwd.txt").symlink_to("/etc/passwd")
    (place / "etc").symlink_to("/etc")
    os.mkfifo(place / "pipe.txt")
    looked()
    assert looked(seconds=3) == []
    assert not WatchedFile.objects.exists()


def test_an_archive_is_watched_as_long_as_it_is_seen(ada: Person, tmp_path: Any) -> None:
    archive = make_archive("euclid", tmp_path)
    schedule = watching(ada, folder="/data/euclid")
    (Path(archive.path) / "new.txt").write_text("x")
    looked()
    assert len(looked(seconds=3)) == 1
    archive.delete()
    looked(seconds=3)
    schedule.refresh_from_db()
    assert schedule.state == "stopped"
    assert "euclid" in schedule.reason
    with pytest.raises(Invalid):
        actions.resume(by=ada, schedule_id=schedule.pk)


def test_a_file_that_goes_before_its_run_begins_stops_nothing(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = watching(ada)
    file_of(ada, "in/a.txt")
    looked()
    real = run_actions.launch

    def too_late(**given: Any) -> Run:
        (workspace_of(ada) / "in" / "a.txt").unlink()
        return real(**given)

    monkeypatch.setattr(run_actions, "launch", too_late)
    assert looked(seconds=3) == []
    schedule.refresh_from_db()
    assert (schedule.state, schedule.tries) == ("active", 1)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"cron": "often"}, "cron"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"trigger": "moon"}, "trigger"),
        ({"missed": "all"}, "missed"),
        ({"job": {"text": 3}}, "inputs.text"),
        ({"job": {}}, "inputs.text"),
        ({"choices": {"profile": "huge"}}, "profile"),
        ({"choices": {"volumes": ["secret"]}}, "volumes"),
        ({"title": "x" * 200}, "title"),
    ],
    ids=["cron", "zone", "trigger", "missed", "value", "absent", "profile", "volume", "title"],
)
def test_what_does_not_fit_a_schedule_of_times_is_refused(ada: Person, more: dict[str, Any], field: str) -> None:
    with pytest.raises((Invalid, NotFound)) as refused:
        hourly(ada, **more)
    assert refused.value.field == field
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"folder": "/etc"}, "folder"),
        ({"folder": "/data/secret/x"}, "folder"),
        ({"folder": "/media/user/../x"}, "folder"),
        ({"folder": "/media/user/results"}, "folder"),
        ({"choices": {"results": "in/out"}}, "folder"),
        ({"input": "nothing"}, "input"),
        ({"one_run_each": False}, "input"),
        ({"patterns": "../*"}, "patterns"),
        ({"settle_seconds": 0}, "settle_seconds"),
    ],
    ids=["host", "unseen", "dots", "results", "loop", "input", "list", "pattern", "settle"],
)
def test_what_does_not_fit_a_schedule_of_files_is_refused(ada: Person, more: dict[str, Any], field: str) -> None:
    with pytest.raises((Invalid, NotFound)) as refused:
        watching(ada, **more)
    assert refused.value.field == field


def test_next_times_are_shown_in_the_schedules_own_zone(ada: Person) -> None:
    schedule = hourly(ada, cron="30 6 * * *", time_zone="America/New_York")
    times = queries.next_times(schedule)
    assert len(times) == queries.NEXT_SHOWN
    assert {(at.hour, at.minute, str(at.tzinfo)) for at in times} == {(6, 30, "America/New_York")}


def test_a_fault_of_one_schedule_holds_up_no_other(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, well = hourly(ada), hourly(ada)
    Schedule.objects.update(next_at=timezone.now())
    real = upkeep.attend

    def attend(schedule_id: str) -> None:
        if schedule_id == broken.pk:
            raise RuntimeError
        real(schedule_id)

    monkeypatch.setattr(upkeep, "attend", attend)
    assert len(looked()) == 1
    assert Firing.objects.get().schedule == well
    broken.refresh_from_db()
    assert broken.state == "active"
