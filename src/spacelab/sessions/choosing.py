"""From what somebody asks for to what will run: each choice checked, and then the workload's specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from django.conf import settings

from spacelab.accounts.models import Person
from spacelab.builds import queries as build_queries
from spacelab.datalabs import queries as datalab_queries
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.rules import Opens, Thread, clean_inputs
from spacelab.kit.refusals import Conflict, Invalid
from spacelab.sessions import queries, rules
from spacelab.sessions.opened import OpenedJob
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import Mount
from spacelab.workloads.queries import capabilities
from spacelab.workloads.rules import Interface, Kind, Network, Profile, Resources, WorkloadSpec, profile_named

PACKAGE_TARGET = "/opt/datalab"
"""Where a session finds its datalab's package."""


AGAIN = "The datalab's maintainer or an operator can have that done by the button on the page to launch it."


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for, unchecked. `opens` None: what the datalab opens by itself."""

    datalab: str
    profile: str
    version: str | None = None
    volumes: Sequence[str] = ()
    teams: Sequence[str] = ()
    title: str = ""
    opens: Sequence[str] | None = None
    thread: str = ""
    inputs: Mapping[str, object] = field(default_factory=dict)
    job: OpenedJob | None = None
    """The job of a run that it has at hand."""


@dataclass(frozen=True)
class Choices:
    """What somebody chose for a launch, checked: all of it exists, and she may use it."""

    version: DatalabVersion
    profile: Profile
    volumes: tuple[str, ...]
    teams: tuple[str, ...]
    title: str
    opens: tuple[str, ...]
    thread: Thread | None
    inputs: dict[str, str]
    mounts: tuple[Mount, ...]
    job: OpenedJob | None = None


def choose(by: Person, wanted: Wanted) -> Choices:
    """Check what is asked for; raise `Invalid` or `Conflict` naming the field at fault. The person's areas are there.

    The volumes and team areas of files that are named are mounted, chosen or not.
    """
    datalab = queries.find_datalab(by, wanted.datalab)
    version = queries.version_named(by, datalab, wanted.version)
    if trouble := datalab_queries.trouble_of(version):
        advice = "Choose another version, or ask an operator."
        raise Conflict(f"{version} can't be launched here. {trouble}", advice=advice, field="version")
    if absence := build_queries.absence_of(version):
        advice = "" if absence.under_way else AGAIN if absence.source else "Choose another version, or ask an operator."
        raise Conflict(f"{version} has to be built again here. {absence.in_words}", advice=advice, field="version")
    thread = queries.thread_named(version, wanted.thread) if wanted.thread else None
    inputs = clean_inputs(thread, wanted.inputs) if thread else {}
    files = dict.fromkeys(wanted.opens or (), "open")
    for one in thread.inputs if thread else ():
        if one.type == "file" and inputs[one.name]:
            files[inputs[one.name]] = f"inputs.{one.name}"
    volumes, teams = list(wanted.volumes), list(wanted.teams)
    for path, at in files.items():
        volume, team = volume_queries.place_of(by, path, field=at)
        volumes += [volume] if volume else []
        teams += [team] if team else []
    mounts = volume_queries.chosen_mounts(by, volumes=volumes, teams=teams)
    for path, at in files.items():
        _check_there(mounts, path, at)
    return Choices(
        version=version,
        profile=profile_named(wanted.profile, queries.profiles()),
        volumes=tuple(dict.fromkeys(volumes)),
        teams=tuple(dict.fromkeys(teams)),
        title=rules.clean_title(wanted.title) or (f"{datalab.title}: {thread.title}" if thread else datalab.title),
        opens=_opens(version, wanted, mounts),
        thread=thread,
        inputs=inputs,
        mounts=(*mounts, *(wanted.job.mounts(by) if wanted.job else ())),
        job=wanted.job,
    )


def _check_there(mounts: Sequence[Mount], path: str, at: str) -> None:
    try:
        volume_queries.check_mounted(mounts, path)
    except Invalid as refusal:
        raise Invalid(refusal.message, advice=refusal.advice, field=at) from refusal


def _opens(version: DatalabVersion, wanted: Wanted, mounts: Sequence[Mount]) -> tuple[str, ...]:
    if wanted.opens is not None:
        return tuple(dict.fromkeys(wanted.opens))
    return () if wanted.thread else tuple(still_there(mounts, Opens.from_json(version.opens).default))


def still_there(mounts: Sequence[Mount], paths: Sequence[str]) -> list[str]:
    """Keep of these paths those that a workload with these mounts would find."""
    kept = []
    for path in paths:
        try:
            volume_queries.check_mounted(mounts, path)
        except Invalid:
            continue
        kept.append(path)
    return kept


def spec_for(by: Person, choices: Choices, session_id: str, results: str = "") -> WorkloadSpec:
    """Describe the workload: the application with its interface, or a processing thread with its inputs and `results`.

    A runtime of images gets the image, which holds the package; any other gets the environment, and the package beside.
    """
    version, profile, thread = choices.version, choices.profile, choices.thread
    images = capabilities().images
    package = None if images else queries.package_of(version)
    return WorkloadSpec(
        id=session_id,
        owner=by.username,
        kind=Kind.BATCH if thread else Kind.INTERACTIVE,
        command=thread.command_line if thread else tuple(version.command),
        environment="" if images else version.environment,
        image=version.image if images else "",
        variables=_variables(choices, session_id, results),
        mounts=choices.mounts if package is None else (*choices.mounts, Mount(str(package), PACKAGE_TARGET)),
        resources=Resources(cpu=profile.cpu, memory_mb=profile.memory_mb, scratch_mb=profile.scratch_mb),
        interface=None if thread else _interface(choices),
        network=Network(profile.network),
        deadline_seconds=queries.thread_hours() * 3600 if thread else None,
        activity_probe="" if thread else version.activity_probe,
    )


def _interface(choices: Choices) -> Interface:
    """Return the application's interface; a JupyterLab opens the first of the files, and so stands in its folder."""
    found = Interface(**choices.version.interface)
    first = next(iter(choices.opens), "")
    if choices.version.activity_probe != "jupyter" or not found.path.endswith("/lab") or not first:
        return found
    return replace(found, path=f"{found.path}/tree{quote(first)}")


def _variables(choices: Choices, session_id: str, results: str) -> dict[str, str]:
    version, portal = choices.version, settings.SPACELAB.portal_url
    known = {
        **version.variables,
        "DATALAB_NAME": version.datalab.slug,
        "DATALAB_ID": session_id,
        "DATALABS_URL": portal,
        "SPACELAB_URL": portal,
    }
    if choices.opens:
        known["SPACELAB_OPEN"] = "\n".join(choices.opens)
    if choices.thread:
        known |= {one.variable: choices.inputs[one.name] for one in choices.thread.inputs}
        known |= {"SPACELAB_THREAD": choices.thread.name, "OUTPUT_DIR": results}
    return known
