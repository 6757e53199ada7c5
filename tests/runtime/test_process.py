"""The process runtime keeps the contract: in a sandbox, with rlimits alone, and without a sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from runtime.contract import RuntimeContract
from spacelab.workloads.runtimes.process import Options, ProcessRuntime
from spacelab.workloads.runtimes.process.host import groups
from support.ordinary import run_as_ordinary_user


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


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="the tests above already run as an ordinary user")
def test_the_contract_holds_for_an_ordinary_user(state: Path) -> None:
    """Run the same tests as a user without rights: sandboxes need user namespaces, and limits are rlimits."""
    run_as_ordinary_user(__file__, "TestSandbox or TestPlain", state)
