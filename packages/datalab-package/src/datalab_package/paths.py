"""Checks the names of files that come from outside before anything is written under them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from datalab_package.problems import PackageProblem

LONGEST_PART = 255
LONGEST_PATH = 1000
DEEPEST = 40
"""Bytes of a name and of a path, and folders in each other, that every file system here takes."""

JUNK = frozenset(
    {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".git", "__pycache__", ".ipynb_checkpoints", ".pytest_cache"}
    | {".venv", "node_modules", ".mypy_cache", ".ruff_cache"}
)
"""Files and folders that are left out wherever they stand: what systems and tools leave behind."""

_DRIVE = re.compile(r"[A-Za-z]:")


def shown(name: str) -> str:
    """Write a name so that a message can hold it, whatever it contains."""
    plain = "".join(letter if letter.isprintable() else "�" for letter in name)
    return f"“{plain}”" if len(plain) <= 120 else f"“{plain[:60]}…{plain[-50:]}”"  # noqa: PLR2004  fits into a line


def safe_path(name: str) -> PurePosixPath:
    """Return a file's path below its package; raise `PackageProblem` for a name that leads out or can't be written."""
    parts = name.replace("\\", "/").split("/")
    if parts[0] == "" or _DRIVE.match(name):
        raise _refused(name, "has an absolute path")
    if ".." in parts:
        raise _refused(name, "leads out of the package (“..”)")
    kept = [part for part in parts if part not in {"", "."}]
    if not kept:
        raise _refused(name, "has no name")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in name):
        raise _refused(name, "holds a control character in its name")
    long = [part for part in kept if len(part.encode()) > LONGEST_PART]
    if long or len("/".join(kept).encode()) > LONGEST_PATH or len(kept) > DEEPEST:
        raise _refused(name, "has too long a path")
    return PurePosixPath(*kept)


def is_junk(path: PurePosixPath) -> bool:
    """Say whether a file is one of those that systems and tools leave behind."""
    return not JUNK.isdisjoint(path.parts) or path.name.startswith("._")


def check_together(paths: Iterable[PurePosixPath]) -> None:
    """Raise `PackageProblem` if two paths are the same, differ in case only, or one is also the folder of another."""
    seen: dict[str, PurePosixPath] = {}
    for path in paths:
        key = _folded(path)
        if key in seen:
            how = "twice" if seen[key] == path else f"beside {shown(str(seen[key]))}, which differs in case only"
            raise PackageProblem(f"{shown(str(path))} is there {how}.", "Give each file its own name.", str(path))
        seen[key] = path
    for path in seen.values():
        for folder in path.parents:
            if folder.name and _folded(folder) in seen:
                raise PackageProblem(f"{shown(str(folder))} is both a file and a folder.", file=str(folder))


def _folded(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFC", str(path)).casefold()


def without_top_folder(paths: list[PurePosixPath]) -> list[PurePosixPath]:
    """Return the paths without the one folder that holds them all, if there is one."""
    tops = {path.parts[0] for path in paths}
    if len(tops) == 1 and all(len(path.parts) > 1 for path in paths):
        return [PurePosixPath(*path.parts[1:]) for path in paths]
    return paths


def _refused(name: str, what: str) -> PackageProblem:
    return PackageProblem(
        f"{shown(name)} {what}.", "Pack the folder again, from inside it, with plain relative names.", shown(name)
    )
