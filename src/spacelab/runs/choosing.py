"""From what somebody asks for to what will run: each choice checked, and then the workload's specification."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings

from spacelab.accounts.models import Person, Team
from spacelab.accounts.queries import teams_of
from spacelab.kit.refusals import Invalid, NotFound
from spacelab.runs import queries
from spacelab.runs.folders import cache_folder, run_folder
from spacelab.runs.job_order import Named, UnfitJobError, named_files, normalised
from spacelab.runs.models import Run
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import Mount
from spacelab.workloads.rules import Kind, Network, PipelineRun, Profile, Resources, WorkloadSpec, profile_named

TITLE_LENGTH = 120
LARGEST_BUNDLE = 5 * 2**20
LARGEST_JOB = 2**20
MOST_FILES = 500
FILE_NAME = re.compile(r"[^/\0]{1,200}(/[^/\0]{1,200}){0,20}")
RESULTS_FOLDER = re.compile(r"[^/\0\x01-\x1f]{1,100}(/[^/\0\x01-\x1f]{1,100}){0,9}")


@dataclass(frozen=True)
class Source:
    """What is to be run: the documents with the facts that pages show, and the environments of their software."""

    slug: str
    title: str
    files: Mapping[str, str]
    main: str
    version: str = ""
    is_test: bool = False
    environments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for, unchecked. `results` is a folder of her workspace; empty: a new one for this run."""

    job: Mapping[str, Any]
    profile: str
    volumes: Sequence[str] = ()
    teams: Sequence[str] = ()
    shown_to: str = ""
    """The team that may look at the run."""
    title: str = ""
    results: str = ""
    only_step: str = ""


@dataclass(frozen=True)
class Choices:
    """What somebody chose, checked: all of it exists, and she may use it."""

    job: dict[str, Any]
    profile: Profile
    volumes: tuple[str, ...]
    teams: tuple[str, ...]
    shown_to: Team | None
    title: str
    results: str
    only_step: str
    mounts: tuple[Mount, ...]


def choose(by: Person, source: Source, wanted: Wanted) -> Choices:
    """Check what is asked for; raise `Invalid` naming the field at fault: `inputs.<name>` for an input of the job."""
    check_bundle(source)
    try:
        job = normalised(wanted.job)
        files = named_files(job)
    except UnfitJobError as unfit:
        raise Invalid(unfit.message, advice=unfit.advice, field=f"inputs.{_input_of(unfit.where)}") from unfit
    try:
        size = len(json.dumps(job, ensure_ascii=False, allow_nan=False))
    except ValueError as error:
        told = "The job order holds a number that JSON has not, such as NaN."
        raise Invalid(told, advice="Leave it out, or write it as a text.", field="job") from error
    if size > LARGEST_JOB:
        raise Invalid("The job order is too large.", advice="Name a folder instead of many files.", field="job")
    volumes, teams = list(wanted.volumes), list(wanted.teams)
    for one in files:
        volume, team = volume_queries.place_of(
            by, f"{one.path}/x" if one.is_folder else one.path, field=f"inputs.{one.input}"
        )
        volumes += [volume] if volume else []
        teams += [team] if team else []
    mounts = volume_queries.chosen_mounts(by, volumes=volumes, teams=teams)
    for one in files:
        _check_there(mounts, one)
    return Choices(
        job=job,
        profile=profile_named(wanted.profile or queries.profiles()[0].name, queries.profiles()),
        volumes=tuple(dict.fromkeys(volumes)),
        teams=tuple(dict.fromkeys(teams)),
        shown_to=_team(by, wanted.shown_to),
        title=_title(wanted.title) or _cleaned(source.title)[:TITLE_LENGTH] or "Run",
        results=_results(wanted.results),
        only_step=wanted.only_step,
        mounts=mounts,
    )


def _input_of(where: str) -> str:
    return re.split(r"[.\[]", where, maxsplit=1)[0]


