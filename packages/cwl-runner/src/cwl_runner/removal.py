"""Removing and moving what a job wrote, however it set its permissions, without following links."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any


def remove(path: str | Path) -> None:
    """Remove a file, link or folder with everything below it; nothing there is fine."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        Path(path).unlink(missing_ok=True)
        return
    shutil.rmtree(path, onerror=_open_up)


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
    for name in (str(Path(path).parent), path):
        if not Path(name).is_symlink() and Path(name).is_dir():
            Path(name).chmod(0o700)
    if function in (os.open, os.scandir, os.lstat):
        shutil.rmtree(path, ignore_errors=True)
    else:
        function(path)
