"""What every platform of a test run makes alike, made once: a migrated database, static files, archives, environments.

The first platform makes them as on a fresh machine; the later ones get copies, or links to the same read-only files.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
PLACE = Path(tempfile.gettempdir()) / f"spacelab-template-{os.geteuid()}-{RUN}"
ARCHIVES, ENVIRONMENTS = "archives", "environments"
DATABASE, STATIC = "spacelab.sqlite3", "static"


@contextmanager
def first_state(state: Path, *parts: str) -> Iterator[None]:
    """Fill these parts of a new state before its platform starts; what is not there yet is taken after its start."""
    with _locked():
        missing = [part for part in parts if not (PLACE / part).is_dir()]
        if missing:
            yield
            for part in missing:
                _copy(state / part, PLACE / part)
    if not missing:
        state.mkdir(mode=0o750)
        for part in parts:
            _copy(PLACE / part, state / part)
        fill_database(state)
        yield


def fill_database(state: Path) -> None:
    """Fill a new state with an empty database in which every table is, and with the static files."""
    origin = PLACE / "prepared"
    with _locked("database"):  # not the others' lock: the first platform holds it for a minute
        if not origin.is_dir():
            making = Path(tempfile.mkdtemp(dir=PLACE))
            kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPACELAB_", "DJANGO_"))}
            for command in (["migrate", "-v0"], ["collectstatic", "-v0", "--noinput"]):
                words = [sys.executable, "-m", "spacelab", *command]
                subprocess.run(words, env={**kept, "SPACELAB_STATE": str(making)}, check=True)
            making.rename(origin)
    shutil.copy2(origin / DATABASE, state / DATABASE)
    _copy(origin / STATIC, state / STATIC)


def borrow(part: str, target: Path) -> None:
    """Fill a folder that is not there yet, if a platform of this run has already made such a part."""
    if target.exists() or not PLACE.is_dir():
        return
    with _locked():
        if (PLACE / part).is_dir():
            _copy(PLACE / part, target)


def remove_template() -> None:
    """Remove the template of this run; what was linked from it stays."""
    shutil.rmtree(PLACE, ignore_errors=True)


@contextmanager
def _locked(what: str = "state") -> Iterator[None]:
    PLACE.mkdir(mode=0o755, exist_ok=True)
    with (PLACE / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy(origin: Path, target: Path) -> None:
    # An archive may be sealed: a link would have one file obey two platforms.
    copy = shutil.copy2 if origin.name in {ARCHIVES, STATIC} else _link
    shutil.copytree(origin, target, symlinks=True, copy_function=copy)


def _link(origin: str, target: str) -> None:
    os.link(origin, target, follow_symlinks=False)
