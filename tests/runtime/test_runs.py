"""The process runtime carries pipeline runs: started anew or from a preloaded coordinator, and without a sandbox."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from runtime.contract import printed, wait_for
from runtime.run_contract import Prepared, RunContract, until
from spacelab.workloads.ports import Runtime
from spacelab.workloads.rules import Seen
from spacelab.workloads.runtimes.process import Options, ProcessRuntime, warm
from spacelab.workloads.runtimes.process.host import groups
from spacelab.workloads.runtimes.shared import pipelines
from support.ordinary import run_as_ordinary_user

LOADED_WITHIN = 20.0


class ProcessRuns(RunContract):
    """The contract of runs, for one way to run processes."""

    sandbox: Literal["auto", "bubblewrap", "plain"] = "bubblewrap"
    limits: Literal["auto", "cgroup", "rlimit"] = "auto"
    warm = False
    grouped = groups().usable

    @pytest.fixture
    def again(self, state: Path) -> Iterator[Callable[[], ProcessRuntime]]:
        options = Options(state / "run", state / "env", sandbox=self.sandbox, limits=self.limits, warm=self.warm)
        made: list[ProcessRuntime] = []

        def one() -> ProcessRuntime:
            made.append(ProcessRuntime(options))
            return made[-1]

        yield one
        for runtime in made:
            runtime.preloaded.end()


class TestCold(ProcessRuns):
    pass


def test_what_cannot_be_loaded_is_said_and_not_tried_all_the_time(
    state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package = state / "cwl_runner"
    package.mkdir()
    (package / "cli.py").write_text("raise ValueError('broken')")
    monkeypatch.setattr(pipelines, "software", lambda: pipelines.Software(state / "none", package))
    monkeypatch.setattr(warm, "AGAIN_AFTER", 0.0)
    preloaded = warm.Preloaded(Options(state / "run", state / "env", warm=True))
    monkeypatch.setattr(preloaded, "_pause", 0.5)
    preloaded.begin()
    first = preloaded.pid()
    until(lambda: (state / "run" / ".preloaded.log").read_text().strip().endswith("ValueError: broken"))
    until(lambda: (preloaded.begin() or preloaded.pid()) != first)  # type: ignore[func-returns-value]
    assert "pipeline runs start cold" in caplog.text
    assert "ValueError: broken" in caplog.text
    assert preloaded.ask([]) is None
    preloaded.end()


class TestPlain(ProcessRuns):
    sandbox = "plain"
    isolated = False


class TestWarm(ProcessRuns):
    warm = True

    @pytest.fixture
    def runtime(self, again: Callable[[], ProcessRuntime], request: pytest.FixtureRequest) -> ProcessRuntime:
        """Have the coordinator, or its stand-in if the test wants one, loaded before anything is started."""
        if "stand_in" in request.fixturenames:
            request.getfixturevalue("stand_in")
        runtime = again()
        runtime.preloaded.begin()
        assert runtime.preloaded.wait(LOADED_WITHIN), (runtime.options.run_directory / ".preloaded.log").read_text()
        return runtime

    def outcome(self, runtime: Runtime, spec):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  as its parent's
        seen, text = super().outcome(runtime, spec)
        assert "starts cold" not in printed(runtime, spec)
        return seen, text

    @pytest.mark.usefixtures("stand_in")
    def test_without_the_loaded_one_it_starts_cold_and_says_so(self, runtime: ProcessRuntime, make: Prepared) -> None:
        loaded = runtime.preloaded.pid()
        assert loaded
        os.kill(loaded, signal.SIGKILL)
        until(lambda: runtime.preloaded.ask([]) is None)
        spec = make("print('through')")
        seen, text = RunContract.outcome(self, runtime, spec)
        assert (seen.exit_code, text) == (0, "through\n")
        assert "spacelab: the run starts cold: no preloaded coordinator is there yet\n" in printed(runtime, spec)

    @pytest.mark.usefixtures("stand_in")
    def test_a_run_outlives_the_loaded_one(self, runtime: ProcessRuntime, make: Prepared) -> None:
        spec = make("import time\ntime.sleep(1)\nprint('through')")
        runtime.start(spec, {})
        runtime.preloaded.end()
        seen = wait_for(runtime, spec, Seen.EXITED)
        assert (seen.exit_code, printed(runtime, spec)) == (0, "through\n")

    @pytest.mark.usefixtures("stand_in")
    def test_one_run_leaves_no_trace_in_the_next(self, runtime: ProcessRuntime, make: Prepared) -> None:
        script = (
            "import sys, os\nprint(hasattr(sys, 'm'), os.environ.get('M'), sys.argv)\nsys.m = 1\nos.environ['M'] = 'x'"
        )
        first, second = self.outcome(runtime, make(script))[1], self.outcome(runtime, make(script))[1]
        assert first == second == "False None ['spacelab-cwl', 'run', '/run/spacelab-run']\n"

    @pytest.mark.usefixtures("stand_in")
    def test_nothing_inside_can_write_to_the_hosts_programs(self, runtime: ProcessRuntime, make: Prepared) -> None:
        """What entered a sandbox shows its program on the host's own file system: an old way out of containers."""
        script = (
            "import os\nfor name in ('exe', 'root/usr/bin/python3'):\n"
            " try: os.open(f'/proc/self/{name}', os.O_WRONLY); print('open', name)\n except OSError: pass\n"
            "for name in os.listdir('/proc/self/map_files') if os.access('/proc/self/map_files', os.R_OK) else []:\n"
            " try: os.open(f'/proc/self/map_files/{name}', os.O_WRONLY); print('open', name)\n except OSError: pass\n"
            "print('done')"
        )
        assert self.outcome(runtime, make(script))[1] == "done\n"


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="the tests above already run as an ordinary user")
def test_runs_are_the_same_for_an_ordinary_user(state: Path) -> None:
    """Run the same tests as a user without rights: whoever enters has to own the sandbox's user namespace."""
    run_as_ordinary_user(__file__, "TestCold or TestWarm", state)
