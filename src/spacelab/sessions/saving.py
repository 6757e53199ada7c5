"""What a session leaves that a datalab can be made of: packages that its owner installed, notebooks in her workspace.

The files are hers, and a session of hers may change them at any moment: each is opened once, and no link is followed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from spacelab.accounts.models import Person
from spacelab.builds import queries as build_queries
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import Invalid, NotFound
from spacelab.sessions import queries
from spacelab.sessions.models import Session
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import Entry, Kind
from spacelab.workloads.rules import personal_environment

MOST_PACKAGES = 500
"""Installed packages that one draft takes over."""
MOST_RECORDS = 5000
"""Entries of a folder of packages that are looked at."""
MOST_NOTEBOOKS = 50
"""Notebooks that one draft takes over."""
MOST_LISTED = 300
"""Notebooks of a workspace that the form offers."""
LARGEST_NOTEBOOK = 20 * 2**20
LARGEST_TOGETHER = 50 * 2**20
ORIGIN_FILE, LARGEST_ORIGIN = "direct_url.json", 64 * 1024
"""The file that says where a package came from that is of no index (PEP 610), and the bytes that are read of it."""
PYTHON = re.compile(r"-py3\.\d{1,2}")


@dataclass(frozen=True)
class Packages:
    """What somebody installed: project → the line that installs it again, and those that can't be had again."""

    pins: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def personal_packages(session: Session) -> Packages:
    """Find what the session's owner has installed for its datalab; raise `Invalid` for more than a draft takes."""
    owner, overlay = session.owner, personal_environment(queries.spec_of(session))
    parent, _, name = overlay.rpartition("/")
    there = [
        folder
        for one in volume_queries.folder_of(owner, Kind.HOME, parent, MOST_RECORDS)
        if one.is_folder and one.name.startswith(name) and PYTHON.fullmatch(one.name.removeprefix(name))
        for folder in _site_packages(owner, one)
    ]
    if not there:
        return Packages()
    newest = max(there, key=lambda one: one.changed_at)
    listed = volume_queries.folder_of(owner, Kind.HOME, newest.inside, MOST_RECORDS)
    names = [one.name for one in listed if one.is_folder and one.name.endswith(".dist-info")]
    if len(names) > MOST_PACKAGES:
        raise Invalid(
            f"There are {len(names)} packages installed in this datalab, and a draft takes over {MOST_PACKAGES}.",
            advice="Uninstall what is not needed, or write a requirements.txt.",
        )
    return Packages(*build_queries.lines_for({one: _origin(owner, f"{newest.inside}/{one}") for one in names}))


def _site_packages(owner: Person, overlay: Entry) -> list[Entry]:
    python = overlay.name.rpartition("-py")[2]
    library = f"{overlay.inside}/lib/python{python}"
    found = volume_queries.folder_of(owner, Kind.HOME, library, MOST_RECORDS)
    return [one for one in found if one.is_folder and one.name == "site-packages"]


def _origin(owner: Person, record: str) -> str | None:
    """Return what a package's record says of where it came from; None if from the index, as nearly all do."""
    try:
        told = volume_queries.read_own(owner, Kind.HOME, f"{record}/{ORIGIN_FILE}", LARGEST_ORIGIN)
    except NotFound:
        return None
    except Invalid:
        return ""
    return told.decode("utf-8", "replace")


def offered_notebooks(person: Person) -> list[Entry]:
    """List the notebooks of the person's workspace, those that she changed last first."""
    found = volume_queries.notebooks_of(person, MOST_LISTED)
    return sorted(found, key=lambda one: one.changed_at, reverse=True)


def read_notebooks(person: Person, paths: Sequence[str]) -> dict[str, bytes]:
    """Read these notebooks of the person's workspace; raise `Invalid` for too many, too large or what is none."""
    wanted = list(dict.fromkeys(paths))
    if len(wanted) > MOST_NOTEBOOKS:
        raise _at(f"{len(wanted)} notebooks are chosen.", f"A draft takes {MOST_NOTEBOOKS} at once.")
    files: dict[str, bytes] = {}
    room = LARGEST_TOGETHER
    for path in wanted:
        if not path.endswith(".ipynb"):
            raise _at(f"“{path[-100:]}” is no notebook.", "Other files can be added to the draft.")
        try:
            content = volume_queries.read_own(person, Kind.WORKSPACE, path, LARGEST_NOTEBOOK)
        except (Invalid, NotFound) as refusal:
            raise _at(f"{path[-100:]}: {refusal.message}", refusal.advice) from refusal
        room -= len(content)
        if room < 0:
            raise _at("Together they are too large.", f"A draft takes {LARGEST_TOGETHER // 2**20} MiB of notebooks.")
        files[path] = content
    return files


def _at(message: str, advice: str) -> Invalid:
    return Invalid(message, advice=advice, field="notebooks")


def takes_files(version: DatalabVersion) -> bool:
    """Say whether the datalab's own files go along: not where JupyterLab shows notebooks, of which she chooses hers."""
    return (version.kind or version.datalab.kind) != "jupyter"
