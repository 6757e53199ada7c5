"""The controller against a runtime whose reports are lost, late, repeated and out of order, with crashes anywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar
from unittest import mock

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from spacelab.workloads import actions
from spacelab.workloads.models import PhaseChange, Workload
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import FINAL, NEXT_PHASES, Desired, Kind, Observation, Phase, Seen
from support.fake_runtime import FakeCopy
from support.people import make_person
from support.workloads import Bench, make_spec, submit

LONGEST_TROUBLE = 12
"""Looks at half a second each, below what the controller bears before it counts a workload as lost."""
WRITES = ("change_phase", "explain", "save_samples", "mark_forgotten")


class Crash(BaseException):
    """The controller's process ends here."""


class Trouble:
    """Crashes the controller when a countdown of its steps ends, and spoils reports."""

    def __init__(self) -> None:
        self.crash_in: int | None = None
        self.spoil = ""
        self.past: list[dict[str, Observation]] = []
        self.picked = 0
        self.spoilt = 0
        self.stop_meanwhile = False

    def step(self, _point: str) -> None:
        if self.crash_in is None:
            return
        self.crash_in -= 1
        if self.crash_in < 0:
            self.crash_in = None
            raise Crash

    def report(self, truth: dict[str, Observation]) -> dict[str, Observation]:
        self.past = [*self.past, truth][-6:]
        self.spoilt = self.spoilt + 1 if self.spoil else 0
        if self.spoilt >= LONGEST_TROUBLE:
            self.spoilt = 0
            return truth
        if self.spoil == "lost":
            return {}
        if self.spoil == "partly lost":
            return {one: seen for index, (one, seen) in enumerate(truth.items()) if index % 2 == self.picked % 2}
        if self.spoil == "late":  # and so out of order, and repeated
            return self.past[self.picked % len(self.past)]
        return truth


