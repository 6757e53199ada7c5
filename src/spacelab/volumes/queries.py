"""Reads about volumes: which ones a person sees, and from volumes to the mounts of a workload."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from spacelab.accounts.models import Person
from spacelab.accounts.queries import teams_of
from spacelab.kit.refusals import Invalid, NotFound, Unavailable
from spacelab.volumes import rules
from spacelab.volumes.listing import (
    MOST_SHOWN,
    entries,
    files_like,
    folder_own,
    open_own,
    readable_in_sessions,
    walk_own,
)
from spacelab.volumes.models import Volume
from spacelab.volumes.rules import Access, Entry, Kind, Mount

MOST_SUGGESTED = 100
"""Files that are suggested for a choice."""
MOST_ENTRIES = 20_000
"""Entries of a workspace among which notebooks are looked for."""
MOST_LOOKED_AT = 3000
"""Entries of a volume among which suggestions are looked for."""


def archives() -> QuerySet[Volume]:
    """List every archive volume, retired ones too, for operators."""
    return Volume.objects.filter(kind=Kind.ARCHIVE).order_by("name")


def visible_to(person: Person | AnonymousUser) -> QuerySet[Volume]:
    """List the archive volumes that the person may mount; a visitor sees only those that are for everyone."""
    allowed = Q(access=Access.EVERYONE)
    if isinstance(person, Person) and person.is_active:
        mine = Volume.objects.filter(Q(people=person) | Q(teams__in=teams_of(person)))
        allowed |= Q(pk__in=mine.values("pk"))
    return archives().filter(allowed, retired_at=None).order_by("domain", "title", "name")


def get_visible(person: Person | AnonymousUser, name: str) -> Volume:
    """Return the archive volume `name`; raise `NotFound`, alike for one that is unknown and one that is hidden."""
    try:
        return visible_to(person).get(name=name)
    except Volume.DoesNotExist:
        shown = name if len(name) <= 60 else f"{name[:57]}…"  # noqa: PLR2004  the longest name shown whole
        raise NotFound(
            f"There is no volume “{shown}” that you can use.",
            advice="Choose one from the list of data, or ask an operator for access.",
            field="volumes",
        ) from None


def get_archive(name: str) -> Volume:
    """Return the archive volume `name`, in use or retired, for operators; raise `NotFound` if there is none."""
    volume = archives().filter(name=name).first()
    if volume is None:
        raise NotFound(f"There is no archive volume “{name[:60]}”.", advice="Look at the list of archive volumes.")
    return volume


def uses_of(volume: Volume) -> list[rules.Use]:
    """List what preselects the volume, as the setting `VOLUME_USES` finds it: volumes know nothing of it themselves."""
    find = import_string(settings.VOLUME_USES)
    found: list[rules.Use] = find(volume.name)
    return found


def area_of(person: Person, kind: Kind) -> Volume:
    """Return the person's home or workspace; raise `Unavailable` if `actions.ensure_areas` never made it."""
    try:
        return Volume.objects.get(owner=person, kind=kind)
    except Volume.DoesNotExist:
        raise Unavailable("Your areas are not there yet.", advice="Try again in a moment.") from None


def mounts_for(person: Person, *, volumes: Sequence[str], teams: Sequence[str]) -> tuple[Mount, ...]:
    """Return what a workload of the person mounts: archives read-only, her own areas and her teams' for writing.

    Raises `NotFound` for a volume or team that is unknown or not hers, `Unavailable` when a folder is missing.
    """
    mounts = archive_mounts(person, volumes)
    for kind, target in ((Kind.HOME, rules.HOME), (Kind.WORKSPACE, rules.WORKSPACE)):
        area = area_of(person, kind)
        mounts.append(Mount(_existing(area), str(target), read_only=False, volume=str(kind)))
    for slug in dict.fromkeys(teams):
        area = _team_area(person, slug)
        mounts.append(Mount(_existing(area), str(rules.TEAM_ROOT / slug), read_only=False, volume=f"team {slug}"))
    return tuple(mounts)


