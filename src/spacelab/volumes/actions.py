"""Every write of volumes: people's areas, archives declared and retired, archives made from real data."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person, Team
from spacelab.accounts.queries import require, teams_of
from spacelab.audit import actions as audit
from spacelab.audit.actions import Actor, System
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, NotFound, Refusal
from spacelab.volumes import areas, making
from spacelab.volumes.declarations import Declaration, parse_declaration, read_declaration
from spacelab.volumes.listing import folder_own
from spacelab.volumes.models import Volume
from spacelab.volumes.permissions import VolumePermission
from spacelab.volumes.queries import area_of
from spacelab.volumes.rules import HOME, RESULTS, WORKSPACE, Kind, Mount

SYSTEM = System("volumes")
FACTS = tuple(field.name for field in fields(Declaration) if field.name not in {"name", "people", "teams"})
"""The fields that a declaration and the volume's row share."""


def _owner() -> int | None:
    """Name the user id that areas belong to, or None when the platform is not root and they are its own."""
    return settings.SPACELAB.workload_uid if os.geteuid() == 0 else None


def _folder(*parts: str, mode: int) -> Path:
    try:
        return areas.make_area(settings.VOLUMES_DIRECTORY, *parts, mode=mode, owner=_owner())
    except OSError as error:
        raise Conflict(
            f"The area {'/'.join(parts)} can't be made: {error.strerror}.", advice="Tell an operator."
        ) from error


def make_passing_areas(folder: Path) -> tuple[Mount, ...]:
    """Make a home and a workspace below `folder` that are nobody's, for a workload after which they are removed."""
    mounts = []
    for kind, target in ((Kind.HOME, HOME), (Kind.WORKSPACE, WORKSPACE)):
        made = areas.make_area(folder, str(kind), mode=areas.PRIVATE_MODE, owner=_owner())
        mounts.append(Mount(str(made), str(target), read_only=False, volume=str(kind)))
    return tuple(mounts)


def hand_over(*folders: Path) -> None:
    """Give all below these folders to the user that workloads run as, before anything runs there."""
    owner = _owner()
    if owner is None:
        return
    for folder in folders:
        for _parent, names, files, descriptor in os.fwalk(folder):
            for name in (*names, *files):
                os.chown(name, owner, owner, dir_fd=descriptor, follow_symlinks=False)


@transaction.atomic
def ensure_areas(*, person: Person) -> None:
    """Create the person's home and workspace, and her teams' areas, where they are missing."""
    for kind in (Kind.HOME, Kind.WORKSPACE):
        folder = _folder("people", person.username, str(kind), mode=areas.PRIVATE_MODE)
        volume, created = Volume.objects.get_or_create(
            owner=person,
            kind=kind,
            defaults={"name": f"{kind}.{person.pk}", "path": str(folder), "title": f"{kind} of {person}"[:200]},
        )
        if created:
            if kind == Kind.HOME:
                areas.link_home(folder, _owner())
            audit.record(by=person, action="volumes.make-area", subject=f"volume:{volume.name}")
        _moved(volume, folder)
    for team in teams_of(person):
        ensure_team_area(by=person, team=team)


def make_results_folder(*, by: Person, name: str) -> str:
    """Create the folder `results/<name>` in the person's workspace; return it as her workloads see it.

    Raises `Invalid` where something else than a folder stands in its way.
    """
    try:
        areas.make_folder(Path(area_of(by, Kind.WORKSPACE).path), RESULTS, name, owner=_owner())
    except OSError as error:
        raise Invalid(
            f"No folder for the results can be made in your workspace: {error.strerror}.",
            advice=f"“{RESULTS}” in your workspace has to be a folder, and no link.",
        ) from error
    audit.record(by=by, action="volumes.make-results", subject=f"folder:{RESULTS}/{name}")
    return str(WORKSPACE / RESULTS / name)


