"""The process runtime carries pipeline runs: started anew or from a preloaded coordinator, and without a sandbox."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from runtime.contract import printed, wait_for
from runtime.run_contract import Prepared, RunContract, until
from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import Runtime
from spacelab.workloads.rules import Resources, Seen
from spacelab.workloads.runtimes.process import Options, ProcessRuntime, standby, warm
from spacelab.workloads.runtimes.process.host import groups
from spacelab.workloads.runtimes.shared import pipelines
from support.ordinary import run_as_ordinary_user

LOADED_WITHIN = 20.0


class ProcessRuns(RunContract):
    """The contract of runs, for one way to run processes."""

    sandbox: Literal["auto", "bubblewrap", "plain"] = "bubblewrap"
    limits: Literal["auto", "cgroup", "rlimit"] = "auto"
    warm = standby = False
    grouped = groups().usable

    @pytest.fixture
    def again(self, state: Path) -> Iterator[Callable[[], ProcessRuntime]]:
        options = Options(
            state / "run",
            state / "env",
            sandbox=self.sandbox,
            limits=self.limits,
            warm=self.warm,
            standby=self.standby,
        )
        made: list[ProcessRuntime] = []

        def one() -> ProcessRuntime:
            made.append(ProcessRuntime(options))
            return made[-1]

        yield one
        for runtime in made:
            runtime.end()


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
    def test_one_that_ends_before_it_has_its_orders_makes_it_a_cold_start(
        self, runtime: ProcessRuntime, make: Prepared, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def dead(groups: object) -> socket.socket:
            del groups
            mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with its:
                its.send(b"no room in the group")
            return mine

        runtime.standbys.end()
        monkeypatch.setattr(runtime.preloaded, "ask", dead)
        spec = make("print('through')")
        seen, text = RunContract.outcome(self, runtime, spec)
        assert (seen.exit_code, text) == (0, "through\n")
        assert "spacelab: the run starts cold: no room in the group\n" in printed(runtime, spec)

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


SEEN = """
import os
for line in open("/proc/self/mountinfo"):
    words = line.split()
    print(words[4], words[5], *words[words.index("-") + 1:])
for folder, folders, files in os.walk("/"):
    folders[:] = [] if folder.count("/") > 2 or folder in ("/proc", "/usr") else sorted(folders)
    for name in sorted([*folders, *files]):
        path = os.path.join(folder, name)
        found = os.lstat(path)
        print(path, oct(found.st_mode), found.st_uid, os.readlink(path) if os.path.islink(path) else "")
print(open("/etc/passwd").read(), os.getcwd(), sorted(os.environ), os.sched_getaffinity(0))
print(open("/proc/self/status").read().split("Cap", 1)[1].split("Speculation")[0])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="no ordinary user can have a sandbox on standby")
class TestStandby(TestWarm):
    """Runs that begin in a sandbox that was made before anybody knew them."""

    standby = True

    @pytest.fixture(autouse=True)
    def every_run_finds_one(self, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
        """Have each start wait until one is there."""
        found: list[bool] = []
        take = standby.Standbys.take

        def taken(self: standby.Standbys) -> standby.Standby | None:
            if self._wanted() and self._preloaded.loaded():
                self.wait(LOADED_WITHIN)
            one = take(self)
            found.append(one is not None)
            return one

        monkeypatch.setattr(standby.Standbys, "take", taken)
        monkeypatch.setattr(standby, "PAUSE", 0.0)
        return found

    @pytest.mark.usefixtures("stand_in")
    def test_a_run_sees_the_same_as_in_a_sandbox_of_its_own(
        self, runtime: ProcessRuntime, make: Prepared, tmp_path: Path, every_run_finds_one: list[bool]
    ) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "archive").mkdir()
        mounts = (
            Mount(str(tmp_path / "archive"), "/data/stars"),
            Mount(str(tmp_path / "mine"), "/media/user", read_only=False),
        )
        folder, texts = tmp_path / "run-1", []
        for _ in range(2):
            spec = make(SEEN, mounts=mounts, folder=folder, resources=Resources(cpu=64, memory_mb=300, scratch_mb=50))
            seen, text = RunContract.outcome(self, runtime, spec)
            assert seen.exit_code == 0, text
            texts.append(sorted(line.replace(spec.id, "ID") for line in text.splitlines()))
            runtime.standbys.end()
        assert every_run_finds_one == [True, False]
        differ = ("/sys/fs/cgroup", *(f"/etc/{name} ro" for name in ("group", "hosts", "passwd")))
        alike = [{line for line in lines if not line.startswith(differ)} for lines in texts]
        assert alike[0] ^ alike[1] == set()
        assert len(texts[0]) == len(texts[1])

    @pytest.mark.usefixtures("stand_in")
    def test_a_sandbox_that_cannot_be_completed_is_no_more_than_a_slower_start(
        self, runtime: ProcessRuntime, make: Prepared, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        real = standby.additions

        def wrong(*given: Any) -> Any:
            made, trees = real(*given)
            return [("tree", "/no/such", 0, True), *made], trees

        monkeypatch.setattr(standby, "additions", wrong)
        monkeypatch.setattr(standby, "MOST_BROKEN", 2)
        for _ in range(3):
            seen, text = RunContract.outcome(self, runtime, make("print('through')"))
            assert (seen.exit_code, text) == (0, "through\n")
        assert caplog.text.count("could not be completed: [Errno 2] No such file or directory") == 2
        assert caplog.text.count("no sandbox is kept on standby for 600 s") == 1

    @pytest.mark.usefixtures("stand_in")
    def test_a_folder_that_a_run_closed_is_no_hindrance(
        self, runtime: ProcessRuntime, make: Prepared, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Its owner is not who completes the sandbox; else each such run would cost everybody the quick start."""
        for _ in range(2):
            spec = make("import os; os.chmod('/run/spacelab-run', 0o700)", folder=tmp_path / "attempts")
            assert self.outcome(runtime, spec)[0].exit_code == 0
        assert "was of no use" not in caplog.text

    def test_no_two_have_the_same_control_groups(
        self, runtime: ProcessRuntime, again: Callable[[], ProcessRuntime]
    ) -> None:
        """A run outlives its platform in the groups of its sandbox, and the next platform may have the same pid."""
        other = again()
        other.preloaded.begin()
        assert other.preloaded.wait(LOADED_WITHIN)
        made = [taken for one in (runtime, other) if (taken := one.standbys.take())]
        assert len(made) == 2
        assert made[0].group.paths != made[1].group.paths or not self.grouped
        for left in made:
            left.end()

    @pytest.mark.usefixtures("stand_in")
    def test_it_ends_with_the_platform(self, runtime: ProcessRuntime) -> None:
        assert runtime.standbys.wait(LOADED_WITHIN)
        waiting = runtime.standbys.take()
        assert waiting
        left = waiting.group.pids()
        waiting.orders.close()
        assert waiting.process.wait(LOADED_WITHIN) == 0
        until(lambda: not waiting.group.pids())
        assert left or not self.grouped
        waiting.end()


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="the tests above already run as an ordinary user")
def test_runs_are_the_same_for_an_ordinary_user(state: Path) -> None:
    """Run the same tests as a user without rights: whoever enters has to own the sandbox's user namespace."""
    run_as_ordinary_user(__file__, "TestCold or TestWarm", state)
