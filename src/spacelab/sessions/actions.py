"""Every write to sessions: launch, relaunch, stop, restart, extend, rename, and noting activity."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Conflict, Invalid, NotFound, Unavailable
from spacelab.sessions import queries, rules
from spacelab.sessions.models import LaunchChoice, Session
from spacelab.sessions.permissions import SessionPermission
from spacelab.volumes import actions as volume_actions
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import Mount
from spacelab.workloads import actions as workload_actions
from spacelab.workloads.rules import Interface, Kind, Network, Phase, Resources, WorkloadSpec

NOTE_EVERY = timedelta(seconds=10)
"""Activity is written down at most this often for one session."""

PACKAGE_TARGET = "/opt/datalab"
"""Where a session finds its datalab's package."""


@dataclass(frozen=True)
class Choices:
    """What somebody chose for a launch, checked: all of it exists, and she may use it."""

    version: DatalabVersion
    profile: rules.Profile
    volumes: tuple[str, ...]
    teams: tuple[str, ...]
    title: str


def launch(
    *,
    by: Person,
    datalab_slug: str,
    version: str | None = None,
    profile: str,
    volumes: Sequence[str],
    teams: Sequence[str],
    title: str = "",
) -> Session:
    """Launch a datalab's version, the newest if none is named, and remember the choices for the next time.

    Raises `Invalid` naming the field at fault, `OverQuota`, `Unavailable` on a full disk, and `Conflict` where sessions
    can't be kept apart and somebody else uses the platform; then nothing was created.
    """
    require(by, SessionPermission.LAUNCH)
    choices = _choices(datalab_slug, version=version, profile=profile, volumes=volumes, teams=teams, title=title)
    _check_disk()
    return _launch(by, choices)


def relaunch(*, by: Person, datalab_slug: str) -> Session:
    """Launch the datalab's newest version with what the person chose last, or with its defaults."""
    datalab = queries.find_datalab(datalab_slug)
    last = queries.last_choice(by, datalab)
    if last is None:
        newest = queries.published_versions(datalab)[0]
        allowed = {volume.name for volume in volume_queries.visible_to(by)}
        volumes = [name for name in newest.default_volumes if name in allowed]
        smallest = queries.profiles()[0].name
        return launch(by=by, datalab_slug=datalab_slug, profile=smallest, volumes=volumes, teams=[])
    return launch(by=by, datalab_slug=datalab_slug, profile=last.profile, volumes=last.volumes, teams=last.teams)


def _choices(
    slug: str, *, version: str | None, profile: str, volumes: Sequence[str], teams: Sequence[str], title: str
) -> Choices:
    datalab = queries.find_datalab(slug)
    return Choices(
        version=_version(datalab, version),
        profile=rules.profile_named(profile, queries.profiles()),
        volumes=tuple(dict.fromkeys(volumes)),
        teams=tuple(dict.fromkeys(teams)),
        title=rules.clean_title(title) or datalab.title,
    )


def _version(datalab: Datalab, wanted: str | None) -> DatalabVersion:
    offered = queries.published_versions(datalab)
    for one in offered:
        if wanted in {None, "", one.version}:
            return one
    names = ", ".join(one.version for one in offered)
    raise Invalid(
        f"{datalab.title} has no version “{str(wanted)[:40]}” that can be launched.",
        advice=f"Choose one of: {names}.",
        field="version",
    )


def _check_disk() -> None:
    free = shutil.disk_usage(settings.SPACELAB.state).free // 2**20
    if free < settings.SPACELAB.disk_reserve_mb:
        raise Unavailable(
            f"The platform's disk has only {free} MiB left, so no session can be started.",
            advice="Delete what you no longer need in your workspace, or tell an operator.",
        )


