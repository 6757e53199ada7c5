"""Every write to sessions: launch, run a thread, relaunch, stop, restart, extend, rename, and noting activity."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.builds import actions as build_actions
from spacelab.builds.models import Build
from spacelab.datalabs.queries import require_author
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Conflict, Invalid, Unavailable
from spacelab.notifications import actions as notifications
from spacelab.notifications.rules import Kind
from spacelab.sessions import queries, rules, saving
from spacelab.sessions.choosing import Choices, Wanted, choose, spec_for, still_there
from spacelab.sessions.models import KeptLog, LaunchChoice, Session
from spacelab.sessions.opened import OpenedJob
from spacelab.sessions.permissions import SessionPermission
from spacelab.volumes import actions as volume_actions
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import WORKSPACE
from spacelab.workloads import actions as workload_actions
from spacelab.workloads.queries import log_since
from spacelab.workloads.rules import Phase

KEPT_LOG_BYTES = 128 * 1024
"""Of an ended session's log so much is kept."""

NOTE_EVERY = timedelta(seconds=10)
"""Activity is written down at most this often for one session."""


def launch(
    *,
    by: Person,
    datalab_slug: str,
    version: str | None = None,
    profile: str,
    volumes: Sequence[str],
    teams: Sequence[str],
    title: str = "",
    opens: Sequence[str] | None = None,
) -> Session:
    """Launch a datalab's version, the newest if none is named, and remember the choices for the next time.

    `opens` are files to open, as paths inside; None: what the datalab opens by itself.
    Raises `Invalid` naming the field at fault, `OverQuota`, `Unavailable` on a full disk, and `Conflict` where sessions
    can't be kept apart and somebody else uses the platform; then nothing was created.
    """
    wanted = Wanted(
        datalab=datalab_slug,
        version=version,
        profile=profile,
        volumes=volumes,
        teams=teams,
        title=title,
        opens=opens,
    )
    return begin(by, wanted)


def run_thread(
    *,
    by: Person,
    datalab_slug: str,
    thread: str,
    inputs: Mapping[str, object],
    profile: str,
    version: str | None = None,
    title: str = "",
) -> Session:
    """Run a datalab's predefined processing thread over these inputs; its results go to a folder of the workspace.

    The datalab's default volumes are mounted, as far as the person may use them, and those of the files she names.
    Raises what `launch` raises, with `inputs.<name>` as the field at fault.
    """
    found = queries.version_named(by, queries.find_datalab(by, datalab_slug), version)
    wanted = Wanted(
        datalab=datalab_slug,
        version=found.version,
        profile=profile,
        volumes=_allowed(by, found.default_volumes),
        title=title,
        thread=thread,
        inputs=inputs,
    )
    return begin(by, wanted)


def begin(by: Person, wanted: Wanted) -> Session:
    """Launch what is wanted, once it is checked; raises what `launch` raises."""
    require(by, SessionPermission.LAUNCH)
    volume_actions.ensure_areas(person=by)
    choices = choose(by, wanted)
    _check_disk()
    return _launch(by, choices)


def _allowed(by: Person, volumes: Sequence[str]) -> list[str]:
    allowed = {volume.name for volume in volume_queries.visible_to(by)}
    return [name for name in volumes if name in allowed]


def relaunch(*, by: Person, datalab_slug: str) -> Session:
    """Launch the datalab's newest version with what the person chose last, or with its defaults."""
    datalab = queries.find_datalab(by, datalab_slug)
    last = queries.last_choice(by, datalab)
    if last is None:
        volumes = _allowed(by, queries.version_named(by, datalab, None).default_volumes)
        smallest = queries.profiles()[0].name
        return launch(by=by, datalab_slug=datalab_slug, profile=smallest, volumes=volumes, teams=[])
    return launch(by=by, datalab_slug=datalab_slug, profile=last.profile, volumes=last.volumes, teams=last.teams)


