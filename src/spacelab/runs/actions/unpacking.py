"""Laying a job out in its owner's workspace, for her to repeat its command by hand."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.kit.refusals import Conflict
from spacelab.runs import folders, queries, unpacking
from spacelab.runs.models import Run, RunJob
from spacelab.volumes import actions as volume_actions
from spacelab.volumes.rules import Mount


@dataclass(frozen=True)
class Unpacked:
    """A job that was laid out: `folder` is relative to the workspace, `script` repeats the command in it."""

    run: Run
    job: RunJob
    folder: str
    script: str
    lost: list[str]


def unpack_job(*, by: Person, run_id: str, job: str) -> Unpacked:
    """Lay out a job of one's own run in the workspace, as it was; what was there of it is left as it is.

    Raises `Conflict` for a job that had no command, or of a run whose folder is gone.
    """
    run = queries.find_own(by, run_id)
    found = queries.find_job(run, job)
    if not found.command:
        raise Conflict("This job ran no command.", advice="Look at what was wrong on its page.")
    if run.cleaned_at is not None:
        raise Conflict("The folder of this run is not kept any more.", advice="Run it again.")
    folder = unpacking.folder_of(run, found)
    laid = unpacking.layout(run, found, folder)
    with transaction.atomic():
        volume_actions.put_files(by=by, folder=folder, files=laid.files, links=laid.links, folders=unpacking.AREAS)
        audit.record(by=by, action="runs.unpack-job", subject=f"run:{run_id}", job=job[:300])
    return Unpacked(run, found, folder, unpacking.SCRIPT, laid.lost)


def show_job(*, by: Person, run_id: str, folder: str) -> tuple[Mount, ...]:
    """Return what a session shows of a job of one's own run that was laid out in `folder`; nothing of it is writable.

    Raises `Conflict` for a run that was deleted.
    """
    run = Run.objects.select_related("owner").filter(pk=run_id, owner=by).first()
    if run is None:
        raise Conflict(
            "The run of this step was deleted.",
            advice=f"Its folder {folder} is still in your workspace: launch a datalab.",
        )
    return folders.mounts_of_job(run, folder)
