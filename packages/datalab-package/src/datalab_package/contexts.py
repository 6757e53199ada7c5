"""Lays out the folder that an image is built from."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from datalab_package.dockerfile_writing import INSIDE
from datalab_package.own_dockerfiles import DOCKERFILE
from datalab_package.plans import Plan

ALWAYS = 946684800
"""The time that every file gets (the first second of 2000, UTC), so that equal content is equal to every cache."""


def write_context(folder: Path, plan: Plan, target: Path) -> None:
    """Make the new folder `target` with the Dockerfile and all that it copies.

    A Dockerfile of the package's own finds the package as it is. A generated one finds the requirements, and `tree`,
    which is laid over the image: the package in /opt/datalab, and /media/notebooks as a link to it.
    """
    if plan.own_dockerfile:
        shutil.copytree(folder, target, symlinks=True)
    else:
        inside = target / "tree" / INSIDE.lstrip("/")
        shutil.copytree(folder, inside, symlinks=True)
        if plan.notebooks:
            media = target / "tree" / "media"
            media.mkdir()
            (media / "notebooks").symlink_to(INSIDE)
        asked = inside / ".requirements" if plan.local else target
        asked.mkdir(exist_ok=True)
        (asked / "requirements.txt").write_text(plan.requirements_text(), "utf-8")
        if plan.constraints:
            (asked / "constraints.txt").write_text("".join(f"{line}\n" for line in plan.constraints), "utf-8")
        if plan.overrides:
            shutil.copyfile(folder / "overrides.txt", asked / "overrides.txt")
    (target / DOCKERFILE).unlink(missing_ok=True)  # the package's own may not be written to
    (target / DOCKERFILE).write_text(plan.dockerfile, "utf-8")
    for root, folders, names in os.walk(target):
        for name in names:
            _let_run(Path(root, name))
        for name in (*folders, *names):
            os.utime(Path(root, name), (ALWAYS, ALWAYS), follow_symlinks=False)


def _let_run(file: Path) -> None:
    """Make a script executable: uploads and zips of some systems lose that mark."""
    if file.is_symlink():
        return
    with file.open("rb") as stream:
        script = stream.read(2) == b"#!"
    if script:
        file.chmod(file.stat().st_mode | 0o111)