def _check_disk() -> None:
    free = shutil.disk_usage(settings.SPACELAB.state).free // 2**20
    if free < settings.SPACELAB.disk_reserve_mb:
        raise Unavailable(
            f"The platform's disk has only {free} MiB left, so no session can be started.",
            advice="Delete what you no longer need in your workspace, or tell an operator.",
        )


def _launch(by: Person, choices: Choices, *, instead_of: str = "") -> Session:
    session_id = new_id()
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=by.pk)
        queries.check_isolation(by)
        rules.check_quota(queries.quota(), queries.used_by(by, leaving_out=instead_of), choices.profile)
        results = _results_folder(by, choices, session_id)
        spec = spec_for(by, choices, session_id, results)
        workload = workload_actions.submit(by=by, spec=spec, held=True)
        session = Session.objects.create(
            workload=workload,
            owner=by,
            version=choices.version,
            datalab_slug=choices.version.datalab.slug,
            datalab_title=choices.version.datalab.title,
            version_number=choices.version.version,
            title=choices.title,
            profile=choices.profile.name,
            volumes=list(choices.volumes),
            teams=list(choices.teams),
            opens=list(choices.opens),
            thread=choices.thread.name if choices.thread else "",
            inputs=choices.inputs,
            job=choices.job.to_json() if choices.job else {},
            results=results.removeprefix(f"{WORKSPACE}/"),
            is_test=not choices.version.is_frozen,
            active_at=timezone.now(),
        )
        if not choices.thread and not choices.job:
            _remember(by, choices)
        _record_launch(by, session)
    return session


def _results_folder(by: Person, choices: Choices, session_id: str) -> str:
    if choices.thread is None:
        return ""
    name = f"{choices.thread.name}-{timezone.now():%Y-%m-%d}-{session_id}"
    return volume_actions.make_results_folder(by=by, name=name)


def _remember(by: Person, choices: Choices) -> None:
    LaunchChoice.objects.update_or_create(
        person=by,
        datalab=choices.version.datalab,
        defaults={
            "profile": choices.profile.name,
            "volumes": list(choices.volumes),
            "teams": list(choices.teams),
        },
    )


def _record_launch(by: Person, session: Session) -> None:
    audit.record(
        by=by,
        action="sessions.run-thread" if session.thread else "sessions.launch",
        subject=f"session:{session.id}",
        datalab=session.datalab_slug,
        version=session.version_number,
        profile=session.profile,
        volumes=session.volumes,
        teams=session.teams,
        **({"thread": session.thread, "inputs": session.inputs} if session.thread else {}),
        **({"opens": session.opens} if session.opens else {}),
    )


def stop(*, by: Person, session_id: str, reason: str = "") -> Session:
    """Ask for a session to end: by its owner, or by an operator; raise `NotFound` for anybody else."""
    session = queries.find_seen(by, session_id)
    mine = session.owner_id == by.pk
    with transaction.atomic():
        workload_actions.request_stop(
            by=by, workload_id=session_id, reason=reason or ("You stopped it." if mine else "An operator stopped it.")
        )
        Session.objects.filter(pk=session_id).update(restart_wanted=False)
        audit.record(by=by, action="sessions.stop", subject=f"session:{session_id}")
    return queries.find_seen(by, session_id)


def restart(*, by: Person, session_id: str) -> Session:
    """Stop a session and launch the same choices once it has ended; return the new one if it had ended already.

    Raises what `launch` raises if the choices don't hold any more; then the session goes on.
    """
    require(by, SessionPermission.LAUNCH)
    session = queries.find_own(by, session_id)
    if session.restarted_as is not None:
        return queries.find_own(by, session.restarted_as.id)
    volume_actions.ensure_areas(person=by)
    choices = _same_again(by, session)
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=by.pk)
        rules.check_quota(queries.quota(), queries.used_by(by, leaving_out=session_id), choices.profile)
        Session.objects.filter(pk=session_id).update(restart_wanted=True)
        workload_actions.request_stop(by=by, workload_id=session_id, reason="It is being restarted.")
        audit.record(by=by, action="sessions.restart", subject=f"session:{session_id}")
        if session.workload.is_final:
            return finish_restart(by=by, session_id=session_id)
    return queries.find_own(by, session_id)