class Machine(RuleBasedStateMachine):
    """People submit and stop; applications get ready, end, and vanish; the controller looks, and dies."""

    ids = Bundle("ids")
    number: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        Machine.number += 1
        self.person = make_person(f"ada{Machine.number}")
        self.bench = Bench()
        self.runtime = self.bench.runtime
        self.trouble = Trouble()
        self.runtime.before = self.trouble.step
        self.runtime.report = self.trouble.report
        self.ended: dict[str, str] = {}
        self.vanished: set[str] = set()
        self.stopped_at: dict[str, datetime] = {}
        self.came_to_end: set[str] = set()
        self.patches = [mock.patch.object(actions, name, self._fragile(name)) for name in WRITES]
        for patch in self.patches:
            patch.start()

    def _fragile(self, name: str) -> Any:
        write = getattr(actions, name)

        def fragile(**arguments: Any) -> Any:
            self.trouble.step(f"before {name}")
            if self.trouble.stop_meanwhile and name == "change_phase":
                one = arguments["workload_id"]
                actions.request_stop(by=self.person, workload_id=one, reason="at that moment")
                self.stopped_at.setdefault(one, datetime.now(UTC))
            result = write(**arguments)
            self.trouble.step(f"after {name}")
            return result

        return fragile

    def _look(self, *, glance: bool = False) -> None:
        try:
            if glance:
                self.bench.controller.glance()
            else:
                self.bench.controller.look()
        except Crash:
            self.bench.replace_controller()
        self.bench.clock.advance(0.5)

    @rule(target=ids, kind=st.sampled_from(Kind), fault=st.sampled_from(["", "", "", "for good", "for a while"]))
    def submit(self, kind: Kind, fault: str) -> str:
        workload = submit(self.person, kind)
        if fault:
            self.runtime.faults[workload.pk] = RuntimeFault("No room.", retry=fault == "for a while")
        return workload.pk

    @rule(workload_id=ids)
    def request_stop(self, workload_id: str) -> None:
        actions.request_stop(by=self.person, workload_id=workload_id, reason="asked by a test")

    @rule(workload_id=ids)
    def get_ready(self, workload_id: str) -> None:
        if workload_id in self.runtime.copies:
            self.runtime.become_ready(workload_id)

    @rule(workload_id=ids, exit_code=st.sampled_from([0, 1]))
    def end(self, workload_id: str, exit_code: int) -> None:
        if workload_id in self.runtime.live():
            self.runtime.end(workload_id, exit_code)
            self.came_to_end.add(workload_id)

    @rule(workload_id=ids)
    def vanish(self, workload_id: str) -> None:
        if self.runtime.copies.pop(workload_id, None) is not None:
            self.vanished.add(workload_id)

    @rule()
    def obey_stops(self) -> None:
        self.runtime.obey_stops()

    @rule(
        crash_in=st.one_of(st.none(), st.integers(0, 8)),
        spoil=st.sampled_from(["", "", "lost", "partly lost", "late"]),
        picked=st.integers(0, 5),
        looks=st.integers(1, 4),
        glance=st.booleans(),
        stop_meanwhile=st.sampled_from([False, False, False, True]),
    )
    def look(
        self, crash_in: int | None, spoil: str, picked: int, looks: int, *, glance: bool, stop_meanwhile: bool
    ) -> None:
        self.trouble.crash_in, self.trouble.spoil, self.trouble.picked = crash_in, spoil, picked
        self.trouble.stop_meanwhile = stop_meanwhile
        for _ in range(looks):
            self._look(glance=glance)
        self.trouble.crash_in, self.trouble.spoil, self.trouble.stop_meanwhile = None, "", False

    @rule()
    def stray(self) -> None:
        """Something runs that no table knows."""
        spec = make_spec(self.person)
        self.runtime.copies[spec.id] = FakeCopy(spec)

    @invariant()
    def what_was_stopped_in_time_never_starts(self) -> None:
        waiting = set(Workload.objects.filter(phase=Phase.QUEUED).values_list("pk", flat=True))
        assert not waiting & set(self.runtime.started)
        unstarted = set(Workload.objects.filter(reason__startswith="Stopped before").values_list("pk", flat=True))
        assert not unstarted & set(self.runtime.started)
        late = PhaseChange.objects.filter(phase=Phase.STARTING, workload__stop_reason="at that moment")
        for change in late:
            assert change.at < self.stopped_at[change.workload_id]

    @invariant()
    def nothing_starts_twice(self) -> None:
        """Only what vanished from the runtime may have been started anew."""
        twice = {one for one, count in self.runtime.started.items() if count > 1}
        assert twice <= self.vanished

    @invariant()
    def phases_follow_the_rules(self) -> None:
        last: dict[str, Phase] = {}
        for workload_id, name in PhaseChange.objects.values_list("workload_id", "phase"):
            phase = Phase(name)
            assert workload_id not in last or phase in NEXT_PHASES[last[workload_id]]
            last[workload_id] = phase
        for pk, now in Workload.objects.values_list("pk", "phase"):
            assert last[pk] == now
            if Phase(now) in FINAL:
                assert self.ended.setdefault(pk, str(now)) == now

    @invariant()
    def nothing_is_lost_without_cause(self) -> None:
        """Lapses of the reports shorter than the controller's patience make nothing fail that still runs."""
        lost = Workload.objects.filter(reason__contains="lost").values_list("pk", flat=True)
        assert set(lost) <= self.vanished

    def teardown(self) -> None:
        try:
            self._come_to_rest()
        finally:
            for patch in self.patches:
                patch.stop()

    def _come_to_rest(self) -> None:
        """With no more trouble, what should run runs, what should end has ended, and nothing is left over."""
        never = {one for one, fault in self.runtime.faults.items() if not fault.retry}
        self.runtime.faults = {one: fault for one, fault in self.runtime.faults.items() if not fault.retry}
        for _ in range(150):
            for one in self.runtime.live():
                self.runtime.become_ready(one)
            self.runtime.obey_stops()
            self._look()
        for workload in Workload.objects.all():
            if workload.desired == Desired.STOP or workload.is_final:
                assert workload.is_final
                assert workload.forgotten
                assert workload.pk not in self.runtime.copies
                excused = workload.desired == Desired.STOP or workload.pk in never | self.vanished | self.came_to_end
                assert excused, f"{workload.pk} ended without cause: {workload.reason}"
            else:
                assert workload.phase == Phase.RUNNING
                assert self.runtime.copies[workload.pk].seen is Seen.RUNNING
        assert set(self.runtime.copies) <= set(Workload.objects.values_list("pk", flat=True))
        self.phases_follow_the_rules()


class RandomController(TestCase):
    """Runs the machine in a database that each run finds empty."""

    def test_nothing_is_leaked_started_twice_or_lost(self) -> None:
        from django.db import transaction  # noqa: PLC0415  beside its one use

        class Run(Machine):
            def __init__(self) -> None:
                self.transaction = transaction.atomic()
                self.transaction.__enter__()
                super().__init__()

            def teardown(self) -> None:
                try:
                    super().teardown()
                finally:
                    transaction.set_rollback(True)
                    self.transaction.__exit__(None, None, None)

        run_state_machine_as_test(
            Run,
            settings=settings(
                max_examples=120,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
