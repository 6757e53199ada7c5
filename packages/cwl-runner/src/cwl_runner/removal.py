"""Removing and moving what a job wrote, however it set its permissions, without following links."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

TOO_DEEP = (errno.ENAMETOOLONG, errno.EMFILE)
"""What folders far below each other give: a path too long, or one descriptor for each of them."""


def remove(path: str | Path) -> None:
    """Remove a file, link or folder with everything below it; nothing there is fine."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        Path(path).unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path, onerror=_open_up)
    except (RecursionError, OSError) as failure:
        if isinstance(failure, OSError) and failure.errno not in TOO_DEEP:
            raise
        _raise_all(str(path))
        shutil.rmtree(path, onerror=_open_up)


def _raise_all(top: str) -> None:
    """Move every folder that lies deeper to the top: paths to it may be too long, and recursion too deep."""
    count = 0
    waiting = _folders(top)
    while waiting:
        folder = waiting.pop()
        for below in _folders(folder):
            count += 1
            raised = f"{top}/.raised-{count}"
            os.rename(below, raised)  # noqa: PTH104 - texts
            waiting.append(raised)


def _folders(path: str) -> list[str]:
    """List the folders in a folder, with their owner's rights given back."""
    os.chmod(path, 0o700)  # noqa: PTH101 - as above
    found = [entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    for each in found:
        os.chmod(each, 0o700)  # noqa: PTH101 - as above
    return found


def move(source: str, target: str) -> None:
    """Move a folder, also to another mount: then it is copied, links as links, and the source stays."""
    try:
        os.rename(source, target)  # noqa: PTH104 - for every job
    except OSError as failure:
        if failure.errno != errno.EXDEV:
            raise
        shutil.copytree(source, target, symlinks=True)


def _open_up(function: Callable[..., Any], path: str, problem: Any) -> None:
    """Give a folder its owner's rights back and try again."""
    if isinstance(problem[1], FileNotFoundError):
        return
    if problem[1].errno in TOO_DEEP:
        raise problem[1]
    for name in (str(Path(path).parent), path):
        if not Path(name).is_symlink() and Path(name).is_dir():
            Path(name).chmod(0o700)
    if function in (os.open, os.scandir, os.lstat):
        shutil.rmtree(path, ignore_errors=True)
    else:
        function(path)
