"""Opening a job of a run as a session: the same software and inputs, in the folder where its command is laid out."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require, teams_of
from spacelab.audit import actions as audit
from spacelab.datalabs import queries as datalab_queries
from spacelab.kit.refusals import Conflict
from spacelab.runs import actions as run_actions
from spacelab.runs import queries as run_queries
from spacelab.runs.models import RunJob
from spacelab.sessions.actions import begin
from spacelab.sessions.choosing import Wanted
from spacelab.sessions.models import Session
from spacelab.sessions.opened import OpenedJob
from spacelab.sessions.permissions import SessionPermission
from spacelab.sessions.rules import TITLE_LENGTH
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import WORKSPACE

DATALAB = re.compile(r"datalabs/(?P<slug>[a-z0-9-]{2,60}):(?P<version>[0-9A-Za-z.+_-]{1,40})")


def open_job(*, by: Person, run_id: str, job: str) -> Session:
    """Lay a job of one's own run out in the workspace, and launch a session that opens its script.

    The session is of the datalab whose environment the step names; for any other step it is of the platform's notebook
    datalab, with the step's environment beside it, first in the script's PATH. What the job read is at the paths that
    it had, also what earlier steps made; a restart of the session has all of it again. Raises what launching raises.
    """
    require(by, SessionPermission.LAUNCH)
    run = run_queries.find_own(by, run_id)
    found = run_queries.find_job(run, job)
    slug, version, environment = _software(by, found, run.environments)
    laid = run_actions.unpack_job(by=by, run_id=run_id, job=job)
    mine = {one.name for one in volume_queries.visible_to(by)}
    teams = set(teams_of(by).values_list("slug", flat=True))
    session = begin(
        by,
        Wanted(
            datalab=slug,
            version=version,
            profile=run.profile,
            volumes=[name for name in run.volumes if name in mine],
            teams=[name for name in run.teams if name in teams],
            title=f"{found.job} of {run.title}"[:TITLE_LENGTH],
            opens=[str(WORKSPACE / laid.folder / laid.script)],
            job=OpenedJob(run=run_id, job=found.job, folder=laid.folder, environment=environment),
        ),
    )
    audit.record(by=by, action="sessions.open-job", subject=f"session:{session.id}", run=run_id, job=found.job)
    return session


def _software(by: Person, job: RunJob, environments: dict[str, str]) -> tuple[str, str | None, str]:
    """Return the datalab and version for a job, and the environment to show beside it, if any."""
    launchable = datalab_queries.launchable_by(by)
    named = DATALAB.fullmatch(job.image)
    if named and launchable.filter(datalab__slug=named["slug"], version=named["version"]).exists():
        return named["slug"], named["version"], ""
    if not launchable.filter(datalab__slug=settings.NOTEBOOK_BASE).exists():
        raise Conflict(
            f"There is no datalab “{settings.NOTEBOOK_BASE}” here in which a step could be opened.",
            advice="Ask an operator for it.",
        )
    name = environments.get(job.image, "")
    there = name and (Path(settings.ENVIRONMENTS_DIRECTORY) / name).is_dir()
    return settings.NOTEBOOK_BASE, None, name if there else ""
