"""Every write to launch tests: begin, go on, try again, conclude, drop, and clear up."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.datalabs import actions as datalab_actions
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.rules import KEPT, EvidenceKind
from spacelab.datalabs.rules import State as VersionState
from spacelab.kit.refusals import Conflict, Forbidden
from spacelab.notifications import actions as notifications
from spacelab.notifications.rules import Kind
from spacelab.publishing.rules import RUNNABLE
from spacelab.testing import queries, rules
from spacelab.testing.models import LaunchTest
from spacelab.testing.rules import State
from spacelab.workloads import actions as workload_actions
from spacelab.workloads.rules import WorkloadSpec

SYSTEM = audit.System("testing")


@transaction.atomic
def begin(*, by: audit.Actor, version: DatalabVersion, kind: EvidenceKind = EvidenceKind.LAUNCH_TEST) -> LaunchTest:
    """Have a version tested; one that was just built is being tested from now on. Callers check who may.

    Raises `Conflict` if one of its tests has not ended.
    """
    try:
        with transaction.atomic():
            test = LaunchTest.objects.create(version=version, kind=kind, content_hash=version.content_hash)
    except IntegrityError as error:
        raise Conflict(f"{version} is being tested already.", advice="Wait for the result.") from error
    if version.state == VersionState.BUILT:
        datalab_actions.advance_by_platform(version=version, transition="test", reason="Its launch test began.")
    audit.record(by=by, action="testing.begin", subject=version.subject, version=version.version, kind=str(kind))
    return test


def test_again(*, by: Person, version: DatalabVersion) -> LaunchTest:
    """Have a version tested because somebody asks: its author, or a moderator.

    What is published or archived is looked at again; anything else gets a new launch test. Raises `Forbidden`, and
    `Conflict` where nothing was built or a test is under way.
    """
    if not queries.may_test(by, version):
        raise Forbidden("This is somebody else's datalab.", advice="Ask its author.")
    if VersionState(version.state) not in RUNNABLE | KEPT:
        words = VersionState(version.state).words
        raise Conflict(f"A version that is {words} can't be tested.", advice="Build it first.")
    kind = EvidenceKind.PRESERVATION if VersionState(version.state) in KEPT else EvidenceKind.LAUNCH_TEST
    return begin(by=by, version=version, kind=kind)


@transaction.atomic
def start_workload(*, test: LaunchTest, state: State, owner: Person, spec: WorkloadSpec) -> bool:
    """Submit what the test runs next, and say whether the test still stood where it stood.

    What ran before is let go of in the same step: until then its log is there, also after a crash.
    """
    values: dict[str, Any] = {"state": state, "reason": ""}
    if test.started_at is None:
        values["started_at"] = timezone.now()
    if not LaunchTest.objects.filter(pk=test.pk, state=test.state, workload=test.workload_id).update(**values):
        return False
    release(test=test)
    workload = workload_actions.submit(by=owner, spec=spec, held=True)
    LaunchTest.objects.filter(pk=test.pk).update(workload=workload)
    return True


def note(*, test: LaunchTest, **found: Any) -> None:
    """Write down what was found; a test that was concluded meanwhile keeps what it said."""
    test.findings = {**test.findings, **found}
    LaunchTest.objects.filter(pk=test.pk, state=test.state).update(findings=test.findings)


@transaction.atomic
def try_again(*, test: LaunchTest, why: str) -> None:
    """Begin again after the platform itself was at fault, or give up after so many tries."""
    state = State.WAITING if test.tries + 1 < rules.MOST_TRIES else State.GIVEN_UP
    ended = timezone.now() if state is State.GIVEN_UP else None
    values = {"state": state, "tries": test.tries + 1, "reason": why[:300], "ended_at": ended, "findings": {}}
    if state is State.WAITING:
        _let_go(test, why)
        values["workload"] = None
    if LaunchTest.objects.filter(pk=test.pk, state=test.state).update(**values) and state is State.GIVEN_UP:
        audit.record(by=SYSTEM, action="testing.give-up", subject=_subject(test), test=test.pk, reason=why[:300])


@transaction.atomic
def conclude(*, test: LaunchTest, folder: str = "") -> None:
    """Record what was found as the version's evidence; the test has ended. `folder` holds the evidence's files."""
    passed, summary = rules.verdict(test.findings)
    state = State.PASSED if passed else State.FAILED
    values = {"state": state, "reason": summary, "ended_at": timezone.now()}
    if test.version is None or not LaunchTest.objects.filter(pk=test.pk, state=test.state).update(**values):
        return
    evidence = datalab_actions.record_evidence(
        by=SYSTEM,
        version=test.version,
        kind=EvidenceKind(test.kind),
        passed=passed,
        summary=summary,
        data=test.findings,
        folder=folder,
    )
    LaunchTest.objects.filter(pk=test.pk).update(evidence=evidence)
    author = test.version.datalab.maintainer
    if not passed and test.kind == EvidenceKind.PRESERVATION and author is not None:
        notifications.tell(
            people=[author],
            kind=Kind.DATALAB_BROKEN,
            title=f"{test.version} does not start any more",
            text=summary,
            url=reverse("testing:author-testing", args=[test.version.datalab.slug, test.version.version]),
            subject=f"{test.version.subject} {test.version.version}",
        )


@transaction.atomic
def drop(*, test: LaunchTest) -> None:
    """End a test whose version has changed or is gone."""
    why = "The version has changed since."
    if LaunchTest.objects.filter(pk=test.pk, state=test.state).update(
        state=State.DROPPED, reason=why, ended_at=timezone.now()
    ):
        audit.record(by=SYSTEM, action="testing.drop", subject=_subject(test), test=test.pk)


def stop_workload(*, test: LaunchTest, reason: str) -> None:
    """Have what runs for the test end."""
    if test.workload_id is not None:
        workload_actions.request_stop(by=SYSTEM, workload_id=test.workload_id, reason=reason)


def release(*, test: LaunchTest) -> None:
    """Let go of the log of what ran for the test."""
    if test.workload_id is not None:
        workload_actions.release(by=SYSTEM, workload_id=test.workload_id)


def mark_cleaned(*, test: LaunchTest) -> None:
    """Note that nothing is left of a test's work."""
    LaunchTest.objects.filter(pk=test.pk).update(cleaned=True)


def forget(*, test: LaunchTest) -> None:
    """Remove the row of a test whose version was deleted."""
    LaunchTest.objects.filter(pk=test.pk, version=None, cleaned=True).delete()


def _let_go(test: LaunchTest, why: str) -> None:
    if test.workload_id is not None:
        stop_workload(test=test, reason=why)
        release(test=test)


def _subject(test: LaunchTest) -> str:
    return test.version.subject if test.version else f"launch-test:{test.pk}"
