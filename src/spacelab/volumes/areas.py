"""Making the folders of people and teams without following anybody's symbolic link."""

from __future__ import annotations

import os
from pathlib import Path

PARENT_MODE = 0o711
"""Others may pass through to what is theirs, and not look around."""
PRIVATE_MODE = 0o700
SHARED_MODE = 0o2770

HOME_LINKS = {"my_workspace": "/media/user", "team_workspaces": "/media/team_workspaces"}
"""Names below home under which older datalabs and notebooks look for a person's areas."""


def make_area(root: Path, *parts: str, mode: int, owner: int | None) -> Path:
    """Create the folder `root/parts…` where missing, give it `mode` and, if given, the owner's user id; return it.

    Every step opens the folder relative to its parent and refuses a symbolic link (`OSError`).
    """
    root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            try:
                os.mkdir(part, PRIVATE_MODE, dir_fd=descriptor)
                fresh = True
            except FileExistsError:
                fresh = False
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
            if last and owner is not None:
                os.fchown(descriptor, owner, owner)
            if last or fresh:
                os.fchmod(descriptor, mode if last else PARENT_MODE)
    finally:
        os.close(descriptor)
    return root.joinpath(*parts)


def make_folder(root: Path, *parts: str, owner: int | None) -> None:
    """Create the folder `root/parts…` in a person's area, each new part hers, following no link (`OSError`)."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for part in parts:
            try:
                os.mkdir(part, 0o755, dir_fd=descriptor)
                fresh = True
            except FileExistsError:
                fresh = False
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
            if fresh and owner is not None:
                os.fchown(descriptor, owner, owner)
    finally:
        os.close(descriptor)


def link_home(home: Path, owner: int | None) -> None:
    """Put the usual links into a new home; what a person has there under these names stays."""
    descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for name, target in HOME_LINKS.items():
            try:
                os.symlink(target, name, dir_fd=descriptor)
            except FileExistsError:
                continue
            if owner is not None:
                os.chown(name, owner, owner, dir_fd=descriptor, follow_symlinks=False)
    finally:
        os.close(descriptor)


def measure(folder: Path, *, most_entries: int = 200_000) -> int | None:
    """Return the bytes of all files below `folder`, without following links; None when there are too many to count."""
    total = entries = 0
    for parent, _folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        del parent
        for name in files:
            entries += 1
            if entries > most_entries:
                return None
            try:
                total += os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_size
            except OSError:
                continue
    return total


def _open_parent(root: Path, parts: tuple[str, ...]) -> int:
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    for part in parts[:-1]:
        try:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def put_file(root: Path, *parts: str, content: bytes, owner: int | None) -> None:
    """Write the file `root/parts…` in a person's area, following no link; one that is there stays as it is."""
    descriptor = _open_parent(root, parts)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(parts[-1], flags, 0o644, dir_fd=descriptor), "wb") as file:
            if owner is not None:
                os.fchown(file.fileno(), owner, owner)
            file.write(content)
    except FileExistsError:
        return
    finally:
        os.close(descriptor)


def put_link(root: Path, *parts: str, target: str, owner: int | None) -> None:
    """Make `root/parts…` in a person's area a link to `target`; a name that is taken stays as it is."""
    descriptor = _open_parent(root, parts)
    try:
        os.symlink(target, parts[-1], dir_fd=descriptor)
        if owner is not None:
            os.chown(parts[-1], owner, owner, dir_fd=descriptor, follow_symlinks=False)
    except FileExistsError:
        return
    finally:
        os.close(descriptor)
