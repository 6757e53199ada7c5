"""Starting an attempt of a run: at once where there is room, else by the controller when there is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Refusal
from spacelab.runs import folders, queries
from spacelab.runs.actions.telling import tell_end
from spacelab.runs.choosing import spec_for
from spacelab.runs.models import Run
from spacelab.runs.rules import State, why_it_waits
from spacelab.volumes import queries as volume_queries
from spacelab.workloads import actions as workload_actions

SYSTEM = audit.System("runs")


def begin_if_room(*, by: audit.Actor, run: Run) -> bool:
    """Submit the workload of a run's present attempt if the quota has room for it; say whether it had.

    Else the run says for what it waits. A refusal, such as of a volume that the owner may no longer use, fails it.
    """
    owner = run.owner
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=owner.pk)
        if not Run.objects.filter(pk=run.pk, state=State.QUEUED, begun__lt=run.attempt).exists():
            return False
        if waits := _why_it_waits(run):
            if waits != run.reason:
                Run.objects.filter(pk=run.pk).update(reason=waits)
                run.reason = waits
            return False
        try:
            mounts = volume_queries.chosen_mounts(owner, volumes=run.volumes, teams=run.teams)
        except Refusal as refusal:
            _refuse(by, run, refusal)
            return False
        workload = workload_actions.submit(by=owner, spec=spec_for(run, new_id(), mounts), held=True)
        if run.workload_id:
            workload_actions.release(by=by, workload_id=run.workload_id)
        run.workload, run.reason, run.begun = workload, "Starting.", run.attempt
        run.read_bytes = folders.events_size(run.pk)
        run.save(update_fields=["workload", "reason", "begun", "read_bytes"])
    return True


def queue_again(run: Run, *, reason: str, **more: Any) -> bool:
    """Have a run's next attempt wait for its turn; False if the run has changed meanwhile."""
    values = {
        "state": State.QUEUED,
        "reason": reason,
        **dict.fromkeys(("advice", "trouble", "stop_wanted", "stop_trouble"), ""),
        "ended_at": None,
        "followed": True,
        "attempt": run.attempt + 1,
        **more,
    }
    same = {"state": run.state, "attempt": run.attempt, "stop_wanted": run.stop_wanted}
    return bool(Run.objects.filter(pk=run.pk, **same).update(**values))


def _why_it_waits(run: Run) -> str:
    if queries.at_work().count() >= settings.SPACELAB.runs_at_once:
        return "It waits for its turn: the platform has as many runs at work as it may."
    used = queries.used_room(run.owner)
    return why_it_waits(queries.allowed_room(), used, run.resources["cpu"], run.resources["memory_mb"])


def _refuse(by: audit.Actor, run: Run, refusal: Refusal) -> None:
    run.state, run.reason, run.advice, run.trouble = State.FAILED, refusal.message, refusal.advice, "refused"
    run.ended_at = timezone.now()
    run.save(update_fields=["state", "reason", "advice", "trouble", "ended_at"])
    audit.record(by=by, action="runs.refuse", subject=f"run:{run.pk}", reason=refusal.message)
    tell_end(run)
