"""What people do with runs: stop, pause, go on, retry, show to a team, rename, delete."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import teams_of
from spacelab.audit import actions as audit
from spacelab.kit.refusals import Conflict, Forbidden, Invalid
from spacelab.pipelines.queries import require_launch
from spacelab.runs import folders, queries
from spacelab.runs.actions.starting import begin_if_room, queue_again
from spacelab.runs.actions.telling import tell_end
from spacelab.runs.choosing import TITLE_LENGTH
from spacelab.runs.models import Run
from spacelab.runs.rules import STOPPED_BY_OPERATOR, STOPPED_BY_OWNER, UNFINISHED, State
from spacelab.workloads import actions as workload_actions


def _controlled(by: Person, run_id: str) -> Run:
    """Find a run of the person's own; raise `Forbidden` for one that she may only look at, else `NotFound`."""
    run = queries.find_seen(by, run_id)
    if run.owner_id != by.pk:
        raise Forbidden("This is somebody else's run.", advice="Launch the pipeline yourself.")
    return run


def _check_folder(run: Run) -> None:
    """Raise `Conflict` where nothing is left to go on with, such as after a restore of a backup."""
    if run.cleaned_at is not None or not folders.run_folder(run.pk).is_dir():
        raise Conflict("The folder of this run is not there any more.", advice="Run it again.")


def stop(*, by: Person, run_id: str) -> Run:
    """End a run: by its owner, or by an operator; what is finished stays, and it can be resumed."""
    run = queries.find_seen(by, run_id)
    if not queries.may_stop(by, run):
        raise Forbidden("This is somebody else's run.", advice="Ask its owner to stop it.")
    mine = run.owner_id == by.pk
    reason = STOPPED_BY_OWNER if mine else STOPPED_BY_OPERATOR
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).select_related("workload", "owner").get(pk=run_id)
        if run.is_final:
            return run
        if run.workload is None or run.begun < run.attempt:
            now = timezone.now()
            run.state, run.reason, run.ended_at = State.CANCELLED, reason, now
            run.save(update_fields=["state", "reason", "ended_at"])
            if not mine:
                tell_end(run)
        else:
            Run.objects.filter(pk=run_id).update(stop_wanted=reason)
            workload_actions.request_stop(by=by, workload_id=run.workload.pk, reason=reason)
        audit.record(by=by, action="runs.stop", subject=f"run:{run_id}")
    return queries.find_seen(by, run_id)


def pause(*, by: Person, run_id: str) -> Run:
    """Have no further job begin; those at work end as they would."""
    return _set_paused(by, run_id, paused=True)


def unpause(*, by: Person, run_id: str) -> Run:
    """Have a paused run begin jobs again."""
    return _set_paused(by, run_id, paused=False)


def _set_paused(by: Person, run_id: str, *, paused: bool) -> Run:
    run = _controlled(by, run_id)
    if not run.is_final:
        _check_folder(run)
    with transaction.atomic():
        changed = Run.objects.filter(pk=run_id, state__in=UNFINISHED).update(pause_wanted=paused)
        if not changed:
            raise Conflict("This run has ended.", advice="Resume it, or launch it again.")
        audit.record(by=by, action="runs.pause" if paused else "runs.unpause", subject=f"run:{run_id}")
        folders.write_control(run.pk, paused=paused)
    return queries.find_own(by, run_id)


def resume(*, by: Person, run_id: str) -> Run:
    """Go on with a run that failed, was stopped or interrupted: finished jobs are not repeated, all others are.

    Raises `Conflict` for one that goes on already, has succeeded, or whose folder is gone.
    """
    require_launch(by)
    run = _controlled(by, run_id)
    if run.state in UNFINISHED:
        raise Conflict("This run goes on already.", advice="Look at its page.")
    if not State(run.state).may_go_on:
        raise Conflict("This run has succeeded.", advice="Run it again with changes.")
    _check_folder(run)
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=by.pk)
        if not queue_again(run, reason="Waiting to be started again.", pause_wanted=False, restarts=0):
            raise Conflict("This run has changed meanwhile.", advice="Look at its page again.")
        folders.write_control(run_id, paused=False)
        audit.record(by=by, action="runs.resume", subject=f"run:{run_id}", attempt=run.attempt + 1)
        fresh = queries.find_own(by, run_id)
        if fresh.workload is None or fresh.workload.is_final:
            begin_if_room(by=by, run=fresh)
    return queries.find_own(by, run_id)


def rename(*, by: Person, run_id: str, title: str) -> Run:
    """Give a run another title."""
    _controlled(by, run_id)
    cleaned = " ".join("".join(one for one in title if one.isprintable()).split())
    if not cleaned or len(cleaned) > TITLE_LENGTH:
        raise Invalid(f"A title has 1 to {TITLE_LENGTH} characters.", advice="Enter another.", field="title")
    with transaction.atomic():
        Run.objects.filter(pk=run_id).update(title=cleaned)
        audit.record(by=by, action="runs.rename", subject=f"run:{run_id}", title=cleaned)
    return queries.find_own(by, run_id)


def show_to(*, by: Person, run_id: str, team: str) -> Run:
    """Let the members of a team look at a run; an empty name ends that."""
    _controlled(by, run_id)
    found = teams_of(by).filter(slug=team).first() if team else None
    if team and found is None:
        raise Invalid(f"You are in no team “{team[:60]}”.", advice="Choose one of your teams.", field="team")
    with transaction.atomic():
        Run.objects.filter(pk=run_id).update(team=found)
        audit.record(by=by, action="runs.show-to", subject=f"run:{run_id}", team=team)
    return queries.find_own(by, run_id)


def delete(*, by: Person, run_id: str) -> None:
    """Remove an ended run with its folder; its outputs in the workspace stay."""
    run = _controlled(by, run_id)
    if not run.is_final or run.followed:
        raise Conflict("This run has not ended.", advice="Stop it first.")
    with transaction.atomic():
        audit.record(by=by, action="runs.delete", subject=f"run:{run_id}", pipeline=run.pipeline_slug)
        bundle = run.bundle
        run.delete()
        if not bundle.runs.exists():
            bundle.delete()
    folders.remove(run_id)
