"""What the controller writes of runs: what their events say, how they ended, what is left of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from spacelab.accounts.queries import may_act
from spacelab.audit import actions as audit
from spacelab.kit import folders as kit_folders
from spacelab.kit.refusals import Refusal
from spacelab.pipelines import actions as pipelines
from spacelab.pipelines.queries import require_launch
from spacelab.runs import folders, rules
from spacelab.runs.actions.starting import queue_again
from spacelab.runs.actions.telling import tell_end
from spacelab.runs.events import News
from spacelab.runs.models import Run, RunJob
from spacelab.runs.rules import DONE, Facts, JobFacts, JobState, State
from spacelab.workloads import actions as workload_actions
from spacelab.workloads import queries as workloads
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Phase, Trouble

KEPT_LOG_BYTES = 64 * 1024
BATCH = 400
"""Rows of one statement."""
FACTS = tuple(one.name for one in fields(Facts) if one.name != "attempt")
JOB_FACTS = tuple(one.name for one in fields(JobFacts))

NEXT = {
    Trouble.OUT_OF_MEMORY: "Resume it with a larger profile: run it again with changes, and finished steps are reused.",
    Trouble.DISK_FULL: "Let its steps write less, or ask an operator for more room; then resume it: finished jobs are "
    "not repeated.",
    Trouble.RUNTIME_AWAY: "Nothing that was finished is lost. Tell an operator, and resume it in a while.",
}
GO_ON = "Resume it: finished jobs are not repeated."


def take_over(*, by: audit.Actor, run: Run, news: News) -> None:
    """Write what events say into the rows of a run and its jobs, in a few statements however many there are."""
    with transaction.atomic():
        there = Run.objects.select_for_update().filter(pk=run.pk, attempt=run.attempt, read_bytes=run.read_bytes)
        if not there.exists():
            return  # it was deleted or goes on anew: the next look begins from what is so then
        values = {name: getattr(run, name) for name in FACTS}
        facts = Facts(**{**values, "attempt": run.attempt, "state": State(run.state)})
        known = {row.job: _job_facts(row) for row in run.jobs.filter(job__in=rules.named_jobs(news.events))}
        before = {name: asdict(job) for name, job in known.items()}
        total = sum(run.totals.values())
        bad = news.bad + rules.follow(facts, known, news.events, known=total)
        changed = [job for name, job in known.items() if before.get(name) != asdict(job)]
        _save_jobs(run, changed)
        if changed or facts.steps:
            run.totals = rules.counted(facts.steps, _counts(run))
        was = State(run.state)
        for name in FACTS:
            setattr(run, name, getattr(facts, name))
        run.bad_lines += bad
        run.read_bytes = news.read_bytes
        run.save(update_fields=[*FACTS, "totals", "bad_lines", "read_bytes"])
        if run.is_final and not was.is_final:
            _ended(by, run)


def _job_facts(row: RunJob) -> JobFacts:
    values = {name: getattr(row, name) for name in JOB_FACTS}
    return JobFacts(**{**values, "state": JobState(row.state)})


def _save_jobs(run: Run, jobs: Sequence[JobFacts]) -> None:
    rows = [RunJob(run=run, **{name: getattr(job, name) for name in JOB_FACTS}) for job in jobs]
    changing = [name for name in JOB_FACTS if name not in {"job", "number"}]
    RunJob.objects.bulk_create(
        rows, batch_size=BATCH, update_conflicts=True, unique_fields=["run", "job"], update_fields=changing
    )


def _counts(run: Run) -> list[tuple[str, str, int]]:
    found = RunJob.objects.filter(run=run).values_list("step", "state").annotate(count=Count("pk")).order_by()
    return [(step, state, count) for step, state, count in found]


def note_at_work(*, by: audit.Actor, run: Run, at: datetime | None) -> None:  # noqa: ARG001  as every action
    """Note that a run's workload has begun, before its coordinator says so itself."""
    Run.objects.filter(pk=run.pk, state=State.QUEUED).update(
        state=State.RUNNING, reason="", started_at=run.started_at or at
    )


