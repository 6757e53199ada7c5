"""Removes what builds leave: folders that a hostile build made hard to remove, and packages that nobody names."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from spacelab.kit.folders import remove

__all__ = ["remove", "remove_unused"]

UNUSED_FOR = 1800.0
"""Seconds after which a package that no build and no version names is removed; an upload is planned in less."""


def remove_unused(root: Path, used: Collection[str]) -> int:
    """Remove the packages, and what was left of uploads, that have no name in `used` and are no longer new."""
    removed = 0
    for folder in root.iterdir() if root.is_dir() else ():
        facts = folder.lstat()
        if folder.name not in used and time.time() - max(facts.st_mtime, facts.st_ctime) > UNUSED_FOR:
            remove(folder)
            removed += 1
    return removed
