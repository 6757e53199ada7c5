"""The process runtime keeps the contract: in a sandbox, with rlimits alone, and without a sandbox."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from runtime.contract import RuntimeContract
from spacelab.workloads.runtimes.process import Options, ProcessRuntime


@pytest.fixture
def state() -> Iterator[Path]:
    """Make a folder with a short path: a Unix socket's may have 107 characters only."""
    folder = Path(tempfile.mkdtemp(prefix="spl-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def tmp_path(state: Path) -> Path:
    """Where tests keep volumes: beside the runtime's folders, and open to the user that workloads run as."""
    folder = state / "files"
    folder.mkdir()
    return folder


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


@pytest.mark.skipif(os.geteuid() != 0, reason="without root, limits are mostly rlimits anyway")
class TestSandboxWithoutControlGroups(ProcessContract):
    sandbox = "bubblewrap"
    limits = "rlimit"