def check_bundle(source: Source) -> None:
    """Raise `Invalid` unless the documents have names that can be files of one folder, and are of a bounded size."""
    names = list(source.files)
    for name in names:
        parts = PurePosixPath(name).parts
        if not FILE_NAME.fullmatch(name) or {".", ".."} & {*name.split("/")} or name.startswith("/") or not parts:
            raise Invalid(f"“{name[:100]}” can't name a document.", advice="Rename it.", field="files")
    if any(name != other and other.startswith(f"{name}/") for name in names for other in names):
        raise Invalid("A document and a folder have the same name.", advice="Rename one of them.", field="files")
    if len(names) > MOST_FILES or sum(len(text) for text in source.files.values()) > LARGEST_BUNDLE:
        raise Invalid("The pipeline's documents are too large.", advice="Keep them below 5 MB.", field="files")
    if source.main.partition("#")[0] not in source.files:
        raise Invalid(f"There is no document “{source.main[:100]}”.", advice="Name one that is there.", field="main")


def _check_there(mounts: Sequence[Mount], named: Named) -> None:
    found, wanted = volume_queries.kind_at(mounts, named.path), "Directory" if named.is_folder else "File"
    if found != wanted:
        told = f"is a {found}, and a {wanted} is wanted" if found else "is not there"
        advice = "Look for it again: the name counts, with capital and small letters."
        raise Invalid(f"“{named.path[:200]}” {told}.", advice=advice, field=f"inputs.{named.input}")


def _team(by: Person, slug: str) -> Team | None:
    if not slug:
        return None
    found = teams_of(by).filter(slug=slug).first()
    if found is None:
        raise Invalid(f"You are in no team “{slug[:60]}”.", advice="Choose one of your teams.", field="shown_to")
    return found


def _cleaned(title: str) -> str:
    """Return a title as one line: that of a document may hold anything."""
    return " ".join("".join(one if one.isprintable() else " " for one in title).split())


def _title(title: str) -> str:
    cleaned = _cleaned(title)
    if len(cleaned) > TITLE_LENGTH:
        raise Invalid(f"The title has {len(cleaned)} characters.", advice=f"Use at most {TITLE_LENGTH}.", field="title")
    return cleaned


def _results(folder: str) -> str:
    wanted = folder.strip().removeprefix("/media/user/").strip("/")
    parts = wanted.split("/")
    if wanted and (not RESULTS_FOLDER.fullmatch(wanted) or any(part.startswith(".") for part in parts)):
        raise Invalid(
            f"“{folder[:100]}” can't be the folder of the outputs.",
            advice="Name a folder of your workspace, such as results/first-try; no part may begin with a dot.",
            field="results",
        )
    return wanted


def digest_of(files: Mapping[str, str]) -> str:
    """Return the SHA-256 of documents' names and texts."""
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()


def spec_for(run: Run, workload_id: str, mounts: Sequence[Mount]) -> WorkloadSpec:
    """Describe the workload that carries one attempt of a run."""
    found = run.resources
    cache = cache_folder(run.owner.username)
    cache.mkdir(parents=True, exist_ok=True, mode=0o711)
    return WorkloadSpec(
        id=workload_id,
        owner=run.owner.username,
        kind=Kind.BATCH,
        command=(),
        variables={"SPACELAB_URL": settings.SPACELAB.portal_url, "SPACELAB_RUN": run.pk},
        mounts=tuple(mounts),
        resources=Resources(cpu=found["cpu"], memory_mb=found["memory_mb"], scratch_mb=found["scratch_mb"]),
        network=Network(found["network"]),
        deadline_seconds=settings.SPACELAB.run_hours * 3600,
        run=PipelineRun.of(str(run_folder(run.pk)), str(cache), run.environments),
    )


def still_usable(by: Person, volumes: Sequence[str], teams: Sequence[str]) -> tuple[list[str], list[str]]:
    """Keep of these volumes and teams those that the person may still use."""
    kept_volumes, kept_teams = [], []
    for name in volumes:
        with suppress(NotFound):
            volume_queries.get_visible(by, name)
            kept_volumes.append(name)
    mine = set(teams_of(by).values_list("slug", flat=True))
    kept_teams = [slug for slug in teams if slug in mine]
    return kept_volumes, kept_teams
