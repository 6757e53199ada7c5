"""Names the content of a package by a hash."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def package_hash(folder: Path) -> str:
    """Return a SHA-256 over the files' names, contents and whether each is executable; times don't count.

    A link counts by where it leads to and is not followed; empty folders don't count.
    """
    digest = hashlib.sha256(b"datalab-package 1\n")
    for name, path in sorted((file.relative_to(folder).as_posix().encode(), file) for file in _files(folder)):
        if path.is_symlink():
            kind, content = b"link", hashlib.sha256(os.fsencode(path.readlink())).digest()
        else:
            kind = b"program" if path.stat().st_mode & 0o100 else b"file"
            with path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").digest()
        digest.update(b"%d %s %s %s\n" % (len(name), name, kind, content))
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    return [
        Path(root, name)
        for root, folders, names in os.walk(folder)
        for name in (*names, *(one for one in folders if Path(root, one).is_symlink()))
    ]
