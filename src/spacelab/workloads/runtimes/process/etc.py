"""A copy of what workloads see of /etc, so that one mount shows it where each part would need one of its own."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

ETC = Path("/etc")
MADE_UP = ("passwd", "group", "hosts")
"""What each workload gets its own of: empty here, to be mounted over."""


def _found(parts: tuple[str, ...]) -> Iterator[Path]:
    """Go through all files and folders that there are of these parts, in order; links are not followed."""
    for part in parts:
        top = ETC / part
        if top.exists():
            yield top
        if top.is_dir() and not top.is_symlink():
            for folder, folders, files in os.walk(top):
                folders.sort()
                yield from (Path(folder, name) for name in sorted([*folders, *files]))


def _name(parts: tuple[str, ...]) -> str:
    """Name a copy by the state of what it is of, so that a change makes a new one and the old stays for who uses it."""
    state = hashlib.sha256()
    for path in _found(parts):
        found = path.lstat()
        state.update(f"{path} {found.st_mode} {found.st_size} {found.st_mtime_ns}\n".encode())
    return f".etc-{state.hexdigest()[:16]}"


def _copy(parts: tuple[str, ...], target: Path) -> None:
    tops = {ETC / part for part in parts}
    for path in _found(parts):
        copy = target / path.relative_to(ETC)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() and path in tops:
            shutil.copyfile(path, copy)  # as a mount would show it
        elif path.is_symlink():
            copy.symlink_to(path.readlink())
        elif path.is_dir():
            copy.mkdir(exist_ok=True)
        elif os.access(path, os.R_OK):
            shutil.copyfile(path, copy)
            copy.chmod(path.stat().st_mode & 0o755)
    for name in MADE_UP:
        (target / name).touch()


@functools.cache
def prepared(run_directory: Path, parts: tuple[str, ...]) -> Path:
    """Return a folder with these parts of /etc, made once for each state that they are in; raise `OSError` on failure.

    Looked at once for each start of the platform.
    """
    folder = run_directory / _name(parts)
    if not folder.is_dir():
        fresh = Path(tempfile.mkdtemp(prefix=".etc-", dir=run_directory))
        try:
            fresh.chmod(0o755)
            _copy(parts, fresh)
            fresh.rename(folder)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not folder.is_dir():
                raise
    return folder
