"""What the controller does for launch tests: begin them, look at what they start, run notebooks, keep the evidence."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.datalabs import queries as datalab_queries
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.rules import EvidenceKind
from spacelab.kit.background import Background
from spacelab.kit.folders import read_left, remove
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Conflict, Refusal
from spacelab.testing import actions, picture, planning, queries, rules
from spacelab.testing.asking import fetch
from spacelab.testing.models import LaunchTest
from spacelab.testing.rules import State
from spacelab.workloads import queries as workload_queries
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import FINAL, Desired, Interface, Phase, Trouble

logger = logging.getLogger(__name__)

MOST_LOOKED_AT = 5
"""So many tests of what is kept wait at the most, so that what was just built does not wait behind a thousand."""
WATCH_SECONDS = 6.0
"""For so long an interface is watched once it answers: its memory is measured every five seconds."""
LOG_BYTES = 64 * 1024
"""Of what a test printed so much is kept, of the interface and of the notebooks each."""
MOST_RESULTS = 2**20
"""Bytes of results that are read: the notebooks' own code may have written them."""
PLATFORM_AT_FAULT = frozenset({Trouble.RUNTIME_AWAY, Trouble.IMAGE_MISSING, Trouble.LOST, ""})
"""What is told of a workload that never ran, and says nothing about the datalab."""


class Bench:
    """Moves every launch test one step further at each look; it remembers nothing that it can't find out again."""

    def look(self) -> None:
        """Take each test a step further."""
        for version in queries.untested()[:20]:
            try:
                actions.begin(by=actions.SYSTEM, version=version)
            except Conflict as refusal:
                logger.info("%s is not tested now: %s", version, refusal.message)
        for version in queries.to_preserve(timezone.now(), MOST_LOOKED_AT - queries.waiting()):
            actions.begin(by=actions.SYSTEM, version=version, kind=EvidenceKind.PRESERVATION)
        for test in queries.left_over()[:20]:
            remove(queries.evidence_folder(str(test.pk)))
            actions.forget(test=test)
        for test in queries.to_attend():
            try:
                self._attend(test)
            except Exception as error:
                logger.exception("launch test %s", test.pk)
                told = error.message if isinstance(error, Refusal) else "The platform failed."
                if not test.is_final:
                    actions.try_again(test=test, why=told)

    def _attend(self, test: LaunchTest) -> None:
        if test.is_final:
            clear_up(test)
        elif queries.is_outdated(test) or test.version is None:
            actions.drop(test=test)
        elif test.state == State.WAITING:
            if queries.free_places():
                start_interface(test, test.version)
        elif test.workload is None:
            actions.try_again(test=test, why="What ran for it is gone.")
        elif test.state == State.INTERFACE:
            follow_interface(test, test.version, test.workload)
        else:
            follow_notebooks(test, test.workload)


def start_interface(test: LaunchTest, version: DatalabVersion) -> None:
    """Start the datalab; one that this platform can't start has failed."""
    owner, trouble = queries.owner_of(version), datalab_queries.trouble_of(version)
    if trouble or owner is None:
        actions.note(test=test, trouble=trouble or "There is nobody in whose name it could be started.")
        actions.conclude(test=test)
        return
    workload_id = new_id()
    spec = planning.interface_spec(test, version, owner, workload_id)
    actions.start_workload(test=test, state=State.INTERFACE, owner=owner, spec=spec)


def follow_interface(test: LaunchTest, version: DatalabVersion, workload: Workload) -> None:
    """Look at the interface once it is ready, have it end after a while, then go on to the notebooks."""
    _measure(test, workload)
    phase = Phase(workload.phase)
    if phase is Phase.RUNNING and workload.desired == Desired.RUN and workload.ready_at:
        if "page" not in test.findings:
            look_at(test, version, workload)
        elif (timezone.now() - workload.ready_at).total_seconds() > WATCH_SECONDS:
            actions.note(
                test=test,
                ports=workload_queries.ports(workload.pk) or test.findings.get("ports"),  # some open theirs later
                written=workload_queries.written(workload.pk),
            )
            take_picture(test, workload)
            actions.stop_workload(test=test, reason="The launch test has seen it.")
    elif phase in FINAL:
        after_interface(test, version, workload)


def look_at(test: LaunchTest, version: DatalabVersion, workload: Workload) -> None:
    """Fetch the start page, and write down how long it took to come up and where it listens."""
    created, started, ready = workload.created_at, workload.started_at, workload.ready_at
    interface = Interface(**workload.spec["interface"])
    page = fetch(workload.address, _host(workload.pk), interface.path.replace("{id}", workload.pk))
    actions.note(
        test=test,
        page=asdict(page),
        start_seconds=round((started - created).total_seconds(), 2) if started else 0.0,
        ready_seconds=round((ready - (started or created)).total_seconds(), 2) if ready else 0.0,
        ports=workload_queries.ports(workload.pk),
        size_bytes=queries.size_of(version),
    )


def take_picture(test: LaunchTest, workload: Workload) -> None:
    """Keep a picture of the interface, where the settings name a browser; a test never fails for want of one."""
    wanted, interface = settings.SPACELAB, Interface(**workload.spec["interface"])
    if not wanted.browser:
        return
    uid = wanted.workload_uid if os.geteuid() == 0 else None
    drawn = picture.take(wanted.browser, workload.address, interface.path.replace("{id}", workload.pk), uid)
    if not drawn:
        logger.warning("launch test %s: no picture could be taken", test.pk)
        return
    folder = queries.evidence_folder(str(test.pk))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / queries.SCREENSHOT).write_bytes(drawn)


