"""Building what a datalab version runs from: an environment of the process runtime."""

from __future__ import annotations

import fcntl
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uv
from django.conf import settings

from spacelab.builds import rules
from spacelab.kit.refusals import Invalid, Unavailable

OVERRIDES = "overrides.txt"
MARK = ".complete"
"""The file that a finished environment holds; a folder without it is what an interrupted build left."""


def _base_interpreter() -> str:
    """Return the interpreter below the platform's own virtual environment, the one that sandboxes see too."""
    return str(getattr(sys, "_base_executable", sys.executable))


def build_environment(*, slug: str, requirements: Path, progress: Callable[[str], None]) -> str:
    """Build the environment for these requirements unless it is there, and return its name.

    A file `overrides.txt` beside them changes what packages ask of each other, in uv's form.
    The folder `settings.ENVIRONMENTS_DIRECTORY/<name>` appears whole or not at all, may be moved or mounted anywhere,
    and is readable by every user. Raises `Invalid` without requirements, `Unavailable` if a package can't be had.
    """
    try:
        overrides = [file for file in [requirements.with_name(OVERRIDES)] if file.exists()]
        text = "\n".join(file.read_text(encoding="utf-8") for file in [requirements, *overrides])
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            f"{requirements} can't be read: {error}", advice="Put a requirements.txt into the package."
        ) from error
    name = rules.environment_name(slug, text, platform.python_version())
    root = settings.ENVIRONMENTS_DIRECTORY
    target = root / name
    if (target / MARK).exists():
        return name
    root.mkdir(parents=True, exist_ok=True)
    with _alone(root / f".{name}.lock"):
        if (target / MARK).exists():
            return name
        work = root / f".{name}.partial"
        for rest in (work, target):
            shutil.rmtree(rest, ignore_errors=True)
        try:
            _fill(work, requirements, overrides, progress)
            (work / MARK).touch()
            work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return name


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process build this environment at a time; the others wait and find it done."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fill(folder: Path, requirements: Path, overrides: list[Path], progress: Callable[[str], None]) -> None:
    progress("making an empty environment")
    _uv("venv", "--relocatable", "--no-project", "--python", _base_interpreter(), str(folder), progress=progress)
    progress("fetching packages")
    _uv(
        *("pip", "install", "--compile-bytecode", "--python", str(folder / "bin" / "python")),
        *("-r", str(requirements)),
        *(word for file in overrides for word in ("--overrides", str(file))),
        progress=progress,
    )
    # uv writes the folder's own name into the prompt and nowhere else; the environment works from any place.


def _uv(*arguments: str, progress: Callable[[str], None]) -> None:
    """Run uv, passing on what it says; raise `Unavailable` with its own explanation if it fails."""
    argv = [uv.find_uv_bin(), *arguments, "--no-progress", "--color=never"]
    said: list[str] = []
    with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        for line in process.stderr or ():
            said.append(line)
            if line.strip():
                progress(line.strip()[:120])
    if process.returncode:
        raise Unavailable(
            f"The environment can't be built: {rules.explain_failure(''.join(said))}",
            advice=rules.advice_after_failure("".join(said)),
        )
