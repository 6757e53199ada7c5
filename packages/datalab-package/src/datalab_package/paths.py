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


JOINERS = "\u200c\u200d"
"""Persian, several Indic scripts and drawn people need these two."""
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that show nothing (Unicode's Default_Ignorable_Code_Point, and the empty Braille pattern)."""


def _hides(letter: str) -> bool:
    """Say whether a character controls something, can't be seen, or turns the direction of what follows."""
    kind = unicodedata.category(letter)
    return kind in {"Cc", "Cs", "Zl", "Zp"} or (kind == "Cf" and letter not in JOINERS) or letter in INVISIBLE


def _escaped(letter: str) -> str:
    return f"\\x{ord(letter):02x}" if ord(letter) < 0x100 else f"\\u{ord(letter):04x}"  # noqa: PLR2004  one byte


def shown(name: str) -> str:
    """Write a name so that a message can hold it, whatever it contains."""
    plain = "".join(_escaped(letter) if _hides(letter) or not letter.isprintable() else letter for letter in name)
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
    if any(_hides(letter) for letter in name):
        what = "holds a control character in its name, or one that can't be seen"
        raise _refused(name, what, "Rename it: what is shown here after a backslash has to go.")
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
    seen = "".join(letter for letter in str(path) if letter not in JOINERS)
    return unicodedata.normalize("NFC", seen).casefold()


def without_top_folder(paths: list[PurePosixPath]) -> list[PurePosixPath]:
    """Return the paths without the one folder that holds them all, if there is one."""
    tops = {path.parts[0] for path in paths}
    if len(tops) == 1 and all(len(path.parts) > 1 for path in paths):
        return [PurePosixPath(*path.parts[1:]) for path in paths]
    return paths


PACK_AGAIN = "Pack the folder again, from inside it, with plain relative names."


def _refused(name: str, what: str, advice: str = PACK_AGAIN) -> PackageProblem:
    return PackageProblem(f"{shown(name)} {what}.", advice, shown(name))