def _launch(by: Person, choices: Choices, *, instead_of: str = "") -> Session:
    volume_actions.ensure_areas(person=by)
    datalab = choices.version.datalab
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=by.pk)
        queries.check_isolation(by)
        rules.check_quota(queries.quota(), queries.used_by(by, leaving_out=instead_of), choices.profile)
        workload = workload_actions.submit(by=by, spec=_spec(by, choices))
        session = Session.objects.create(
            workload=workload,
            owner=by,
            version=choices.version,
            title=choices.title,
            profile=choices.profile.name,
            volumes=list(choices.volumes),
            teams=list(choices.teams),
            active_at=timezone.now(),
        )
        LaunchChoice.objects.update_or_create(
            person=by,
            datalab=datalab,
            defaults={
                "profile": choices.profile.name,
                "volumes": list(choices.volumes),
                "teams": list(choices.teams),
            },
        )
        audit.record(
            by=by,
            action="sessions.launch",
            subject=f"session:{session.id}",
            datalab=datalab.slug,
            version=choices.version.version,
            profile=choices.profile.name,
            volumes=list(choices.volumes),
            teams=list(choices.teams),
        )
    return session


def _spec(by: Person, choices: Choices) -> WorkloadSpec:
    version, profile, session_id = choices.version, choices.profile, new_id()
    portal = settings.SPACELAB.portal_url
    return WorkloadSpec(
        id=session_id,
        owner=by.username,
        kind=Kind.INTERACTIVE,
        command=tuple(version.command),
        environment=version.environment,
        image=version.image,
        variables={
            **version.variables,
            "DATALAB_NAME": version.datalab.slug,
            "DATALAB_ID": session_id,
            "DATALABS_URL": portal,
            "SPACELAB_URL": portal,
        },
        mounts=_mounts(by, choices),
        resources=Resources(cpu=profile.cpu, memory_mb=profile.memory_mb, scratch_mb=profile.scratch_mb),
        interface=Interface(**version.interface),
        network=Network(profile.network),
        activity_probe=version.activity_probe,
    )


def _mounts(by: Person, choices: Choices) -> tuple[Mount, ...]:
    try:
        mounts = volume_queries.mounts_for(by, volumes=choices.volumes, teams=choices.teams)
    except NotFound as unknown:
        raise Invalid(unknown.message, advice=unknown.advice, field=unknown.field) from unknown
    package = queries.package_of(choices.version)
    return mounts if package is None else (*mounts, Mount(str(package), PACKAGE_TARGET))


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
    choices = _same_again(session)
    _mounts(by, choices)
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
    with transaction.atomic():
        session = _launch(by, _same_again(old), instead_of=session_id)
        changed = Session.objects.filter(pk=session_id, restart_wanted=True).update(
            restart_wanted=False, restarted_as=session
        )
        if not changed:
            raise Conflict("This session is not waiting for a restart.", advice="Look at its page again.")
    return session


def _same_again(session: Session) -> Choices:
    return _choices(
        session.version.datalab.slug,
        version=session.version.version,
        profile=session.profile,
        volumes=session.volumes,
        teams=session.teams,
        title=session.title,
    )


def give_up_restart(*, by: audit.Actor, session_id: str, why: str) -> None:
    """Write down that a restart was refused, so that nobody waits for it."""
    with transaction.atomic():
        Session.objects.filter(pk=session_id).update(restart_wanted=False)
        audit.record(by=by, action="sessions.restart-refused", subject=f"session:{session_id}", why=why)


def extend(*, by: Person, session_id: str, hours: int) -> Session:
    """Keep a session for so many hours from now even without activity; it is never kept shorter by that."""
    queries.find_own(by, session_id)
    wanted = timedelta(hours=hours)
    if not timedelta() < wanted <= rules.LONGEST_EXTENSION:
        longest = int(rules.LONGEST_EXTENSION.total_seconds() // 3600)
        raise Invalid(
            f"A session can't be kept for {hours} hours.", advice=f"Choose 1 to {longest} hours.", field="hours"
        )
    keep_until = timezone.now() + wanted
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
    return True
