"""Taking pipelines from Git repositories: asked for by a person, fetched and taken in by the controller."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Conflict, Forbidden, OverQuota
from spacelab.pipelines import intake, rules
from spacelab.pipelines.actions.saving import check_name, create
from spacelab.pipelines.models import PipelineImport, PipelineVersion
from spacelab.pipelines.permissions import PipelinePermission
from spacelab.pipelines.rules import ImportState
from spacelab.repositories import rules as repositories
from spacelab.workloads import actions as workload_actions
from spacelab.workloads.rules import WorkloadSpec

LONGEST_REASON = 1000


@transaction.atomic
def bring_git(
    *, by: Person, slug: str, url: str, version: str = "0.1.0", title: str = "", ref: str = "", path: str = ""
) -> PipelineImport:
    """Have a public repository fetched, at a branch, tag or commit, and begin a draft with what it holds at `path`.

    That is a folder with all its texts, or a document with what it leads to. Raises `Invalid` for an address that is
    not http(s) or lies inside, and for names as `create` does; `OverQuota` where too many of the person's wait.
    """
    require(by, PipelinePermission.AUTHOR)
    platform = settings.SPACELAB
    values = {
        "slug": rules.clean_slug(slug),
        "version": rules.clean_number(version),
        "title": title.strip()[:120],
        "git_url": repositories.check_git_url(url, blocked=platform.egress_blocked, allowed=platform.egress_allowed),
        "git_ref": repositories.check_git_ref(ref),
        "git_path": rules.clean_git_path(path),
    }
    check_name(by, values["slug"], values["version"])
    mine = PipelineImport.objects.filter(person=by)
    if mine.filter(ended_at=None).count() >= rules.MOST_WAITING:
        raise OverQuota(
            f"{rules.MOST_WAITING} of your repositories are being fetched.", advice="Wait until one of them is here."
        )
    ended = mine.exclude(ended_at=None).values_list("pk", flat=True)
    mine.filter(pk__in=list(ended[rules.KEPT_IMPORTS :])).delete()
    made = PipelineImport.objects.create(id=new_id(), person=by, **values)
    audit.record(
        by=by, action="pipelines.import", subject=f"pipeline:{made.slug}", version=made.version, url=made.git_url
    )
    return made


@transaction.atomic
def begin_fetch(*, by: audit.Actor, wanted: PipelineImport, spec: WorkloadSpec) -> bool:  # noqa: ARG001  as every action
    """Submit the workload that fetches, unless the person has cancelled it meanwhile; say whether it was submitted."""
    workload = workload_actions.submit(by=wanted.person, spec=spec, held=True)
    rows = PipelineImport.objects.filter(pk=wanted.pk, state=ImportState.WAITING)
    if not rows.update(state=ImportState.FETCHING, workload=workload):
        transaction.set_rollback(True)
        return False
    return True


@transaction.atomic
def finish_import(*, by: audit.Actor, wanted: PipelineImport, taken: intake.Taken, commit: str) -> PipelineVersion:
    """Begin the person's draft with what was fetched, and note the commit with it. Raises as `create` does."""
    metadata = {key: value for key, value in intake.metadata_of(taken.files).values.items() if key not in intake.NAMING}
    source = {"url": wanted.git_url, "ref": wanted.git_ref, "commit": commit, "path": wanted.git_path}
    made = create(
        by=wanted.person,
        slug=wanted.slug,
        version=wanted.version,
        title=wanted.title or wanted.slug,
        files=taken.files,
        main=taken.main or intake.main_in(taken.files),
        metadata=metadata,
        source=source,
    )
    _end(wanted, ImportState.DONE, taken.told, made=made, git_commit=commit)
    audit.record(
        by=by,
        action="pipelines.imported",
        subject=made.subject,
        version=made.version,
        url=wanted.git_url,
        commit=commit,
    )
    return made


@transaction.atomic
def fail_import(*, by: audit.Actor, wanted: PipelineImport, reason: str) -> bool:
    """End an import that came to nothing, with what went wrong; say whether it had not ended."""
    if not _end(wanted, ImportState.FAILED, reason):
        return False
    audit.record(
        by=by,
        action="pipelines.import-failed",
        subject=f"pipeline:{wanted.slug}",
        url=wanted.git_url,
        reason=reason[:300],
    )
    return True


@transaction.atomic
def cancel_import(*, by: Person, wanted: PipelineImport) -> None:
    """End one's own import before it has ended."""
    if wanted.person_id != by.pk:
        raise Forbidden("This is somebody else's import.", advice="Ask for the repository yourself.")
    if not _end(wanted, ImportState.FAILED, "You cancelled it."):
        raise Conflict("It has ended.", advice="Look at what came of it.")
    audit.record(by=by, action="pipelines.import-cancelled", subject=f"pipeline:{wanted.slug}", url=wanted.git_url)
    if wanted.workload_id:
        workload_actions.request_stop(by=by, workload_id=wanted.workload_id, reason="It was cancelled.")


def let_go(*, by: audit.Actor, wanted: PipelineImport) -> None:
    """Let go of what fetched, once it has ended."""
    if wanted.workload_id:
        workload_actions.release(by=by, workload_id=wanted.workload_id)
    PipelineImport.objects.filter(pk=wanted.pk).update(workload=None)


def stop_fetch(*, by: audit.Actor, wanted: PipelineImport, reason: str) -> None:
    """End the workload that fetches, and the import with it."""
    fail_import(by=by, wanted=wanted, reason=reason)
    if wanted.workload_id:
        workload_actions.request_stop(by=by, workload_id=wanted.workload_id, reason=reason)


def _end(wanted: PipelineImport, state: ImportState, reason: str, **values: Any) -> bool:
    """Write an end, once."""
    rows = PipelineImport.objects.filter(pk=wanted.pk, ended_at=None)
    return bool(rows.update(state=state, reason=reason[:LONGEST_REASON], ended_at=timezone.now(), **values))