def chosen_mounts(person: Person, *, volumes: Sequence[str], teams: Sequence[str]) -> tuple[Mount, ...]:
    """Return the mounts of what somebody chose in a form, as `mounts_for`; raise `Invalid` for what isn't hers."""
    try:
        return mounts_for(person, volumes=volumes, teams=teams)
    except NotFound as unknown:
        raise Invalid(unknown.message, advice=unknown.advice, field=unknown.field) from unknown


def place_of(person: Person, path: str, *, field: str) -> tuple[str, str]:
    """Return the volume and the team that a file belongs to, if the person may use them; else `Invalid` at `field`."""
    try:
        volume, team = rules.volume_and_team(path)
        if volume:
            get_visible(person, volume)
    except (Invalid, NotFound) as refusal:
        raise Invalid(refusal.message, advice=refusal.advice, field=field) from refusal
    return volume, team


def archive_mounts(person: Person, volumes: Sequence[str]) -> list[Mount]:
    """Return what a workload mounts of these archives; raises as `mounts_for`."""
    mounts: list[Mount] = []
    for name in dict.fromkeys(volumes):
        volume = get_visible(person, name)
        source = _existing(volume)
        mounts.extend(
            Mount(source, str(root / volume.name), read_only=True, volume=volume.name)
            for root in (rules.ARCHIVE_ROOT, rules.OLD_ARCHIVE_ROOT)
        )
    return mounts


def check_mounted(mounts: Sequence[Mount], path: str) -> None:
    """Raise `Invalid` unless `path`, as a workload with these mounts sees it, is a file or folder of one of them."""
    wanted = PurePosixPath(path)
    for mount in sorted(mounts, key=lambda one: len(one.target), reverse=True):
        if PurePosixPath(mount.target) in wanted.parents:
            root = Path(mount.source)
            try:
                found = rules.resolve_inside(root, str(wanted.relative_to(mount.target)))
                there = found.exists() and readable_in_sessions(root, found)
            except OSError:
                there = False
            if there:
                return
            raise Invalid(
                f"There is no “{path}”.",
                advice=f"Look for it in {mount.target}: the name counts, with capital and small letters.",
                field="path",
            )
    raise Invalid(f"“{path}” is in none of the volumes chosen.", advice="Choose its volume as well.", field="path")


def kind_at(mounts: Sequence[Mount], path: str) -> str:
    """Say what stands at `path`, as a workload with these mounts sees it: `File`, `Directory`, or an empty text."""
    wanted = PurePosixPath(path)
    for mount in sorted(mounts, key=lambda one: len(one.target), reverse=True):
        target = PurePosixPath(mount.target)
        if target == wanted or target in wanted.parents:
            root = Path(mount.source)
            try:
                found = rules.resolve_inside(root, str(wanted.relative_to(target)))
                if not readable_in_sessions(root, found):
                    return ""
                return "Directory" if found.is_dir() else "File" if found.is_file() else ""
            except (OSError, Invalid):
                return ""
    return ""


def places_of(person: Person) -> list[tuple[str, str]]:
    """List the places in which a person may choose files: the path in a workload and the title of each."""
    found = [(str(rules.WORKSPACE), "Your workspace")]
    found += [(str(rules.TEAM_ROOT / team.slug), f"Team {team.name}") for team in teams_of(person)]
    found += [(str(rules.ARCHIVE_ROOT / one.name), one.title or one.name) for one in visible_to(person)]
    return found