def make_output_folder(*, by: Person, folder: str) -> str:
    """Create a folder of the person's workspace for outputs, each part if missing; return it as workloads see it.

    `folder` is relative, without `..`. Raises `Invalid` where something is in it already, or stands in its way.
    """
    root = Path(area_of(by, Kind.WORKSPACE).path)
    try:
        areas.make_folder(root, *folder.split("/"), owner=_owner())
    except OSError as error:
        raise Invalid(
            f"The folder “{folder}” can't be made in your workspace: {error.strerror}.",
            advice="Each part of it has to be a folder, and no link.",
            field="results",
        ) from error
    if folder_own(root, folder, 1):
        raise Invalid(
            f"There is something in “{folder}” already.", advice="Name a new or an empty folder.", field="results"
        )
    audit.record(by=by, action="volumes.make-results", subject=f"folder:{folder}")
    return str(WORKSPACE / folder)


def put_files(
    *, by: Person, folder: str, files: Mapping[str, bytes], links: Mapping[str, str], folders: Sequence[str] = ()
) -> None:
    """Put files, links and empty folders into a folder of the person's workspace, which is made where it is missing.

    Names are relative, without `..`; a name that is taken keeps what it has. Raises `Invalid` where something else than
    a folder stands in the way. `links` leads to paths as her workloads see them: nothing here follows one.
    """
    root = Path(area_of(by, Kind.WORKSPACE).path)
    try:
        for name in (*files, *links):
            areas.make_folder(root, *folder.split("/"), *name.split("/")[:-1], owner=_owner())
        for name in folders:
            areas.make_folder(root, *folder.split("/"), *name.split("/"), owner=_owner())
        for name, content in files.items():
            areas.put_file(root, *folder.split("/"), *name.split("/"), content=content, owner=_owner())
        for name, target in links.items():
            areas.put_link(root, *folder.split("/"), *name.split("/"), target=target, owner=_owner())
    except OSError as error:
        raise Invalid(
            f"The folder “{folder}” of your workspace can't be filled: {error.strerror}.",
            advice="Each part of it has to be a folder, and no link.",
        ) from error
    audit.record(by=by, action="volumes.put-files", subject=f"folder:{folder}")


def ensure_team_area(*, by: Actor, team: Team) -> None:
    """Create the team's area where it is missing."""
    folder = _folder("teams", team.slug, mode=areas.SHARED_MODE)
    volume, created = Volume.objects.get_or_create(
        team=team,
        kind=Kind.TEAM,
        defaults={"name": f"team.{team.pk}", "path": str(folder), "title": f"Area of {team}"[:200]},
    )
    if created:
        audit.record(by=by, action="volumes.make-area", subject=f"volume:{volume.name}")
    _moved(volume, folder)


def _moved(volume: Volume, folder: Path) -> None:
    """Follow the state directory to where it is now, e.g. after a restore on another machine."""
    if volume.path != str(folder):
        Volume.objects.filter(pk=volume.pk).update(path=str(folder))


def declare_archive(
    *, by: Actor, declaration: Declaration | Mapping[str, Any], new: bool = False
) -> dict[str, tuple[str, str]]:
    """Create or change one archive volume as declared; return what changed: field → (before, after), empty if nothing.

    Raises `Invalid` for a declaration that can't hold, `Conflict` if it must be `new` and the name is taken,
    `Forbidden` for somebody who may not manage volumes.
    """
    if isinstance(by, Person):
        require(by, VolumePermission.MANAGE)
    wanted = declaration if isinstance(declaration, Declaration) else parse_declaration(declaration)
    check_archive_path(wanted.path)
    _refuse_to_demo_people(by, wanted.path)
    people, teams = _named(wanted)
    with transaction.atomic():
        volume = Volume.objects.select_for_update().filter(name=wanted.name).first()
        if new and volume is not None:
            raise Conflict(f"There is a volume “{wanted.name}” already.", advice="Choose another name.", field="name")
        _check_unclaimed(wanted.name, wanted.path, volume)
        before = _state(volume)
        after = _declared(wanted)
        changes = {key: (before.get(key, ""), after[key]) for key in after if before.get(key, "") != after[key]}
        if not changes:
            return {}
        if volume is None:
            volume = Volume(name=wanted.name, kind=Kind.ARCHIVE)
        for key in FACTS:
            setattr(volume, key, str(getattr(wanted, key)))
        volume.retired_at = None
        volume.size_bytes = areas.measure(wanted.path)
        volume.save()
        volume.people.set(people)
        volume.teams.set(teams)
        audit.record(
            by=by,
            action="volumes.declare",
            subject=f"volume:{volume.name}",
            changes={key: list(pair) for key, pair in changes.items()},
        )
    return changes


