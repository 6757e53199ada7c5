"""The process runtime keeps the contract: in a sandbox, with rlimits alone, and without a sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from runtime.contract import RuntimeContract
from spacelab.workloads.runtimes.process import Options, ProcessRuntime
from spacelab.workloads.runtimes.process.host import groups

ORDINARY_UID = 64321
"""A user that owns nothing on this machine."""


class ProcessContract(RuntimeContract):
    """The contract, for one way to run processes."""

    sandbox: Literal["auto", "bubblewrap", "plain"]
    limits: Literal["auto", "cgroup", "rlimit"] = "auto"

    @pytest.fixture
    def again(self, state: Path) -> Callable[[], ProcessRuntime]:
        options = Options(state / "run", state / "env", sandbox=self.sandbox, limits=self.limits)
        return lambda: ProcessRuntime(options)


class TestSandbox(ProcessContract):
    sandbox = "bubblewrap"


class TestPlain(ProcessContract):
    sandbox = "plain"
    processes_are_counted_by_user = not groups().usable


@pytest.mark.skipif(os.geteuid() != 0, reason="without root, limits are mostly rlimits anyway")
class TestSandboxWithoutControlGroups(ProcessContract):
    sandbox = "bubblewrap"
    limits = "rlimit"
    processes_are_counted_by_user = True


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="the tests above already run as an ordinary user")
def test_the_contract_holds_for_an_ordinary_user(state: Path) -> None:
    """Run the same tests as a user without rights: sandboxes need user namespaces, and limits are rlimits."""
    interpreter = "/usr/bin/python3"
    version = f"import sys; print(sys.version_info[:2] == {tuple(sys.version_info[:2])}, end='')"
    if not Path(interpreter).exists() or subprocess.check_output([interpreter, "-c", version]) != b"True":
        pytest.skip("no interpreter of this version that an ordinary user can reach")
    mine = state / "mine"
    mine.mkdir()
    os.chown(mine, ORDINARY_UID, ORDINARY_UID)
    project = Path(__file__).parents[2]
    sources = (project / "src", project / "packages" / "datalab-package" / "src")
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(mine),
        "TMPDIR": str(mine),
        "SPACELAB_STATE": str(mine / "state"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": ":".join([*map(str, sources), sysconfig.get_path("purelib")]),
    }
    command = [interpreter, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "TestSandbox or TestPlain", __file__]
    done = subprocess.run(
        command,
        cwd=project,
        env=variables,
        user=ORDINARY_UID,
        group=ORDINARY_UID,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