def go_on_if_lost(*, by: audit.Actor, run: Run, workload: Workload | None) -> bool:
    """Queue the next attempt of a run that was lost with its machine, unless something speaks against it."""
    if workload is None or workload.trouble != Trouble.LOST or run.stop_wanted or why_not_by_itself(run):
        return False
    reason = "It was cut off, and goes on from its finished jobs as soon as there is room."
    with transaction.atomic():
        if not queue_again(run, reason=reason, restarts=_restarts(run) + 1):
            return False  # it was deleted or goes on anew
        at = workload.ended_at or timezone.now()
        _cut(run, JobState.INTERRUPTED, at)
        run.save(update_fields=["steps", "totals"])
        audit.record(by=by, action="runs.go-on", subject=f"run:{run.pk}", attempt=run.attempt + 1)
    return True


def _restarts(run: Run) -> int:
    """Count how often a run went on by itself since one of its jobs was finished."""
    return 0 if run.jobs.filter(attempt=run.attempt, state__in=DONE).exists() else run.restarts


def why_not_by_itself(run: Run) -> str:
    """Say why a run that was lost does not go on by itself, and what to do; empty where it does."""
    most = settings.SPACELAB.run_restarts
    if _restarts(run) >= most:
        return f"It went on by itself {most} times, and no job was finished since. {GO_ON}" if most else GO_ON
    try:
        require_launch(run.owner)
    except Refusal as refusal:
        return f"Its owner may not run pipelines any more: {refusal.message}"
    if not may_act(run.owner):
        return "Its owner may not use the platform any more."
    if not folders.run_folder(run.pk).is_dir():
        return "The folder of this run is not there any more: run it again."
    if not folders.cache_folder(run.owner.username).is_dir():
        return (
            "What its finished jobs made is not there, such as after a restore of a backup. "
            "Resume it: it begins with its first job."
        )
    return ""


def end_by_workload(*, by: audit.Actor, run: Run, workload: Workload | None) -> None:
    """End a run whose workload has ended without a word of the coordinator: it was stopped, or something broke."""
    if run.stop_wanted:
        state, reason, advice, trouble = _stopped(run)
    elif workload is None:
        state, reason, advice, trouble = State.INTERRUPTED, "What carried it is gone.", GO_ON, ""
    else:
        state, reason, trouble = State.INTERRUPTED, workload.reason, workload.trouble
        advice = NEXT.get(Trouble(trouble), GO_ON) if trouble in set(Trouble) else GO_ON
        if trouble == Trouble.LOST:
            advice = why_not_by_itself(run) or GO_ON
        if workload.exit_code is not None and str(workload.exit_code) not in reason:
            reason = f"{reason} (exit code {workload.exit_code})".strip()
    with transaction.atomic():
        at = (workload.ended_at if workload else None) or timezone.now()
        values: dict[str, Any] = {
            "state": state,
            "reason": reason,
            "advice": advice,
            "trouble": trouble,
            "ended_at": at,
        }
        for name, value in values.items():
            setattr(run, name, value)
        run.save(update_fields=list(values))
        _ended(by, run)


def _stopped(run: Run) -> tuple[State, str, str, str]:
    """Return state, reason, advice and trouble of a run that somebody stopped, or the platform for its own sake."""
    if not run.stop_trouble:
        return State.CANCELLED, run.stop_wanted, "", ""
    known = run.stop_trouble in set(Trouble)
    advice = NEXT.get(Trouble(run.stop_trouble), GO_ON) if known else GO_ON
    return State.FAILED, run.stop_wanted, advice, run.stop_trouble


def _cut(run: Run, left: JobState, at: datetime | None) -> None:
    """Mark what was at work in a run as not finished."""
    cut = run.jobs.filter(state=JobState.RUNNING).update(state=left, ended_at=at)
    for step in run.steps:
        if step["state"] == JobState.RUNNING:
            step["state"] = str(left)
    if cut:
        run.totals = rules.counted(run.steps, _counts(run))


