"""Decisions about volumes: their names, where they appear inside a workload, and which paths stay inside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath

from spacelab.kit.refusals import Invalid

VOLUME_NAME = r"^[a-z0-9][a-z0-9_-]{0,58}[a-z0-9]$"
VOLUME_NAME_ADVICE = "Use 2 to 60 lower-case letters, digits, hyphens or underscores; it names the folder below /data."
RESERVED_NAMES = frozenset({"user"})
"""`/data/user` is the older root of the same volumes, so no volume may take that name."""

ARCHIVE_ROOT = PurePosixPath("/data")
OLD_ARCHIVE_ROOT = PurePosixPath("/data/user")
WORKSPACE = PurePosixPath("/media/user")
HOME = PurePosixPath("/media/home")
TEAM_ROOT = PurePosixPath("/media/team_workspaces")
SCRATCH = PurePosixPath("/scratch")
RESULTS = "results"
"""The folder of a workspace below which batch work leaves what it made."""


class Kind(StrEnum):
    """What a volume is for."""

    ARCHIVE = "archive"
    WORKSPACE = "workspace"
    HOME = "home"
    TEAM = "team"
    SCRATCH = "scratch"


class Access(StrEnum):
    """Who may mount an archive volume."""

    EVERYONE = "everyone"
    RESTRICTED = "restricted"


@dataclass(frozen=True)
class Mount:
    """A folder of the host at a path inside a workload. `volume` is the name people know it by."""

    source: str
    target: str
    read_only: bool = True
    volume: str = ""


@dataclass(frozen=True)
class Entry:
    """One file or folder. `inside` is its path below the volume."""

    name: str
    inside: str
    is_folder: bool
    size: int
    changed_at: datetime


@dataclass(frozen=True)
class Use:
    """Something that builds on a volume: what it is called, and the address of its page."""

    title: str
    address: str


def check_volume_name(name: str) -> None:
    """Raise `Invalid` unless `name` can name an archive volume."""
    if not re.fullmatch(VOLUME_NAME, name) or name in RESERVED_NAMES:
        shown = name if len(name) <= 60 else f"{name[:57]}…"  # noqa: PLR2004  the longest name shown whole
        raise Invalid(f"“{shown}” can't name a volume.", advice=VOLUME_NAME_ADVICE, field="name")


def volume_and_team(path: str) -> tuple[str, str]:
    """Return the archive volume or the team that a path inside a workload belongs to, each empty if it is not one's.

    Raises `Invalid` unless the path is absolute, without `..`, and below one of the places where volumes stand.
    """
    wanted = PurePosixPath(path)
    shown = path if len(path) <= 200 else f"{path[:197]}…"  # noqa: PLR2004  the longest path shown whole
    unfit = not path.startswith("/") or ".." in wanted.parts or any(ord(letter) < ord(" ") for letter in path)
    roots = (OLD_ARCHIVE_ROOT, ARCHIVE_ROOT, TEAM_ROOT, WORKSPACE, HOME)
    root = next((one for one in roots if one in wanted.parents), None)
    if unfit or root is None:
        raise Invalid(
            f"“{shown}” is in no volume.",
            advice="Name a file below /data/<volume>, /media/user or /media/team_workspaces/<team>.",
            field="path",
        )
    name = wanted.relative_to(root).parts[0]
    if root in {ARCHIVE_ROOT, OLD_ARCHIVE_ROOT}:
        return name, ""
    return "", name if root == TEAM_ROOT else ""


def resolve_inside(root: Path, relative: str) -> Path:
    """Return the real path of `relative` below `root`; raise `Invalid` where `..` or a symbolic link leads out."""
    real_root = root.resolve()
    candidate = (real_root / relative).resolve()
    if candidate != real_root and real_root not in candidate.parents:
        raise Invalid(
            f"“{relative}” leads out of its volume.", advice="Name a file or folder inside the volume.", field="path"
        )
    return candidate