def browse(person: Person, path: str) -> list[Entry]:
    """List a folder as workloads see it, folders first, nothing hidden; `inside` is each entry's whole path there.

    Raises `Invalid` or `NotFound` for what is no folder of a volume, a team or the workspace that the person may use.
    """
    wanted = PurePosixPath(path)
    volume, team = rules.volume_and_team(str(wanted / "x"))
    if volume:
        get_visible(person, volume)
    mounts = mounts_for(person, volumes=[volume] if volume else [], teams=[team] if team else [])
    mount = next(one for one in mounts if PurePosixPath(one.target) in {wanted, *wanted.parents})
    inside = str(wanted.relative_to(mount.target)).removeprefix(".")
    root = Path(mount.source)
    if mount.read_only:
        found = entries(root, inside)
    else:
        own = folder_own(root, inside or ".", MOST_SHOWN)
        found = sorted((one for one in own if not one.name.startswith(".")), key=lambda one: not one.is_folder)
    return [replace(one, inside=str(wanted / one.name)) for one in found]


def results_in(person: Person, folder: str, most: int) -> list[Entry]:
    """List at most so many files below a folder of the person's workspace; empty if it can't be read."""
    try:
        return walk_own(Path(area_of(person, Kind.WORKSPACE).path), folder, most)
    except (Unavailable, OSError):
        return []


def folder_of(person: Person, kind: Kind, folder: str, most: int) -> list[Entry]:
    """List at most so many entries of one folder of the person's home or workspace; empty if it can't be read."""
    try:
        return folder_own(Path(area_of(person, kind).path), folder, most)
    except Unavailable:
        return []


def open_own_file(person: Person, kind: Kind, inside: str) -> BinaryIO:
    """Open a file of the person's home or workspace, following no link; raise `NotFound`, or `Invalid` for `..`."""
    return open_own(Path(area_of(person, kind).path), inside)


def read_own(person: Person, kind: Kind, inside: str, largest: int) -> bytes:
    """Return a file of the person's home or workspace; raise `NotFound`, or `Invalid` beyond so many bytes."""
    with open_own(Path(area_of(person, kind).path), inside) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise Invalid(f"“{inside[-100:]}” is larger than {largest // 2**20} MiB.", advice="Leave it out.")
    return content


def notebooks_of(person: Person, most: int) -> list[Entry]:
    """List at most so many notebooks of the person's workspace, by their paths; nothing hidden, nothing by a link."""
    found = []
    with suppress(Unavailable, OSError):
        root = Path(area_of(person, Kind.WORKSPACE).path)
        for path in files_like(root, ["ipynb"], most=most, entries=MOST_ENTRIES):
            with suppress(OSError):
                status = (root / path).lstat()
                if stat.S_ISREG(status.st_mode) and path.endswith(".ipynb"):
                    changed = datetime.fromtimestamp(status.st_mtime, UTC)
                    entry = Entry(
                        PurePosixPath(path).name, path, is_folder=False, size=status.st_size, changed_at=changed
                    )
                    found.append(entry)
    return found


def suggested_files(person: Person, volumes: Sequence[str], formats: Sequence[str]) -> list[str]:
    """List files of these archive volumes and of the person's workspace that fit, as paths inside a session."""
    roots = [(rules.ARCHIVE_ROOT / one.name, Path(one.path)) for one in visible_to(person) if one.name in volumes]
    with suppress(Unavailable):
        roots.append((rules.WORKSPACE, Path(area_of(person, Kind.WORKSPACE).path)))
    found: list[str] = []
    for target, root in roots:
        with suppress(OSError):
            files = files_like(root, formats, most=MOST_SUGGESTED, entries=MOST_LOOKED_AT)
            found += [str(target / file) for file in files]
    return found[:MOST_SUGGESTED]


def _team_area(person: Person, slug: str) -> Volume:
    try:
        return Volume.objects.get(kind=Kind.TEAM, team__in=teams_of(person), team__slug=slug)
    except Volume.DoesNotExist:
        raise NotFound(
            f"You are in no team “{slug[:60]}”.", advice="Choose one of your teams.", field="teams"
        ) from None


def _existing(volume: Volume) -> str:
    try:
        there = Path(volume.path).is_dir()
    except OSError:
        there = False
    if not there:
        raise Unavailable(
            f"The folder of “{volume.title}” is not reachable on this machine.",
            advice="Launch without it, or tell an operator.",
            field="volumes",
        )
    return volume.path
