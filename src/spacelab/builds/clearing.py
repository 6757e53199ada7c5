"""Removes what builds leave: folders that a hostile build made hard to remove, and packages that nobody names."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Collection
from pathlib import Path

PATIENCE = 600
"""Seconds that the removal of one folder may take."""
UNUSED_FOR = 1800.0
"""Seconds after which a package that no build and no version names is removed; an upload is planned in less."""


def remove(folder: Path) -> None:
    """Remove a folder that a workload wrote into: however deep, whatever its rights, following no link out of it."""
    if not _there(folder):
        return
    _run("rm", "-rf", "--one-file-system", "--", str(folder))
    if _there(folder):
        _run("chmod", "-R", "u+rwX", "--", str(folder))
        _run("rm", "-rf", "--one-file-system", "--", str(folder))


def _there(folder: Path) -> bool:
    return folder.is_symlink() or folder.exists()


def _run(*argv: str) -> None:
    # Python's own removal takes a frame and a descriptor for each level, so that deep folders stop it.
    subprocess.run(argv, check=False, capture_output=True, timeout=PATIENCE)


def remove_unused(root: Path, used: Collection[str]) -> int:
    """Remove the packages, and what was left of uploads, that have no name in `used` and are no longer new."""
    removed = 0
    for folder in root.iterdir() if root.is_dir() else ():
        facts = folder.lstat()
        if folder.name not in used and time.time() - max(facts.st_mtime, facts.st_ctime) > UNUSED_FOR:
            remove(folder)
            removed += 1
    return removed
