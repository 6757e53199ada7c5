"""A list of a person's files below a field for paths: opened, walked and chosen from by plain buttons of the form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from spacelab.accounts.models import Person
from spacelab.kit.refusals import Refusal
from spacelab.volumes import actions as volume_actions
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import Entry


@dataclass(frozen=True)
class Browser:
    """What a list shows: the folder that is open (none: the places to begin at), what is in it, or why not."""

    key: str
    path: str
    places: tuple[tuple[str, str], ...] = ()
    entries: tuple[Entry, ...] = ()
    above: str = ""
    trouble: str = ""


def browse(person: Person, key: str, path: str) -> Browser:
    """Open the list below the field `key` at a path, or where that can't be, at the places to begin at."""
    volume_actions.ensure_areas(person=person)
    places = tuple(volume_queries.places_of(person))
    if not path:
        return Browser(key, "", places)
    try:
        entries = tuple(volume_queries.browse(person, path))
    except (Refusal, OSError) as refusal:
        return Browser(key, "", places, trouble=str(refusal))
    roots = {place for place, _ in places}
    return Browser(key, path, (), entries, "" if path in roots else str(PurePosixPath(path).parent))


def read_button(value: str) -> tuple[str, str]:
    """Return the field and the path that a button of the list names."""
    path, _, key = value.partition("|")
    return key, path


def picked(present: str, path: str, *, several: bool) -> str:
    """Return what stands in a field after a path was chosen."""
    if not several:
        return path
    lines = [line for line in present.replace("\r\n", "\n").split("\n") if line.strip()]
    return "\n".join(lines if path in lines else [*lines, path])
