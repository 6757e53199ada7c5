"""Launching: a run with its folder, for a pipeline of the catalogue or for documents at hand."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import OverQuota, Unavailable
from spacelab.pipelines.queries import require_launch
from spacelab.runs import folders, queries
from spacelab.runs.actions.starting import begin_if_room
from spacelab.runs.choosing import Choices, Source, Wanted, choose, digest_of
from spacelab.runs.launchables import Launchable, check_job
from spacelab.runs.models import KeptBundle, Run
from spacelab.volumes import actions as volume_actions
from spacelab.volumes.rules import WORKSPACE
from spacelab.workloads.rules import profile_named


def launch_documents(*, by: Person, source: Source, wanted: Wanted, previous: Run | None = None) -> Run:
    """Launch documents; who may run them was decided before. The outputs go to a folder of the person's workspace.

    Raises `Invalid` naming the field at fault, `OverQuota`, `Unavailable` on a full disk, and `Conflict` where
    workloads can't be kept apart and somebody else uses the platform; then nothing was created.
    """
    require_launch(by)
    volume_actions.ensure_areas(person=by)
    choices = choose(by, source, wanted)
    _check_disk()
    run_id = new_id()
    try:
        with transaction.atomic():
            Person.objects.select_for_update().get(pk=by.pk)
            queries.check_isolation(by)
            _check_quota(by, choices)
            run = _create(by, run_id, source, choices, previous)
            begin_if_room(by=by, run=run)
    except BaseException:
        folders.remove(run_id)
        raise
    return run


def _create(by: Person, run_id: str, source: Source, choices: Choices, previous: Run | None) -> Run:
    results = choices.results or f"results/{source.slug}-{run_id}"
    outdir = volume_actions.make_output_folder(by=by, folder=results)
    profile = choices.profile
    resources = {
        "cpu": profile.cpu,
        "memory_mb": profile.memory_mb,
        "scratch_mb": profile.scratch_mb,
        "network": profile.network,
    }
    options = folders.options_of(
        run_id=run_id,
        main=source.main,
        outdir=outdir,
        environments=source.environments,
        only_step=choices.only_step,
        resources=resources,
    )
    folders.make(run_id, files=source.files, job=choices.job, options=options)
    bundle, _ = KeptBundle.objects.get_or_create(digest=digest_of(source.files), defaults={"files": dict(source.files)})
    run = Run.objects.create(
        id=run_id,
        owner=by,
        team=choices.shown_to,
        pipeline_slug=source.slug,
        pipeline_title=source.title,
        version_number=source.version,
        title=choices.title,
        bundle=bundle,
        main=source.main,
        job=choices.job,
        only_step=choices.only_step,
        environments=dict(source.environments),
        is_test=source.is_test,
        profile=profile.name,
        resources=resources,
        volumes=list(choices.volumes),
        teams=list(choices.teams),
        results=str(outdir).removeprefix(f"{WORKSPACE}/"),
        previous=previous,
        reason="Waiting to be started.",
    )
    _record(by, run)
    return run


def _record(by: Person, run: Run) -> None:
    details: dict[str, Any] = {"pipeline": run.pipeline_slug, "version": run.version_number, "profile": run.profile}
    details |= {"volumes": run.volumes, "teams": run.teams}
    details |= {"only_step": run.only_step} if run.only_step else {}
    details |= {"previous": run.previous_id} if run.previous_id else {}
    details |= {"shown_to": run.team.slug} if run.team else {}
    audit.record(by=by, action="runs.launch", subject=f"run:{run.pk}", **details)


def _check_disk() -> None:
    free = shutil.disk_usage(settings.SPACELAB.state).free // 2**20
    if free < settings.SPACELAB.disk_reserve_mb:
        raise Unavailable(
            f"The platform's disk has only {free} MiB left, so no run can be started.",
            advice="Delete what you no longer need in your workspace, or tell an operator.",
        )


def _check_quota(by: Person, choices: Choices) -> None:
    """Raise `OverQuota` for a run that could never start, or beyond the number that may be unfinished."""
    allowed, profile = queries.allowed_room(), choices.profile
    if profile.cpu > allowed.cpu or profile.memory_mb > allowed.memory_mb:
        raise OverQuota(
            f"“{profile.title}” is larger than your whole quota.", advice="Choose a smaller profile.", field="profile"
        )
    most, there = settings.SPACELAB.quota_waiting_runs, queries.unfinished(by).count()
    if there >= most:
        raise OverQuota(
            f"You already have {there} of {most} unfinished runs.", advice="Wait for one to end, or stop one."
        )


def launch(
    *,
    by: Person,
    wanted: Launchable,
    job: Mapping[str, Any],
    profile: str = "",
    volumes: Sequence[str] = (),
    teams: Sequence[str] = (),
    results: str = "",
    title: str = "",
    shown_to: str = "",
) -> Run:
    """Launch what `launchables` found, once nothing hinders it and its job order is right.

    Raises what `launch_documents` raises, `Conflict` for documents that can't be run, and `Invalid` with the line for
    a job order that is wrong.
    """
    require_launch(by)
    volume_actions.ensure_areas(person=by)
    wanted.check()
    wanted.check_leave(profile_named(profile or queries.profiles()[0].name, queries.profiles()))
    asked = Wanted(
        job=check_job(by, wanted, job),
        profile=profile,
        volumes=volumes,
        teams=teams,
        results=results,
        title=title,
        shown_to=shown_to,
        only_step=wanted.only_step,
    )
    return launch_documents(by=by, source=wanted.source, wanted=asked, previous=wanted.previous)
