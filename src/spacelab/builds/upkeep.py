"""What the controller does for builds: fetch, build in fair turns, follow, check, explain, finish, clear up."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from spacelab.builds import actions, failures, packages, planning, queries
from spacelab.builds.actions import SYSTEM
from spacelab.builds.clearing import remove, remove_unused
from spacelab.builds.following import collect_log, note_steps
from spacelab.builds.models import Build
from spacelab.builds.ports import BuildFacts, Check, CheckResult, Order, Result
from spacelab.builds.rules import FINAL, State
from spacelab.datalabs import actions as datalab_actions
from spacelab.datalabs.rules import State as VersionState
from spacelab.kit.folders import disk_used
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Refusal
from spacelab.repositories.queries import fetch_spec
from spacelab.repositories.rules import Fetch, commit_in
from spacelab.workloads.rules import FINAL as ENDED
from spacelab.workloads.rules import Phase

logger = logging.getLogger(__name__)

THREADS = 2
"""Builds that are taken in, sealed or checked at once; the controller itself waits for none of it."""
DISK_EVERY, SHARE_FOR_DISK = 5.0, 50.0
"""Seconds between two measurements of what a build has written; more if one takes long."""
PACKAGES_EVERY = 600.0
"""Seconds between two looks for packages that nobody names."""
PLANNED_FOR = timedelta(days=7)
"""A plan that nobody starts is given up after that."""


class Workshop:
    """Moves every build one step further at each look; it remembers nothing that it can't find out again."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._jobs: dict[str, Future[None]] = {}
        self._disk_due: dict[str, float] = {}
        self._packages_due = time.monotonic() + PACKAGES_EVERY

    def look(self) -> None:
        """Take each build a step further."""
        for build_id in [key for key, job in self._jobs.items() if job.done()]:
            del self._jobs[build_id]
        for build in queries.to_attend():
            if build.pk in self._jobs:
                continue
            with guarded(build):
                self._attend(build)
        self._begin_next()
        self._give_up_old_plans()
        if time.monotonic() > self._packages_due:
            self._packages_due = time.monotonic() + PACKAGES_EVERY
            self._executor.submit(remove_unused, packages.root(), queries.packages_in_use())

    def _attend(self, build: Build) -> None:
        state = State(build.state)
        if state is State.RECEIVED and build.source == "git" and queries.may_fetch(build):
            begin_fetching(build)
        elif state in {State.FETCHING, State.BUILDING}:
            self._follow(build)
        elif state is State.CHECKING:
            self._have_done(build, finish)
        elif state in FINAL:
            clear_up(build)

    def _follow(self, build: Build) -> None:
        """Collect what was printed; once the workload has ended, have taken in what it made."""
        collect_log(build)
        note_steps(build)
        workload = build.workload
        if workload is None:
            actions.fail(by=SYSTEM, build=build, message="What built it is gone.", advice="Build it again.")
            return
        phase = Phase(workload.phase)
        if phase not in ENDED:
            self._watch_disk(build)
        if phase is Phase.SUCCEEDED:
            self._have_done(build, take_in if build.state == State.FETCHING else begin_checking)
        elif phase in ENDED:
            failures.explain(build, workload)

    def _watch_disk(self, build: Build) -> None:
        """End a build that fills the disk: no sandbox limits what is written into a folder of the host."""
        if time.monotonic() < self._disk_due.get(build.pk, 0.0):
            return
        began, most = time.monotonic(), settings.SPACELAB.build_disk_mb
        cached = disk_used(queries.cache_folder(build.person.username)) // 2**20
        used = max(disk_used(queries.work_folder(build.pk)) // 2**20, cached)
        self._disk_due[build.pk] = time.monotonic() + max(DISK_EVERY, SHARE_FOR_DISK * (time.monotonic() - began))
        if used > most:
            actions.stop_overfull(by=SYSTEM, build=build, used_mb=used, most_mb=most)

    def _have_done(self, build: Build, work: Callable[[Build], None]) -> None:
        """Do what may take long in a thread of its own."""

        def job() -> None:
            try:
                fresh = queries.builds().get(pk=build.pk)
                if fresh.state == build.state:
                    with guarded(fresh):
                        work(fresh)
            finally:
                if isinstance(self._executor, ThreadPoolExecutor):
                    connections.close_all()

        self._jobs[build.pk] = self._executor.submit(job)

    def _begin_next(self) -> None:
        waiting = queries.queue()
        beginning = sum(1 for build_id in waiting if build_id in self._jobs)
        free = max(0, queries.free_places() - beginning)
        for build_id in [one for one in waiting if one not in self._jobs][:free]:
            self._have_done(queries.builds().get(pk=build_id), begin_building)

    def _give_up_old_plans(self) -> None:
        old = queries.builds().filter(state=State.PLANNED, created_at__lt=timezone.now() - PLANNED_FOR)
        for build in old[:20]:
            actions.move(by=SYSTEM, build=build, state=State.CANCELLED, reason="Nobody started it for a week.")


@contextlib.contextmanager
def guarded(build: Build) -> Any:
    """Let a refusal, or a mistake of the platform, end this build and no other."""
    try:
        yield
    except Refusal as refusal:
        if State(build.state) not in FINAL:
            actions.fail(by=SYSTEM, build=build, message=refusal.message, advice=refusal.advice)
    except Exception:
        logger.exception("build %s", build.pk)
        build.refresh_from_db()
        if State(build.state) not in FINAL:
            actions.fail(
                by=SYSTEM,
                build=build,
                message="The platform failed, which is no fault of the package.",
                advice="Build it again, and tell an operator if that does not help.",
            )


def begin_fetching(build: Build) -> None:
    """Submit the workload that fetches the repository."""
    work, platform = _fresh(queries.work_folder(build.pk)), settings.SPACELAB
    most = {"minutes": platform.build_minutes, "disk_mb": platform.build_disk_mb}
    fetch = Fetch(new_id(), build.person.username, build.git_url, build.git_ref, work, **most)
    reason = f"From {build.git_url}."
    actions.begin(by=SYSTEM, build=build, state=State.FETCHING, spec=fetch_spec(fetch), reason=reason)


def take_in(build: Build) -> None:
    """Keep what was fetched, and plan it."""
    source = queries.work_folder(build.pk) / "made" / "source"
    with packages.staging() as folder:
        package = packages.take_fetched(source, folder)
    planned = planning.plan(package, build.answers)
    commit = commit_in(queries.log_of(build.pk))
    actions.release_workload(by=SYSTEM, build=build)
    actions.move(
        by=SYSTEM,
        build=build,
        state=State.PLANNED,
        reason=f"Commit {commit[:10]}. Ready to be built.",
        package=package,
        git_commit=commit,
        steps=[],
        workload_id=None,
        **planned.row(),
    )
    remove(queries.work_folder(build.pk))


def _order(build: Build, workload_id: str = "") -> Order:
    planned = planning.plan(build.package, build.answers)
    build.workload_id = workload_id or build.workload_id
    return planning.order_of(build, planned)


def begin_building(build: Build) -> None:
    """Submit the workload that builds, or go on to the checks where the same was built before."""
    order = _order(build, new_id())
    build.workload_id = None
    builder = queries.builder()
    ready = builder.ready_made(order)
    if ready is not None:
        reason = "The same was built before, so nothing has to be done."
        actions.move(by=SYSTEM, build=build, state=State.CHECKING, reason=reason, result=asdict(ready))
        return
    _fresh(order.work)
    spec = builder.spec(order)
    actions.begin(by=SYSTEM, build=build, state=State.BUILDING, spec=spec, reason="At work.")


def begin_checking(build: Build) -> None:
    """Take over what was built, and go on to the checks."""
    result = queries.builder().finish(_order(build))
    note_steps(build, ended=True)
    actions.move(
        by=SYSTEM, build=build, state=State.CHECKING, reason="Looking at what came out.", result=asdict(result)
    )


def finish(build: Build) -> None:
    """Run the checks; record the draft that its maintainer may launch, or fail with what a check found."""
    result = Result(**build.result)
    order = _order(build)
    found = run_checks(build, order, result)
    Build.objects.filter(pk=build.pk).update(checks=found)
    refused = next((one for one in found if not one["passed"]), None)
    if refused:
        actions.fail(
            by=SYSTEM,
            build=build,
            step=refused["title"],
            message=f"{refused['title']}: {refused['summary']}",
            advice="It can't be launched like this: change the package and build again.",
        )
        return
    made: dict[str, Any] = {
        "environment": result.environment,
        "image": result.image,
        "command": result.command,
        "interface": result.interface,
        "variables": result.variables,
        "activity_probe": result.activity_probe,
        "image_digest": result.image_id,
    }
    with transaction.atomic():
        version = build.datalab_version or datalab_actions.open_version(  # queued before builds opened versions
            by=build.person, manifest=order.manifest, package_dir=order.package, content_hash=build.package
        )
        if version.state == VersionState.BUILDING:
            datalab_actions.record_built(by=SYSTEM, version=version, **made)
        elif not queries.is_outdated(build):
            datalab_actions.replace_made(by=SYSTEM, version=version, package_dir=order.package, **made)
        reason = f"{order.manifest.title} {order.version} can be launched."
        actions.move(by=SYSTEM, build=build, state=State.BUILT, reason=reason, datalab_version_id=version.pk)


def run_checks(build: Build, order: Order, result: Result) -> list[dict[str, Any]]:
    """Run the checks that the settings name, each with its own report."""
    reports = queries.build_folder(build.pk) / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    facts = BuildFacts(
        build_id=build.pk,
        owner=order.owner,
        slug=order.slug,
        version=order.version,
        number=order.number,
        package=order.package,
        package_hash=order.package_hash,
        result=result,
        reports=reports,
    )
    found = []
    for name in settings.BUILD_CHECKS:
        check: Check = import_string(name)
        outcome: CheckResult = check(facts)
        found.append(asdict(outcome))
        if not outcome.passed:
            break
    return found


def clear_up(build: Build) -> None:
    """Remove what an ended build left, once its workload has ended too."""
    workload = build.workload
    if workload is not None and Phase(workload.phase) not in ENDED:
        actions.stop_workload(by=SYSTEM, build=build)
        return
    if workload is not None and build.state == State.CANCELLED:
        collect_log(build)
    remove(queries.work_folder(build.pk))
    _clear_cache(build)
    actions.mark_cleaned(by=SYSTEM, build=build)


def _clear_cache(build: Build) -> None:
    """Remove what was fetched for a person if it has become large and none of her builds is at work."""
    if queries.at_work_of(build.person):
        return
    cache, most = queries.cache_folder(build.person.username), settings.SPACELAB.build_disk_mb * 2**20 // 2
    try:
        large = disk_used(cache) > most
    except Refusal:
        large = True
    if large:
        remove(cache)


def _fresh(folder: Path) -> Path:
    """Make an empty folder, whatever an earlier try left there."""
    remove(folder)
    folder.mkdir(parents=True)
    folder.parent.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder


@cache
def _workshop() -> Workshop:
    return Workshop(ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="builds"))


def attend_builds() -> None:
    """Move every build a step further; the controller calls this again and again."""
    _workshop().look()
