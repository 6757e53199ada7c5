"""Puts a datalab's notebooks where the person can change them, then becomes the command that follows.

Run as `notebooks.py <package> <folder> <command…>`: each notebook of the package, with what lies beside it, stands in
that folder of the workspace. What the person changed there is never overwritten: a newer one then comes beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

RECORD = ".shipped.json"
"""What was put there, by name and hash, so that the person's own changes are recognised."""
LARGEST = 256 * 2**20
LEFT_OUT = {".git", "Dockerfile", "datalab-meta.yml", "datalab-meta.yaml", "lab-meta.yml", "spacelab.yml"}


def digest(file: Path) -> str:
    """Return a file's hash; empty if there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def ship(package: Path, folder: Path) -> None:
    """Copy what is new, and what has changed in the package and not in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / RECORD
    try:
        before = dict(json.loads(record.read_text()))
    except (OSError, ValueError, TypeError):
        before = {}
    after = dict(before)
    for source in sorted(package.rglob("*")):
        name = source.relative_to(package).as_posix()
        if not source.is_file() or LEFT_OUT & set(name.split("/")) or source.stat().st_size > LARGEST:
            continue
        target, wanted = folder / name, digest(source)
        if before.get(name) == wanted and target.exists():
            continue
        if target.exists() and digest(target) not in {wanted, before.get(name)}:
            target = target.with_name(f"{target.stem} (new){target.suffix}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        after[name] = wanted
    record.write_text(json.dumps(after))


def main() -> None:
    """Ship the notebooks, say why if that fails, and go on in any case."""
    package, folder, *command = sys.argv[1:]
    try:
        ship(Path(package), Path(folder))
    except OSError as error:
        print(f"The datalab's notebooks can't be put into your workspace: {error}", flush=True)  # noqa: T201  the log
    os.execvp(command[0], command)  # noqa: S606  the datalab's own command, without a shell


if __name__ == "__main__":
    main()
