"""A run as a Workflow Run RO-Crate: its folder's events and logs, and those of its files that a person may read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from run_crate import (
    About,
    Agent,
    Below,
    ChangedError,
    Crate,
    Entry,
    Environment,
    Place,
    RunRecord,
    Software,
    Take,
    UnreadableRunError,
    crate_of,
    read_run,
    write_zip,
)
from spacelab import __version__
from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.kit.refusals import Conflict, Invalid, Refusal
from spacelab.runs import folders, queries
from spacelab.runs.choosing import still_usable
from spacelab.runs.job_order import named_files
from spacelab.runs.models import Run
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import WORKSPACE, Mount

LARGEST_MB = 2048
USUAL_MB = 512
LARGEST_FILE_MB = 512
MOST_PACKAGES = 5000


@dataclass(frozen=True)
class Wanted:
    """What goes into a crate by value: inputs, outputs, logs, up to so many MiB in all."""

    inputs: bool = False
    outputs: bool = True
    logs: bool = True
    limit_mb: int = USUAL_MB


class _Files:
    """The files of a run that a person may read: its results as its page shows them, its inputs as she may use them.

    What else a run's events name is not hers to hand on: whoever wrote the pipeline could name any file.
    """

    def __init__(self, person: Person, run: Run) -> None:
        self._person, self._run = person, run
        self._results = str(WORKSPACE / run.results) if run.results else ""
        self._inputs = [one.path for one in named_files(run.job)]
        self._mounts = _mounts(person, run)
        self._below = Below({mount.target: Path(mount.source) for mount in self._mounts})

    def open(self, path: str) -> BinaryIO | None:
        """Open a file; None for one that is not there, or not hers to read."""
        inside = self._in_results(path)
        if inside:
            try:
                return queries.open_result(self._person, self._run, inside)
            except Refusal:
                return None
        if not self._is_input(path) or volume_queries.kind_at(self._mounts, path) != "File":
            return None
        return self._below.open(path)

    def entries(self, path: str) -> list[Entry] | None:
        """List the files below a folder; None for one that is not there, or not hers to read."""
        if self._in_results(path) and self._run.owner_id != self._person.pk:
            return None
        if not self._in_results(path) and not self._is_input(path):
            return None
        found = self._below.entries(path)
        return found and [one for one in found if volume_queries.kind_at(self._mounts, f"{path}/{one.path}") == "File"]

    def _in_results(self, path: str) -> str:
        if not self._results or ".." in PurePosixPath(path).parts or not path.startswith(f"{self._results}/"):
            return ""
        return path.removeprefix(f"{self._results}/")

    def _is_input(self, path: str) -> bool:
        return ".." not in PurePosixPath(path).parts and any(
            path == one or path.startswith(f"{one.rstrip('/')}/") for one in self._inputs
        )


def _mounts(person: Person, run: Run) -> tuple[Mount, ...]:
    """Return what the person may read of what the run had: her own workspace only if the run is hers."""
    volumes, teams = still_usable(person, run.volumes, run.teams)
    try:
        found = volume_queries.chosen_mounts(person, volumes=volumes, teams=teams)
    except Refusal:
        return ()
    mine = run.owner_id == person.pk
    own = {"home"} if mine else {"home", "workspace"}
    return tuple(mount for mount in found if mount.volume not in own)


def export(*, by: Person, run_id: str, wanted: Wanted) -> BinaryIO:
    """Write a run that the person sees as a zipped crate into a file without a name, which is returned.

    Raises `Conflict` for a run that has not ended, whose folder is gone, or whose files change meanwhile, and `Invalid`
    for a limit that is out of range.
    """
    run = queries.find_seen(by, run_id)
    if not run.is_final:
        raise Conflict("This run has not ended.", advice="Export it when it has.")
    if not 0 <= wanted.limit_mb <= LARGEST_MB:
        raise Invalid(f"From 0 to {LARGEST_MB} MiB fit.", advice="Refer to what is larger.", field="limit_mb")
    crate = describe(by, run, wanted)
    with transaction.atomic():
        details = {"inputs": wanted.inputs, "outputs": wanted.outputs, "files": len(crate.parts)}
        audit.record(by=by, action="runs.export", subject=f"run:{run.pk}", **details)
    place = Path(settings.SPACELAB.state) / "tmp"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = tempfile.TemporaryFile(dir=place)  # noqa: SIM115  the answer closes it
    try:
        write_zip(crate, target)
    except ChangedError as changed:
        target.close()
        raise Conflict(f"{changed} It could not be exported.", advice="Try again.") from changed
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


def describe(by: Person, run: Run, wanted: Wanted) -> Crate:
    """Describe a run as a crate; what its folder says is believed only of its jobs."""
    folder = folders.run_folder(run.pk)
    if run.cleaned_at is not None or not folder.is_dir():
        raise Conflict("The folder of this run is not kept any more.", advice="Run it again, and export that.")
    try:
        record = read_run(folder)
    except UnreadableRunError as unreadable:
        raise Conflict(str(unreadable), advice="Run it again, and export that.") from unreadable
    _believe(record, run)
    mebibyte = 2**20
    take = Take(
        inputs=wanted.inputs,
        outputs=wanted.outputs,
        logs=wanted.logs,
        largest_file=min(wanted.limit_mb, LARGEST_FILE_MB) * mebibyte,
        largest_total=wanted.limit_mb * mebibyte,
    )
    files: Place = _Files(by, run)
    return crate_of(record, _about(run), place=files, logs=Below({"/": folder / "jobs"}), take=take)


def _believe(record: RunRecord, run: Run) -> None:
    """Put what the platform knows in the place of what the run's folder says."""
    record.documents = dict(run.bundle.files)
    record.main, record.order, record.only_step = run.main, dict(run.job), run.only_step
    record.state, record.reason, record.attempts = run.state, run.reason, run.attempt
    record.started = run.started_at.timestamp() if run.started_at else None
    record.ended = run.ended_at.timestamp() if run.ended_at else None


def _about(run: Run) -> About:
    portal = settings.SPACELAB.portal_url
    catalogued = run.pipeline_slug and run.version_number
    address = f"{portal}/pipelines/{run.pipeline_slug}/{run.version_number}/" if catalogued else ""
    return About(
        id=run.pk,
        title=run.title,
        description=f"A run of {run.version_name}.",
        agent=Agent(run.owner.display_name or run.owner.username),
        engine=Software("Spacelab", __version__, f"{portal}/"),
        version=run.version_number,
        url=address,
        address=f"{portal}/runs/{run.pk}/",
        exported=timezone.now().timestamp(),
        environments=_environments(run.environments),
    )


def _environments(named: Mapping[str, Any]) -> dict[str, Environment]:
    """Say of each environment which packages it has, as `name==version` a line."""
    found = {}
    for image, name in named.items():
        folder = Path(settings.ENVIRONMENTS_DIRECTORY) / str(name)
        listed = sorted(
            f"{one.name}=={one.version}"
            for place in folder.glob("lib/python3*/site-packages")
            for one in distributions(path=[str(place)])
        )
        found[image] = Environment(str(name), packages="".join(f"{one}\n" for one in listed[:MOST_PACKAGES]))
    return found