def _declared(wanted: Declaration) -> dict[str, str]:
    facts = {key: str(getattr(wanted, key)) for key in FACTS}
    return {
        **facts,
        "people": ", ".join(sorted(wanted.people)),
        "teams": ", ".join(sorted(wanted.teams)),
        "retired": "",
    }


def _state(volume: Volume | None) -> dict[str, str]:
    if volume is None:
        return {"retired": "not there yet"}
    return {
        **{key: str(getattr(volume, key)) for key in FACTS},
        "people": ", ".join(volume.people.order_by("username").values_list("username", flat=True)),
        "teams": ", ".join(sorted(volume.teams.values_list("slug", flat=True))),
        "retired": "retired" if volume.retired_at else "",
    }


def _named(wanted: Declaration) -> tuple[list[Person], list[Team]]:
    people = list(Person.objects.filter(username__in=wanted.people))
    teams = list(Team.objects.filter(slug__in=wanted.teams))
    unknown = [
        *(
            ("people", f"person “{name[:60]}”")
            for name in wanted.people
            if name not in {one.username for one in people}
        ),
        *(("teams", f"team “{slug[:60]}”") for slug in wanted.teams if slug not in {one.slug for one in teams}),
    ]
    for field, which in unknown:
        raise Invalid(f"There is no {which}.", advice="Name people and teams that exist.", field=field)
    return people, teams