def after_interface(test: LaunchTest, version: DatalabVersion, workload: Workload) -> None:
    """Go on from an interface that has ended: to the notebooks, to the verdict, or back to the start."""
    if "page" not in test.findings:
        if _was_cut_off(workload):
            actions.try_again(test=test, why=workload.reason or "It was stopped.")
            return
        actions.note(test=test, trouble=f"It did not become ready. {workload.reason}".strip())
    keep_log(test, workload, "interface")
    page = rules.Page(**test.findings.get("page", {"status": 0}))
    notebooks = queries.notebooks_of(version) if page.is_good and "trouble" not in test.findings else []
    owner = queries.owner_of(version)
    if notebooks and owner is not None:
        start_notebooks(test, version, owner, notebooks)
    else:
        conclude(test)


def start_notebooks(test: LaunchTest, version: DatalabVersion, owner: Person, notebooks: list[str]) -> None:
    """Have the notebooks run in a workload of their own, in the same environment."""
    actions.note(test=test, wanted=notebooks)
    spec = planning.notebooks_spec(test, version, owner, new_id(), notebooks)
    actions.start_workload(test=test, state=State.NOTEBOOKS, owner=owner, spec=spec)


def follow_notebooks(test: LaunchTest, workload: Workload) -> None:
    """Once the notebooks have run, read what they left, and conclude."""
    _measure(test, workload)
    if Phase(workload.phase) not in FINAL:
        return
    left = _results(test, workload.pk)
    if left is None and _was_cut_off(workload):
        actions.try_again(test=test, why=workload.reason or "It was stopped.")
        return
    if told := rules.cannot_run(left):
        actions.note(test=test, notebooks_unavailable=told)
    else:
        ran = rules.clean_results(left, test.findings.get("wanted", []))
        actions.note(test=test, notebooks=[asdict(one) for one in ran])
    keep_log(test, workload, "notebooks")
    conclude(test)


def conclude(test: LaunchTest) -> None:
    """Let the verdict become evidence."""
    folder = str(test.pk)
    actions.conclude(test=test, folder=folder if queries.evidence_folder(folder).is_dir() else "")


def keep_log(test: LaunchTest, workload: Workload, title: str) -> None:
    """Keep the end of what the workload printed; doing it again replaces what was kept."""
    folder = queries.evidence_folder(str(test.pk))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    printed = workload_queries.log_tail(workload.pk, LOG_BYTES)
    parts = [f"── {title} ──\n{printed.rstrip()}\n"]
    kept = folder / queries.LOG
    if title != "interface" and kept.exists():
        before = kept.read_text(encoding="utf-8", errors="replace").partition(f"── {title} ──")[0]
        parts.insert(0, before)
    aside = kept.with_suffix(".new")
    aside.write_text("".join(parts), encoding="utf-8")
    aside.replace(kept)


def clear_up(test: LaunchTest) -> None:
    """Remove what an ended test left, once what ran for it has ended too; of a deleted version also its evidence."""
    if test.workload is not None and Phase(test.workload.phase) not in FINAL:
        actions.stop_workload(test=test, reason="The launch test has ended.")
        return
    actions.release(test=test)
    remove(queries.work_folder(test))
    if test.evidence_id is None:
        remove(queries.evidence_folder(str(test.pk)))
    actions.mark_cleaned(test=test)


def _was_cut_off(workload: Workload) -> bool:
    """Say whether a workload ended by no fault of the datalab: somebody stopped it, or the platform never ran it."""
    never_ran = workload.exit_code is None and workload.trouble in PLATFORM_AT_FAULT
    return Phase(workload.phase) is Phase.STOPPED or never_ran


def _measure(test: LaunchTest, workload: Workload) -> None:
    """Keep the most memory and CPU time that was seen of what ran, in bytes and seconds."""
    part = "interface" if test.state == State.INTERFACE else "notebooks"
    before = test.findings.get(f"{part}_usage", {})
    memory = max(before.get("memory_bytes", 0), workload.memory_bytes)
    cpu = max(before.get("cpu_seconds", 0.0), round(workload.cpu_seconds, 2))
    now = {"memory_bytes": memory, "cpu_seconds": cpu}
    if now != before and memory:
        actions.note(test=test, **{f"{part}_usage": now})


def _results(test: LaunchTest, workload_id: str) -> Any:
    """Return what the notebooks' program left; None if that is nothing that can be read."""
    left = read_left(planning.home_of(test, workload_id) / planning.RESULTS, MOST_RESULTS)
    try:
        return json.loads(left)
    except (ValueError, RecursionError):
        return None


def _host(workload_id: str) -> str:
    portal = urlsplit(settings.SPACELAB.portal_url)
    port = f":{portal.port}" if portal.port else ""
    return f"{workload_id}.{settings.SPACELAB.apps_domain}{port}"


_bench = Background("tests", Bench().look)


def attend_tests() -> None:
    """Move every launch test a step further; the controller calls this again and again."""
    _bench.look()