def finish_restart(*, by: Person, session_id: str) -> Session:
    """Launch again what the person wanted restarted, now that the old session has ended; return the new one."""
    require(by, SessionPermission.LAUNCH)
    old = queries.find_own(by, session_id)
    if not old.restart_wanted or not old.workload.is_final:
        raise Conflict("This session is not waiting for a restart.", advice="Look at its page again.")
    _check_disk()
    volume_actions.ensure_areas(person=by)
    choices = _same_again(by, old)
    with transaction.atomic():
        session = _launch(by, choices, instead_of=session_id)
        changed = Session.objects.filter(pk=session_id, restart_wanted=True).update(
            restart_wanted=False, restarted_as=session
        )
        if not changed:
            raise Conflict("This session is not waiting for a restart.", advice="Look at its page again.")
    return session


def _same_again(by: Person, session: Session) -> Choices:
    """Choose what the session was launched with; a file that it opened and that is gone is left out."""
    if session.version is None:
        raise Conflict(f"{session.version_name} was deleted by its author.", advice="Launch another version.")
    return choose(
        by,
        Wanted(
            datalab=session.datalab_slug,
            version=session.version_number,
            profile=session.profile,
            volumes=session.volumes,
            teams=session.teams,
            title=session.title,
            opens=still_there(queries.mounts_of(session), session.opens),
            thread=session.thread,
            inputs=session.inputs,
            job=OpenedJob.from_json(session.job),
        ),
    )


def save_as_datalab(*, by: Person, session_id: str, title: str, short_name: str, notebooks: Sequence[str]) -> Build:
    """Plan a draft that has what the person installed in a session's datalab, and these notebooks of her workspace.

    It is based on the version that the session runs, or ran. `notebooks` are paths in the workspace. Raises what
    `builds.actions.derive` raises, `Conflict` where the version was deleted, `Invalid` for files that can't be taken.
    """
    require_author(by)
    session = queries.find_own(by, session_id)
    if session.version is None:
        raise Conflict(f"{session.version_name} was deleted by its author.", advice="Nothing can be built on it.")
    found = saving.personal_packages(session)
    files = saving.read_notebooks(by, notebooks)
    if not found.pins and not files:
        raise Invalid(
            "You installed nothing in this datalab and chose no notebook, so there is nothing to save.",
            advice="Choose a notebook, or derive from the datalab's own page.",
            field="notebooks",
        )
    with transaction.atomic():
        build = build_actions.derive(
            by=by,
            version=session.version,
            title=title,
            short_name=short_name,
            pins=found.pins,
            files=files,
            whole=saving.takes_files(session.version),
            brought=f"the session {session.title}",
        )
        audit.record(
            by=by,
            action="sessions.save",
            subject=f"session:{session_id}",
            build=build.pk,
            packages=len(found.pins),
            notebooks=list(files),
        )
    return build


def give_up_restart(*, by: audit.Actor, session_id: str, why: str) -> None:
    """Write down that a restart was refused, so that nobody waits for it."""
    with transaction.atomic():
        Session.objects.filter(pk=session_id).update(restart_wanted=False)
        audit.record(by=by, action="sessions.restart-refused", subject=f"session:{session_id}", why=why)


def keep_log(*, by: audit.Actor, session_id: str) -> None:
    """Keep the end of an ended session's log, and have the runtime remove what is left of the session."""
    printed = log_since(session_id)
    kept = printed[-KEPT_LOG_BYTES:]
    with transaction.atomic():
        values = {"text": kept, "start": len(printed) - len(kept)}
        KeptLog.objects.update_or_create(session_id=session_id, defaults=values)
        workload_actions.release(by=by, workload_id=session_id)


