"""What people see of the controller's decisions, one journey each."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacelab.accounts.models import Person
from spacelab.kit.refusals import Conflict, NotFound
from spacelab.workloads import actions, queries
from spacelab.workloads.lock import FileLock
from spacelab.workloads.models import Workload
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Kind, Trouble
from support.workloads import Bench, make_spec, phases_of, submit


def test_a_session_starts_answers_and_is_stopped(scientist: Person) -> None:
    bench = Bench()
    workload = submit(scientist)
    bench.look(2)
    bench.runtime.become_ready(workload.pk)
    bench.look()
    workload.refresh_from_db()
    assert (workload.phase, workload.address) == ("running", "unix//fake.sock")
    actions.request_stop(by=scientist, workload_id=workload.pk, reason="Ada asked for it.")
    bench.look()
    bench.runtime.obey_stops()
    bench.look(3)
    workload.refresh_from_db()
    assert phases_of(workload) == ["queued", "starting", "running", "stopping", "stopped"]
    assert workload.reason == "Stopped: Ada asked for it."
    assert workload.forgotten
    assert not bench.runtime.copies


@pytest.mark.parametrize(("exit_code", "phase"), [(0, "succeeded"), (3, "failed")])
def test_a_batch_workload_ends_with_its_exit_code(scientist: Person, exit_code: int, phase: str) -> None:
    bench = Bench()
    workload = submit(scientist, Kind.BATCH)
    bench.look(2)
    bench.runtime.end(workload.pk, exit_code)
    bench.look()
    workload.refresh_from_db()
    assert (workload.phase, workload.exit_code) == (phase, exit_code)


def test_what_is_held_keeps_its_log_until_it_is_released(scientist: Person) -> None:
    bench = Bench()
    workload = actions.submit(by=scientist, spec=make_spec(scientist, Kind.BATCH), held=True)
    bench.look(2)
    bench.runtime.end(workload.pk, 0)
    bench.look(30)
    workload.refresh_from_db()
    assert (workload.phase, workload.forgotten) == ("succeeded", False)
    assert workload.pk in bench.runtime.copies
    actions.release(by=scientist, workload_id=workload.pk)
    bench.look(3)
    workload.refresh_from_db()
    assert workload.forgotten
    assert not bench.runtime.copies


def test_an_interface_that_never_answers_fails_with_a_reason(scientist: Person) -> None:
    bench = Bench()
    workload = submit(scientist)
    bench.look(3, seconds=31)
    workload.refresh_from_db()
    assert workload.phase == "failed"
    assert workload.reason == "It did not answer within 60 s of its start. The end of its log says more."
    assert workload.trouble == Trouble.UNANSWERED
    assert bench.runtime.copies[workload.pk].asked_to_stop


def test_what_went_wrong_is_told_apart(scientist: Person) -> None:
    bench = Bench()
    crashed, missing, hungry = (submit(scientist) for _ in range(3))
    fault = RuntimeFault("There is no image “x”.", trouble=Trouble.IMAGE_MISSING)
    bench.runtime.faults[missing.pk] = fault
    bench.look(2)
    bench.runtime.end(crashed.pk, 1)
    bench.runtime.become_ready(hungry.pk)
    bench.look()
    bench.runtime.end(hungry.pk, 137)
    bench.runtime.copies[hungry.pk].trouble = Trouble.OUT_OF_MEMORY
    bench.look()
    troubles = dict(Workload.objects.values_list("pk", "trouble"))
    assert troubles == {
        crashed.pk: Trouble.CRASHED,
        missing.pk: Trouble.IMAGE_MISSING,
        hungry.pk: Trouble.OUT_OF_MEMORY,
    }


def test_trouble_of_what_goes_on_is_noted_and_taken_back(scientist: Person) -> None:
    bench = Bench()
    workload = submit(scientist)
    bench.look(2)
    bench.runtime.become_ready(workload.pk)
    bench.look()
    copy = bench.runtime.copies[workload.pk]
    for trouble, reason in ((Trouble.OUT_OF_MEMORY.value, "A process was ended."), ("", "")):
        copy.trouble, copy.reason = trouble, reason
        bench.look(2)
        workload.refresh_from_db()
        assert (workload.phase, workload.trouble, workload.reason) == ("running", trouble, reason)
        bench.replace_controller()
    assert phases_of(workload) == ["queued", "starting", "running"]


def test_a_passing_fault_is_told_and_tried_again(scientist: Person) -> None:
    bench = Bench()
    workload = submit(scientist)
    bench.runtime.faults[workload.pk] = RuntimeFault("No room on this machine.", retry=True)
    bench.look(2)
    workload.refresh_from_db()
    assert workload.reason == "Not started yet: No room on this machine. Trying again in 1 s."
    del bench.runtime.faults[workload.pk]
    bench.look(4, seconds=1)
    assert bench.runtime.started == {workload.pk: 1}


def test_a_batch_past_its_deadline_fails_and_is_stopped(scientist: Person) -> None:
    bench = Bench()
    workload = submit(scientist, Kind.BATCH, deadline_seconds=30)
    bench.look(2)
    bench.runtime.become_ready(workload.pk)
    bench.look(2, seconds=31)
    workload.refresh_from_db()
    assert (workload.phase, workload.reason) == ("failed", "It reached its time limit of 30 s.")
    assert bench.runtime.copies[workload.pk].asked_to_stop


def test_usage_is_saved_now_and_then_and_shows_activity(scientist: Person) -> None:
    bench = Bench()
    workload = submit(scientist)
    bench.look(2)
    bench.runtime.become_ready(workload.pk)
    bench.look(2, seconds=6)
    workload.refresh_from_db()
    before = workload.active_at
    bench.runtime.copies[workload.pk].cpu_seconds = 3
    bench.look()
    workload.refresh_from_db()
    assert workload.cpu_seconds == 3
    assert workload.active_at is not None
    assert before is not None
    assert workload.active_at > before


def test_an_idle_session_causes_no_write(scientist: Person, django_assert_num_queries: object) -> None:
    bench = Bench()
    workload = submit(scientist)
    bench.look(2)
    bench.runtime.become_ready(workload.pk)
    bench.look(3, seconds=6)
    with django_assert_num_queries(5):  # type: ignore[operator]
        bench.look(5, seconds=6)


def test_a_taken_id_and_an_unknown_one_are_refused(scientist: Person) -> None:
    spec = make_spec(scientist)
    actions.submit(by=scientist, spec=spec)
    with pytest.raises(Conflict):
        actions.submit(by=scientist, spec=spec)
    with pytest.raises(NotFound):
        actions.request_stop(by=scientist, workload_id="unknown", reason="x")
    assert list(queries.of_owner(scientist)) == [Workload.objects.get(pk=spec.id)]


def test_only_one_controller_holds_the_lock(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()
