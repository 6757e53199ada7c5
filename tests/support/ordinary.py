"""Running tests again as a user without rights, as whom many installations run the platform."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ORDINARY_UID = 64321
"""A user that owns nothing on this machine."""

INTERPRETER = "/usr/bin/python3"
PROJECT = Path(__file__).parents[2]
PACKAGES = ("datalab-package", "cwl-graph", "cwl-runner", "run-crate")


def run_as_ordinary_user(tests: str, chosen: str, folder: Path) -> None:
    """Run a file's tests that `chosen` (pytest's -k) names, with a folder for their files; fail as they do."""
    version = f"import sys; print(sys.version_info[:2] == {tuple(sys.version_info[:2])}, end='')"
    if not Path(INTERPRETER).exists() or subprocess.check_output([INTERPRETER, "-c", version]) != b"True":
        pytest.skip("no interpreter of this version that an ordinary user can reach")
    mine = folder / "mine"
    mine.mkdir()
    os.chown(mine, ORDINARY_UID, ORDINARY_UID)
    sources = (PROJECT / "src", *(PROJECT / "packages" / name / "src" for name in PACKAGES))
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(mine),
        "TMPDIR": str(mine),
        "SPACELAB_STATE": str(mine / "state"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": ":".join([*map(str, sources), sysconfig.get_path("purelib")]),
    }
    done = subprocess.run(
        [INTERPRETER, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, tests],
        cwd=PROJECT,
        env=variables,
        user=ORDINARY_UID,
        group=ORDINARY_UID,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