def extend(*, by: Person, session_id: str, hours: int) -> Session:
    """Keep a session for so many hours from now even without activity; it is never kept shorter by that."""
    queries.find_own(by, session_id)
    longest = int(rules.LONGEST_EXTENSION.total_seconds() // 3600)
    if not 1 <= hours <= longest:
        raise Invalid("A session can't be kept for so long.", advice=f"Choose 1 to {longest} hours.", field="hours")
    keep_until = timezone.now() + timedelta(hours=hours)
    with transaction.atomic():
        session = Session.objects.select_for_update(of=("self",)).get(pk=session_id)
        if session.workload.is_final:
            raise Conflict("This session has ended.", advice="Launch it again.")
        if session.keep_until is None or session.keep_until < keep_until:
            session.keep_until = keep_until
        session.warned_at = None
        session.save(update_fields=["keep_until", "warned_at"])
        audit.record(by=by, action="sessions.extend", subject=f"session:{session_id}", hours=hours)
    return queries.find_own(by, session_id)


def rename(*, by: Person, session_id: str, title: str) -> Session:
    """Give a session another title, in any script; raise `Invalid` if it is empty or too long."""
    queries.find_own(by, session_id)
    cleaned = rules.clean_title(title)
    if not cleaned:
        raise Invalid("A session needs a title.", advice="Enter one.", field="title")
    with transaction.atomic():
        Session.objects.filter(pk=session_id).update(title=cleaned)
        audit.record(by=by, action="sessions.rename", subject=f"session:{session_id}", title=cleaned)
    return queries.find_own(by, session_id)


def note_activity(*, session_id: str, because: str) -> None:
    """Note that somebody uses the session; frequent notes cost one read each and change nothing."""
    now = timezone.now()
    stale = Session.objects.filter(pk=session_id, active_at__lt=now - NOTE_EVERY)
    if stale.exists():
        stale.update(active_at=now, active_because=because[:40], warned_at=None)


def warn(*, by: audit.Actor, session_id: str) -> bool:
    """Write down that the owner is warned of the end by idleness; say whether she was not warned before."""
    with transaction.atomic():
        session = Session.objects.select_for_update(of=("self",)).get(pk=session_id)
        active_at, _ = queries.activity_of(session)
        if session.warned_at is not None and session.warned_at >= active_at:
            return False
        Session.objects.filter(pk=session_id).update(warned_at=timezone.now())
        audit.record(by=by, action="sessions.warn", subject=f"session:{session_id}")
        minutes = settings.SPACELAB.idle_warning_minutes
        notifications.tell(
            people=[session.owner],
            kind=Kind.SESSION_WARNING,
            title=f"Your session {session.title} will end soon",
            text=f"Nobody uses it and nothing runs in it: it ends in about {minutes} minutes. Open it, or extend it.",
            url=reverse("lab_sessions:detail", args=[session_id]),
            subject=f"session:{session_id}",
        )
    return True


def stop_idle(*, by: audit.Actor, session_id: str) -> bool:
    """Stop a session that the rule for idle sessions ends, if it still does now; say whether it was stopped."""
    policy = queries.idle_policy()
    with transaction.atomic():
        session = Session.objects.select_for_update(of=("self",)).select_related("workload").get(pk=session_id)
        active_at, _ = queries.activity_of(session)
        decided = rules.verdict(
            timezone.now(),
            active_at=active_at,
            keep_until=session.keep_until,
            warned_at=session.warned_at,
            policy=policy,
        )
        if decided is not rules.Verdict.STOP or session.workload.phase != Phase.RUNNING:
            return False
        reason = (
            f"Nobody used it and nothing ran in it for {rules.in_words(policy.limit)}: the rule for idle sessions "
            "ended it. Everything in your workspace is still there."
        )
        workload_actions.request_stop(by=by, workload_id=session_id, reason=reason)
        audit.record(by=by, action="sessions.stop-idle", subject=f"session:{session_id}")
        notifications.tell(
            people=[session.owner],
            kind=Kind.SESSION_ENDED,
            title=f"Your session {session.title} was ended",
            text=reason,
            url=reverse("lab_sessions:detail", args=[session_id]),
            subject=f"session:{session_id}",
        )
    return True
