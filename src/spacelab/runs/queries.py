"""Reads about runs: whose they are and who sees them, what they take, which ones need attention, what jobs printed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

from django.conf import settings
from django.db.models import F, Min, Q, QuerySet

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, teams_of
from spacelab.kit.refusals import Conflict, NotFound, Refusal
from spacelab.runs.models import Run, RunJob, SavedLaunch
from spacelab.runs.permissions import RunPermission
from spacelab.runs.rules import FINAL, UNFINISHED, JobState, Room, State
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import Entry
from spacelab.volumes.rules import Kind as VolumeKind
from spacelab.workloads import queries as workloads
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import FINAL as ENDED
from spacelab.workloads.rules import Profile

MOST_RESULTS = 500
"""Files of a run's outputs that a page lists."""

NO_SUCH_FILE = NotFound("There is no such file.", advice="Look at the list of the run's files.")
NO_SUCH_RUN = NotFound("There is no such run.", advice="Look at the list of your runs.")


def profiles() -> tuple[Profile, ...]:
    """List the resource profiles, smallest first."""
    return tuple(settings.SPACELAB.profiles)


def runs() -> QuerySet[Run]:
    """List all runs, newest first, with what lists show of them."""
    heavy = ("log", "outputs", "problems", "job", "environments")
    return Run.objects.select_related("workload", "owner", "team").defer(*heavy).order_by("-created_at")


def visible_to(person: Person) -> QuerySet[Run]:
    """List the runs that the person may look at: her own, and those shown to her teams."""
    return runs().filter(Q(owner=person) | Q(team__in=teams_of(person)))


def unfinished(person: Person) -> QuerySet[Run]:
    """List the person's runs that are at work or waiting."""
    return runs().filter(owner=person, state__in=UNFINISHED)


def unfinished_of(slug: str, number: str) -> QuerySet[Run]:
    """List everybody's runs of a pipeline's version that are at work or waiting."""
    return runs().filter(pipeline_slug=slug, version_number=number, state__in=UNFINISHED)


def find_own(person: Person, run_id: str) -> Run:
    """Find one of the person's own runs; raise `NotFound` for anything else."""
    found = Run.objects.select_related("workload", "owner", "team").filter(pk=run_id, owner=person).first()
    if found is None:
        raise NO_SUCH_RUN
    return found


def find_seen(person: Person, run_id: str) -> Run:
    """Find a run that the person may see: her own, her team's, or any for an operator; else raise `NotFound`."""
    found = Run.objects.select_related("workload", "owner", "team").filter(pk=run_id).first()
    if found is None or not may_see(person, found):
        raise NO_SUCH_RUN
    return found


def may_see(person: Person, run: Run) -> bool:
    """Say whether the person may look at a run."""
    if run.owner_id == person.pk or may(person, RunPermission.MANAGE_ANY):
        return True
    return run.team_id is not None and teams_of(person).filter(pk=run.team_id).exists()


def may_stop(person: Person, run: Run) -> bool:
    """Say whether the person may end a run: its owner, and operators."""
    return run.owner_id == person.pk or may(person, RunPermission.MANAGE_ANY)


def may_open(person: Person, run: Run) -> bool:
    """Say whether the person may open the files that a run left: its owner, and the team that it is shown to."""
    return run.owner_id == person.pk or (run.team_id is not None and teams_of(person).filter(pk=run.team_id).exists())


def open_result(person: Person, run: Run, path: str) -> BinaryIO:
    """Open a file of a run's folder of outputs, following no link; raise `NotFound` for all that can't be opened."""
    if not run.results or not may_open(person, run):
        raise NO_SUCH_FILE
    try:
        return volume_queries.open_own_file(run.owner, VolumeKind.WORKSPACE, f"{run.results}/{path}")
    except Refusal:
        raise NO_SUCH_FILE from None


def comparable(person: Person, run: Run, most: int = 20) -> list[Run]:
    """List other runs of the same pipeline that the person may see, newest first."""
    found = visible_to(person).filter(pipeline_slug=run.pipeline_slug).exclude(pk=run.pk)
    return list(found[:most])


def last_of(person: Person, slug: str, only_step: str = "") -> Run | None:
    """Find the person's newest run of a pipeline, of the whole of it or of one step alone."""
    return runs().filter(owner=person, pipeline_slug=slug, only_step=only_step).defer(None).defer("log").first()


def find_job(run: Run, job: str) -> RunJob:
    """Find a job of a run by its name; raise `NotFound` if there is none."""
    found = run.jobs.filter(job=job).first()
    if found is None:
        raise NotFound("There is no such job in this run.", advice="Look at the run's page.")
    return found


