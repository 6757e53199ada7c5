"""Reads about sessions: whose they are, what they use of the quota, what a person chose last, what a page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may
from spacelab.builds import queries as build_queries
from spacelab.datalabs import queries as datalab_queries
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.rules import Thread
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, NotFound
from spacelab.sessions.models import KeptLog, LaunchChoice, Session
from spacelab.sessions.permissions import SessionPermission
from spacelab.sessions.rules import Amount, IdlePolicy, end_of_idleness, idle_deadline
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import OLD_ARCHIVE_ROOT, Entry, Mount
from spacelab.workloads import queries as workload_queries
from spacelab.workloads.queries import capabilities
from spacelab.workloads.rules import FINAL, Phase, Profile, WorkloadSpec

RECENT = 20
"""Ended sessions that the list shows."""

MOST_RESULTS = 200
"""Files of a thread's results that a page lists."""

NO_SUCH_SESSION = NotFound("There is no such session.", advice="Look at the list of your sessions.")


def profiles() -> tuple[Profile, ...]:
    """List the resource profiles, smallest first."""
    return tuple(settings.SPACELAB.profiles)


def idle_policy() -> IdlePolicy:
    """Return the platform's rule for idle sessions."""
    return IdlePolicy(
        limit=timedelta(minutes=settings.SPACELAB.idle_minutes),
        warning=timedelta(minutes=settings.SPACELAB.idle_warning_minutes),
    )


def thread_hours() -> int:
    """Say for how many hours a processing thread may run."""
    return int(settings.SPACELAB.thread_hours)


def quota() -> Amount:
    """Say what one person's sessions may take together."""
    wanted = settings.SPACELAB
    return Amount(sessions=wanted.quota_sessions, cpu=wanted.quota_cpu, memory_mb=wanted.quota_memory_mb)


def sessions() -> QuerySet[Session]:
    """List all sessions, newest first, with what pages show of them."""
    return Session.objects.select_related("workload", "owner", "version__datalab", "restarted_as").order_by(
        "-workload__created_at"
    )


def running(person: Person | None = None) -> QuerySet[Session]:
    """List the sessions that have not ended, newest first, of one person or of everybody."""
    found = sessions().exclude(workload__phase__in=FINAL)
    return found if person is None else found.filter(owner=person)


def running_of(version: DatalabVersion) -> QuerySet[Session]:
    """List the sessions of a version that have not ended, or are about to be launched again."""
    return sessions().filter(version=version).filter(~Q(workload__phase__in=FINAL) | Q(restart_wanted=True))


def recent(person: Person, limit: int = RECENT) -> QuerySet[Session]:
    """List a person's ended sessions, newest first; those that were restarted live on in the list of the running."""
    return sessions().filter(owner=person, workload__phase__in=FINAL, restarted_as=None)[:limit]


def used_by(person: Person, *, leaving_out: str = "") -> Amount:
    """Sum up what the person's sessions take of her quota; one that waits for its restart still holds its part."""
    found = Session.objects.filter(owner=person).filter(~Q(workload__phase__in=FINAL) | Q(restart_wanted=True))
    used = Amount()
    for spec in found.exclude(pk=leaving_out).values_list("workload__spec", flat=True):
        used = used.plus(Amount(1, spec["resources"]["cpu"], spec["resources"]["memory_mb"]))
    return used


def find_own(person: Person, session_id: str) -> Session:
    """Find one of the person's own sessions; raise `NotFound` for anything else."""
    found = sessions().filter(pk=session_id, owner=person).first()
    if found is None:
        raise NO_SUCH_SESSION
    return found


def find_seen(person: Person, session_id: str) -> Session:
    """Find a session that the person may see: her own, or any for an operator; raise `NotFound` for anything else."""
    found = sessions().filter(pk=session_id).first()
    if found is None or (found.owner_id != person.pk and not may(person, SessionPermission.MANAGE_ANY)):
        raise NO_SUCH_SESSION
    return found


def find_datalab(person: Person, slug: str) -> Datalab:
    """Find a datalab of which the person may launch a version; raise `NotFound` if there is none."""
    return datalab_queries.datalab(slug, person)


def launchable_versions(person: Person, datalab: Datalab) -> list[DatalabVersion]:
    """List the versions that the person may launch, newest first, then drafts."""
    return list(datalab_queries.launchable_by(person).filter(datalab=datalab))


def version_named(person: Person, datalab: Datalab, wanted: str | None) -> DatalabVersion:
    """Return the version called so, or the newest that can run here; raise `Invalid` if it can't be launched."""
    offered = launchable_versions(person, datalab)
    if not offered:
        raise Forbidden(
            f"{datalab.title} is in the archive, and your role may not launch what is there.",
            advice="Ask its author or an operator.",
        )
    if not wanted:
        return datalab_queries.preferred(offered)
    for one in offered:
        if one.version == wanted:
            return one
    names = ", ".join(one.version for one in offered)
    raise Invalid(
        f"{datalab.title} has no version “{str(wanted)[:40]}” that can be launched.",
        advice=f"Choose one of: {names}.",
        field="version",
    )


def inputs_in_words(session: Session) -> dict[str, str]:
    """Return the inputs of a thread's run by the titles that its form shows; by their names where it has gone."""
    threads = datalab_queries.threads_of(session.version) if session.thread and session.version else []
    titles = {one.name: one.title for thread in threads if thread.name == session.thread for one in thread.inputs}
    return {titles.get(name, name): value for name, value in session.inputs.items()}