def _ended(by: audit.Actor, run: Run) -> None:
    """Write down the end: no job goes on, the trail has it, its owner hears of it."""
    if run.state == State.CANCELLED and run.stop_wanted:
        run.state, run.reason, run.advice, run.trouble = _stopped(run)
    elif run.state == State.CANCELLED and run.workload is not None and run.workload.phase == Phase.FAILED:
        run.state, run.reason, run.advice = State.FAILED, run.workload.reason, GO_ON  # such as at its time limit
    _cut(
        run,
        JobState.CANCELLED if run.stop_wanted or run.state == State.CANCELLED else JobState.INTERRUPTED,
        run.ended_at,
    )
    run.save(update_fields=["state", "steps", "totals", "reason", "advice", "trouble"])
    audit.record(by=by, action=f"runs.{run.state}", subject=f"run:{run.pk}", reason=run.reason[:300])
    if run.is_test and not run.only_step and run.state in {State.SUCCEEDED, State.FAILED}:
        _show_for_its_version(by, run)
    if run.state != State.CANCELLED or run.stop_wanted != rules.STOPPED_BY_OWNER:
        tell_end(run)


def _show_for_its_version(by: audit.Actor, run: Run) -> None:
    """Keep with a draft what a run of its present documents showed: reviews ask for one that ended well."""
    passed = run.state == State.SUCCEEDED
    pipelines.record_run(
        by=by,
        owner=run.owner,
        slug=run.pipeline_slug,
        number=run.version_number,
        files=run.bundle.files,
        main=run.main,
        passed=passed,
        summary=f"Run {run.pk} {'ended well' if passed else 'failed'}. {run.reason}".strip()[:300],
        data={"run": run.pk, "url": reverse("runs:detail", args=[run.pk])},
    )


def tidy(*, by: audit.Actor, run: Run) -> None:
    """Let go of an ended run: keep the end of what its coordinator printed, and measure its folder."""
    printed = workloads.log_since(run.workload_id)[-KEPT_LOG_BYTES:] if run.workload_id else b""
    size = kit_folders.measure(folders.run_folder(run.pk))
    with transaction.atomic():
        Run.objects.filter(pk=run.pk, attempt=run.attempt, state=run.state).update(
            log=printed, disk_bytes=size, followed=False
        )
        if run.workload_id:
            workload_actions.release(by=by, workload_id=run.workload_id)


def stop_leftover(*, by: audit.Actor, run: Run, reason: str) -> None:
    """Ask the workload of a run to end that has said its last word."""
    if run.workload_id:
        workload_actions.request_stop(by=by, workload_id=run.workload_id, reason=reason)


def cut_off(*, by: audit.Actor, run: Run, reason: str, trouble: str) -> None:
    """End a run that takes too much of the platform: it has failed then, and says why."""
    if run.workload_id is None:
        return
    with transaction.atomic():
        marked = Run.objects.filter(pk=run.pk, state__in=rules.UNFINISHED, stop_wanted="").update(
            stop_wanted=reason[:100], stop_trouble=trouble
        )
        if not marked:
            return
        workload_actions.request_stop(by=by, workload_id=run.workload_id, reason=reason)
        audit.record(by=by, action="runs.cut-off", subject=f"run:{run.pk}", reason=reason)


def note_disk(*, by: audit.Actor, run: Run, size: int) -> None:  # noqa: ARG001  as every action
    """Note what a run's folder holds."""
    Run.objects.filter(pk=run.pk).update(disk_bytes=size)


def remove_folder(*, by: audit.Actor, run: Run) -> None:
    """Remove the folder of an old run; its page stays."""
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(cleaned_at=timezone.now(), disk_bytes=0)
        audit.record(by=by, action="runs.remove-folder", subject=f"run:{run.pk}")
    folders.remove(run.pk)