def jobs_of(run: Run, step: str = "") -> QuerySet[RunJob]:
    """List the jobs of a run, or of one of its steps, in the order in which they began."""
    found = run.jobs.order_by("number")
    return found.filter(step=step) if step else found


def failed_jobs(run: Run, most: int = 20) -> list[RunJob]:
    """List jobs that failed, the first ones first: what follows from them comes later."""
    return list(run.jobs.filter(state=JobState.FAILED).order_by("ended_at", "number")[:most])


def to_follow() -> QuerySet[Run]:
    """List the runs with which the controller is not done yet, oldest first."""
    return Run.objects.select_related("workload").filter(followed=True).defer("log", "job").order_by("created_at")


def waiting() -> QuerySet[Run]:
    """List the runs that wait for their turn, oldest first."""
    return (
        Run.objects.select_related("workload", "owner")
        .filter(state=State.QUEUED, begun__lt=F("attempt"))
        .filter(Q(workload=None) | Q(workload__phase__in=ENDED))
        .order_by("created_at")
    )


def at_work(person: Person | None = None) -> QuerySet[Run]:
    """List the runs that have a workload which has not ended, of one person or of everybody."""
    found = Run.objects.filter(workload__isnull=False).exclude(workload__phase__in=ENDED)
    return found if person is None else found.filter(owner=person)


def known_folders() -> frozenset[str]:
    """List the runs whose folders are kept."""
    return frozenset(Run.objects.filter(cleaned_at=None).values_list("pk", flat=True))


def in_use_since(username: str) -> datetime | None:
    """Return when the oldest of a person's runs at work was submitted; None while none is."""
    found = at_work().filter(owner__username=username).aggregate(first=Min("workload__created_at"))
    first: datetime | None = found["first"]
    return first


def allowed_room() -> Room:
    """Say what one person's runs may take, together with all else that runs for her."""
    wanted = settings.SPACELAB
    return Room(runs=wanted.quota_runs, cpu=wanted.quota_cpu, memory_mb=wanted.quota_memory_mb)


def used_room(person: Person) -> Room:
    """Sum up what is at work for a person: her runs, and the cores and memory of her sessions, builds and runs."""
    cpu, memory_mb = 0.0, 0
    for spec in Workload.objects.filter(owner=person).exclude(phase__in=ENDED).values_list("spec", flat=True):
        cpu += spec["resources"]["cpu"]
        memory_mb += spec["resources"]["memory_mb"]
    return Room(runs=at_work(person).count(), cpu=cpu, memory_mb=memory_mb)


def are_isolated() -> bool:
    """Say whether runs are kept apart on this host, and their steps within them."""
    return workloads.capabilities().isolation != "none"


def check_isolation(person: Person) -> None:
    """Raise `Conflict` where workloads can't be kept apart and somebody else already uses the platform."""
    if are_isolated():
        return
    if Workload.objects.exclude(owner=person).exists():
        raise Conflict(
            "Runs can't be kept apart on this host, so it serves one person only, and somebody else has begun.",
            advice="Ask the operator to install bubblewrap; `spacelab doctor` says what the host lacks.",
        )


def log_of(run: Run, limit: int) -> str:
    """Return the end of what the coordinator itself printed, as text."""
    if run.workload is not None and run.workload.held:
        return workloads.log_tail(run.workload.pk, limit)
    return workloads.tail_of(bytes(run.log), limit)


def results_of(run: Run) -> list[Entry]:
    """List the files that a run has left in its owner's workspace."""
    return volume_queries.results_in(run.owner, run.results, MOST_RESULTS) if run.results else []


def saved_launches(person: Person, slug: str = "") -> QuerySet[SavedLaunch]:
    """List what a person saved to launch again, of one pipeline or of all, by name."""
    found = SavedLaunch.objects.filter(person=person).order_by("pipeline_slug", "name")
    return found.filter(pipeline_slug=slug) if slug else found


def find_saved(person: Person, slug: str, name: str) -> SavedLaunch:
    """Find a launch that the person saved; raise `NotFound` if there is none of that name."""
    found = SavedLaunch.objects.filter(person=person, pipeline_slug=slug, name=name).first()
    if found is None:
        raise NotFound("You saved no launch of that name.", advice="Look at the list beside the form.")
    return found


def ended_before(moment: object, most: int) -> Sequence[Run]:
    """List ended runs whose folders are older than the retention, oldest first."""
    found = Run.objects.filter(state__in=FINAL, followed=False, cleaned_at=None, ended_at__lt=moment)
    return list(found.order_by("ended_at")[:most])
