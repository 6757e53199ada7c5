"""What the controller does for pipelines: have repositories fetched, take in what they hold, clear up."""

from __future__ import annotations

import logging
import os
from functools import cache

from django.conf import settings

from spacelab.kit.background import Background
from spacelab.kit.folders import disk_used, remove
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Refusal
from spacelab.pipelines import actions, intake, queries, rules
from spacelab.pipelines.actions import SYSTEM
from spacelab.pipelines.models import PipelineImport
from spacelab.pipelines.rules import ImportState
from spacelab.repositories.queries import fetch_spec
from spacelab.repositories.rules import Fetch, commit_in, why_not
from spacelab.workloads import queries as workloads
from spacelab.workloads.rules import FINAL as ENDED
from spacelab.workloads.rules import Phase, Trouble

logger = logging.getLogger(__name__)
TRY_AGAIN = "Look whether the address answers in a browser, and try again; or bring the files as a zip."


def follow_imports() -> None:
    """Take every import a step further."""
    for wanted in queries.imports_to_attend():
        try:
            _attend(wanted)
        except Refusal as refusal:
            _give_up(wanted, f"{refusal.message} {refusal.advice}".strip())
        except Exception:
            logger.exception("import %s", wanted.pk)
            _give_up(wanted, "The platform failed, which is no fault of yours. Try it again.")


def _give_up(wanted: PipelineImport, reason: str) -> None:
    actions.fail_import(by=SYSTEM, wanted=wanted, reason=reason)
    if wanted.workload is None:
        remove(queries.import_folder(wanted.pk))


def _attend(wanted: PipelineImport) -> None:
    if wanted.ended_at is not None:
        _clear_up(wanted)
    elif wanted.state == ImportState.WAITING:
        if queries.may_fetch(wanted):
            actions.begin_fetch(by=SYSTEM, wanted=wanted, spec=fetch_spec(_fetch(wanted, new_id())))
    else:
        _follow(wanted)


def _fetch(wanted: PipelineImport, workload_id: str) -> Fetch:
    """Make room for a repository, and say how it is fetched."""
    work, platform = queries.import_folder(wanted.pk), settings.SPACELAB
    remove(work)
    work.mkdir(parents=True)
    work.parent.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return Fetch(
        workload_id,
        wanted.person.username,
        wanted.git_url,
        wanted.git_ref,
        work,
        minutes=min(platform.build_minutes, rules.FETCH_MINUTES),
        disk_mb=min(platform.build_disk_mb, rules.FETCH_MB),
    )


def _follow(wanted: PipelineImport) -> None:
    workload = wanted.workload
    if workload is None:
        actions.fail_import(by=SYSTEM, wanted=wanted, reason="What fetched it is gone. Try it again.")
        return
    phase = Phase(workload.phase)
    if phase not in ENDED:
        used, most = disk_used(queries.import_folder(wanted.pk)) // 2**20, workload.spec["resources"]["scratch_mb"]
        if used > most:
            reason = f"The repository is larger than {most} MiB. Bring the pipeline's files as a zip."
            actions.stop_fetch(by=SYSTEM, wanted=wanted, reason=reason)
        return
    printed = workloads.log_since(workload.pk)
    if phase is Phase.SUCCEEDED:
        source = queries.import_folder(wanted.pk) / "made" / "source"
        taken = intake.take_fetched(source, wanted.git_path)
        actions.finish_import(by=SYSTEM, wanted=wanted, taken=taken, commit=commit_in(printed))
        return
    if workload.trouble == Trouble.OUT_OF_MEMORY or "time limit" in workload.reason or workload.exit_code is None:
        message, advice = workload.reason or "The fetch was ended.", "Bring the pipeline's files as a zip."
    else:
        message, advice = why_not(printed.decode(errors="replace"), wanted.git_url, wanted.git_ref)
    actions.fail_import(by=SYSTEM, wanted=wanted, reason=f"{message} {advice or TRY_AGAIN}")


def _clear_up(wanted: PipelineImport) -> None:
    """Remove what was fetched, once nothing writes there any more."""
    if wanted.workload is None or Phase(wanted.workload.phase) in ENDED:
        remove(queries.import_folder(wanted.pk))
        actions.let_go(by=SYSTEM, wanted=wanted)


@cache
def _imports() -> Background:
    return Background("imports", follow_imports)


def attend_imports() -> None:
    """Take every import a step further, beside the controller's own work; it calls this again and again."""
    _imports().look()