def check_archive_path(path: Path) -> None:
    """Raise `Invalid` unless `path` is a folder that may be shown to people: not the platform's own state."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise Invalid(
            f"There is no folder {path}.", advice="Create or mount it on this machine first.", field="path"
        ) from None
    if not real.is_dir():
        raise Invalid(f"{path} is not a folder.", advice="Name the folder that holds the archive.", field="path")
    state = settings.SPACELAB.state.resolve()
    own = making.archives_directory(state)
    inside_state = real == state or state in real.parents
    if (inside_state and own not in real.parents) or real in state.parents:
        raise Invalid(
            f"{path} would show the platform's own state.",
            advice=f"Name a folder outside {state}, or one below {own}.",
            field="path",
        )


def _refuse_to_demo_people(by: Actor, path: Path) -> None:
    """Raise `Forbidden` when a demo person names a folder of the host: anybody on this machine can be one."""
    own = making.archives_directory(settings.SPACELAB.state.resolve())
    if isinstance(by, Person) and by.is_demo and own not in path.resolve().parents:
        raise Forbidden(
            "Demo people can't show folders of this machine.",
            advice="Add an operator with `spacelab person`, and sign in as that one.",
        )


def _check_unclaimed(name: str, path: Path, volume: Volume | None) -> None:
    if volume is not None and volume.kind != Kind.ARCHIVE:
        raise Invalid(f"“{name}” names an area already.", advice="Choose another name.", field="name")
    other = Volume.objects.filter(kind=Kind.ARCHIVE, path=str(path), retired_at=None)
    twin = other.exclude(name=name).first()
    if twin is not None:
        raise Invalid(f"{path} is the volume “{twin.name}” already.", advice="Retire that one first.", field="path")


@transaction.atomic
def retire_archive(*, by: Actor, name: str) -> Volume:
    """Take an archive volume out of use. Nothing on disk changes; sessions that mount it keep it until they end."""
    if isinstance(by, Person):
        require(by, VolumePermission.MANAGE)
    volume = _archive(name)
    if volume.retired_at:
        raise Conflict(f"“{name}” is retired already.", advice="Declare it again to bring it back.")
    volume.retired_at = timezone.now()
    volume.save(update_fields=["retired_at"])
    audit.record(by=by, action="volumes.retire", subject=f"volume:{name}")
    return volume


@transaction.atomic
def bring_back_archive(*, by: Actor, name: str) -> Volume:
    """Take a retired archive volume into use again, as it was; raise `Invalid` if its folder is no longer there."""
    if isinstance(by, Person):
        require(by, VolumePermission.MANAGE)
    volume = _archive(name)
    if not volume.retired_at:
        raise Conflict(f"“{name}” is in use.", advice="Only a retired volume can be brought back.")
    check_archive_path(Path(volume.path))
    _check_unclaimed(name, Path(volume.path), volume)
    volume.retired_at = None
    volume.save(update_fields=["retired_at"])
    audit.record(by=by, action="volumes.bring-back", subject=f"volume:{name}")
    return volume


def _archive(name: str) -> Volume:
    volume = Volume.objects.select_for_update().filter(name=name, kind=Kind.ARCHIVE).first()
    if volume is None:
        raise NotFound(f"There is no archive volume “{name[:60]}”.", advice="Look at the list of archive volumes.")
    return volume


def apply_declarations(directory: Path, *, by: Actor = SYSTEM) -> dict[str, dict[str, tuple[str, str]]]:
    """Declare each `*.yml` of `directory`; return the changes by volume. Nothing happens if there is no such folder.

    Raises `Invalid`, after the good ones are applied, naming each file that was refused and why.
    """
    changed: dict[str, dict[str, tuple[str, str]]] = {}
    refused: list[str] = []
    seen: dict[str, str] = {}
    for file in sorted((*directory.glob("*.yml"), *directory.glob("*.yaml"))):
        try:
            declaration = read_declaration(file)
            if declaration.name in seen:
                raise Invalid(f"{file.name}: “{declaration.name}” is declared in {seen[declaration.name]} too.")
            seen[declaration.name] = file.name
            changes = declare_archive(by=by, declaration=declaration)
        except Refusal as refusal:
            said = refusal.message if file.name in refusal.message else f"{file.name}: {refusal.message}"
            refused.append(f"{said} {refusal.advice}".strip())
            continue
        if changes:
            changed[declaration.name] = changes
    if refused:
        raise Invalid(" · ".join(refused), advice="Correct these files; the others are applied.")
    return changed


def archives_missing() -> bool:
    """Say quickly whether one of the shipped archives has to be made, or made anew, or declared."""
    recipes = making.recipes(settings.CATALOGUE_DIRECTORY)
    known = set(Volume.objects.filter(kind=Kind.ARCHIVE).values_list("name", "path"))
    root = making.archives_directory(settings.SPACELAB.state)
    return any(making.is_stale(one, root) or (one.name, str(root / one.name)) not in known for one in recipes)


def make_archives(progress: Callable[[str], None] = lambda _text: None) -> None:
    """Make the shipped archives that are missing or of an older recipe, and declare them; idempotent.

    A shipped archive that an operator retired, or restricted to some, stays so.
    """
    root = making.archives_directory(settings.SPACELAB.state)
    for recipe in making.recipes(settings.CATALOGUE_DIRECTORY):
        if making.is_stale(recipe, root):
            making.make(recipe, root, progress)
        known = Volume.objects.filter(name=recipe.name).first()
        if known is None:
            declaration = parse_declaration({**recipe.facts, "name": recipe.name, "path": str(root / recipe.name)})
            declare_archive(by=SYSTEM, declaration=declaration)
        elif known.kind == Kind.ARCHIVE and (making.is_below(Path(known.path), recipe.name)):
            known.path = str(root / recipe.name)
            known.size_bytes = areas.measure(root / recipe.name)
            known.save(update_fields=["path", "size_bytes"])


def seal_archives() -> None:
    """Make the archives that the platform made unwritable by file permissions, where no mount protects them."""
    root = making.archives_directory(settings.SPACELAB.state)
    for recipe in making.recipes(settings.CATALOGUE_DIRECTORY):
        if (root / recipe.name).is_dir():
            making.seal(root / recipe.name)