def thread_named(version: DatalabVersion, name: str) -> Thread:
    """Return the version's processing thread called so; raise `NotFound` if it has none."""
    for thread in datalab_queries.threads_of(version):
        if thread.name == name:
            return thread
    raise NotFound(
        f"{version} has no processing thread “{name[:60]}”.", advice="Look at the datalab's page.", field="thread"
    )


def package_of(version: DatalabVersion) -> Path | None:
    """Return the folder of the version's package on this host; None where there is none."""
    return build_queries.package_of(version)


def last_choice(person: Person, datalab: Datalab) -> LaunchChoice | None:
    """Return what the person chose when she last launched this datalab."""
    return LaunchChoice.objects.filter(person=person, datalab=datalab).first()


def check_isolation(person: Person) -> None:
    """Raise `Conflict` where sessions can't be kept apart and somebody else already uses the platform."""
    if capabilities().isolation != "none":
        return
    if Session.objects.exclude(owner=person).exists():
        raise Conflict(
            "Sessions can't be kept apart on this host, so it serves one person only, and somebody else has begun.",
            advice="Ask the operator to install bubblewrap; `spacelab doctor` says what the host lacks.",
        )


@dataclass(frozen=True)
class Share:
    """One part of the quota, as a meter shows it."""

    title: str
    used: float
    total: float
    unit: str = ""

    @property
    def free(self) -> float:
        return max(self.total - self.used, 0)

    @property
    def nearly(self) -> float:
        """From where the meter warns."""
        return self.total * 0.75

    @property
    def full(self) -> float:
        """From where the meter alarms."""
        return self.total * 0.99


def shares(person: Person) -> list[Share]:
    """List the parts of the person's quota with what is used of them."""
    total, used = quota(), used_by(person)
    return [
        Share("Sessions", used.sessions, total.sessions),
        Share("CPU", used.cpu, total.cpu, "cores"),
        Share("Memory", round(used.memory_mb / 1024, 2), round(total.memory_mb / 1024, 2), "GiB"),
    ]


def spec_of(session: Session) -> WorkloadSpec:
    """Return what the session runs."""
    return WorkloadSpec.from_json(session.workload.spec)


def mounts_of(session: Session) -> list[Mount]:
    """List the volumes of a session with where they stand inside, each once: archives have an older root as well."""
    mounts = [mount for mount in spec_of(session).mounts if mount.volume]
    return [mount for mount in mounts if not mount.target.startswith(f"{OLD_ARCHIVE_ROOT}/")]


def log_since(session: Session, since: int = 0) -> bytes:
    """Return what a session printed, from byte `since` on; of an ended one, the end that was kept."""
    kept = KeptLog.objects.filter(session=session).first()
    if kept is None:
        return workload_queries.log_since(session.id, since)
    return bytes(kept.text)[max(since - kept.start, 0) :]


def log_tail(session: Session, limit: int) -> str:
    """Return the last `limit` bytes that a session printed, as text that begins with a whole line."""
    return workload_queries.tail_of(log_since(session), limit)


def with_log_to_keep() -> QuerySet[Session]:
    """List the ended sessions whose logs are still the runtime's."""
    return sessions().filter(workload__held=True, workload__phase__in=FINAL)


def results_of(session: Session) -> list[Entry]:
    """List the files that a processing thread has left in its owner's workspace."""
    return volume_queries.results_in(session.owner, session.results, MOST_RESULTS) if session.results else []


def url_of(session: Session) -> str:
    """Return the address of the session's interface at its own origin; empty if it has none."""
    interface = session.workload.spec["interface"]
    if not interface:
        return ""
    portal = urlsplit(settings.SPACELAB.portal_url)
    port = f":{portal.port}" if portal.port else ""
    path = interface["path"].replace("{id}", session.id)
    return f"{portal.scheme}://{session.id}.{settings.SPACELAB.apps_domain}{port}{path}"


@dataclass(frozen=True)
class Idleness:
    """What the rule for idle sessions says of one: since when it is idle, when it ends, and whether it was warned."""

    active_at: datetime
    because: str
    ends_at: datetime
    warned: bool

    @property
    def words(self) -> str:
        """The last activity in words."""
        return {"launched": "it was launched", "browser": "a browser tab was open on it"}.get(
            self.because, self.because
        )


def activity_of(session: Session) -> tuple[datetime, str]:
    """Return the session's last activity and what it was: a visit, or what the controller saw of its work."""
    worked_at = session.workload.active_at
    if worked_at is not None and worked_at > session.active_at:
        return worked_at, "it was computing"
    return session.active_at, session.active_because


def idleness_of(session: Session) -> Idleness | None:
    """Say how long the session may still be idle; None unless it is running, or if it works by itself."""
    if session.workload.phase != Phase.RUNNING or session.thread:
        return None
    policy = idle_policy()
    active_at, because = activity_of(session)
    warned = session.warned_at is not None and session.warned_at >= active_at
    ends_at = (
        end_of_idleness(active_at, session.keep_until, session.warned_at, policy)
        if warned
        else idle_deadline(active_at, session.keep_until, policy.limit)
    )
    return Idleness(active_at, because, ends_at, warned)


def warned(person: Person) -> list[Session]:
    """List the person's sessions that are about to be stopped for idleness."""
    found = running(person).filter(workload__phase=Phase.RUNNING, warned_at__isnull=False)
    return [one for one in found if (idleness := idleness_of(one)) and idleness.warned]


def to_restart() -> QuerySet[Session]:
    """List the ended sessions whose owners wait for their restart, oldest first."""
    return sessions().filter(restart_wanted=True, workload__phase__in=FINAL).order_by("workload__created_at")
