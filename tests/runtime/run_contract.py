"""What every runtime must do with a pipeline run; a runtime's own test module subclasses this.

Most tests put a stand-in in the coordinator's place, which executes a script of the bundle: what that script can't
reach, nothing that runs inside can. The others execute a real workflow.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.contract import PATIENCE, look, printed, wait_for
from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import Runtime
from spacelab.workloads.rules import Kind, Observation, PipelineRun, Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.shared import pipelines

STAND_IN = """
import pathlib, sys
def script():
    path = pathlib.Path(sys.argv[2], "bundle", "script.py")
    exec(compile(path.read_text(), str(path), "exec"), {"__name__": "script"})
"""

COUNT = """
cwlVersion: v1.2
class: Workflow
inputs: {folder: Directory}
outputs: {count: {type: File, outputSource: count/count}}
steps:
  gather:
    in: {folder: folder}
    out: [all]
    run:
      class: CommandLineTool
      inputs: {folder: Directory}
      outputs: {all: {type: stdout}}
      stdout: all.txt
      baseCommand: [sh, -c, 'cat "$0"/*']
      arguments: [{valueFrom: $(inputs.folder.path)}]
  count:
    in: {all: gather/all}
    out: [count]
    run:
      class: CommandLineTool
      inputs: {all: File}
      outputs: {count: {type: stdout}}
      stdin: $(inputs.all.path)
      stdout: count.txt
      baseCommand: [wc, -l]
"""

SLEEP = """
cwlVersion: v1.2
class: Workflow
inputs: {seconds: int}
outputs: {}
steps:
  sleep:
    in: {seconds: seconds}
    out: []
    run:
      class: CommandLineTool
      inputs: {seconds: {type: int, inputBinding: {}}}
      outputs: []
      baseCommand: sleep
"""

Prepared = Callable[..., WorkloadSpec]


def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


def events(spec: WorkloadSpec) -> list[dict[str, object]]:
    """Read what the coordinator told."""
    assert spec.run
    path = Path(spec.run.folder, "events.jsonl")
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


class RunContract:
    """Behaviour of any runtime that carries runs. Fixtures to provide: `runtime`, `again` (see `RuntimeContract`)."""

    isolated = True
    grouped = True

    @pytest.fixture
    def runtime(self, again: Callable[[], Runtime]) -> Runtime:
        return again()

    @pytest.fixture
    def stand_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put a coordinator in place that executes `script.py` of the bundle."""
        package = tmp_path / "stand-in" / "cwl_runner"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "warm.py").write_text("def preload(): pass\n")
        (package / "cli.py").write_text(STAND_IN)
        real = pipelines.software()
        monkeypatch.setattr(pipelines, "software", lambda: pipelines.Software(real.packages, package.resolve()))

    @pytest.fixture
    def make(self, runtime: Runtime, tmp_path: Path) -> Iterator[Prepared]:
        made: list[str] = []

        def spec(script: str = "", *, folder: Path | None = None, **changes: object) -> WorkloadSpec:
            made.append("t" + secrets.token_hex(5))
            run = folder or tmp_path / f"run-{made[-1]}"
            (run / "bundle").mkdir(parents=True, exist_ok=True)
            (tmp_path / "cache").mkdir(exist_ok=True)
            if script:
                (run / "bundle" / "script.py").write_text(script)
            values: dict[str, object] = {"resources": Resources(memory_mb=512), "owner": "ada"}
            carried = PipelineRun(str(run), str(tmp_path / "cache"))
            return WorkloadSpec(made[-1], kind=Kind.BATCH, command=(), run=carried, **(values | changes))  # type: ignore[arg-type]

        yield spec
        for workload_id in made:
            runtime.stop(workload_id, 0)
        until(lambda: all(seen.seen is Seen.EXITED for seen in runtime.observe().values()))
        for workload_id in made:
            runtime.forget(workload_id)
        assert runtime.observe() == {}

    @pytest.fixture
    def workflow(self, make: Prepared, tmp_path: Path) -> Prepared:
        """Prepare a real workflow over an archive and a workspace."""
        archive, mine = tmp_path / "archive", tmp_path / "mine"
        archive.mkdir()
        mine.mkdir()
        for name in ("vega", "deneb"):
            (archive / f"{name}.txt").write_text(f"{name}\n" * 3)
        mounts = (Mount(str(archive), "/data/stars"), Mount(str(mine), "/media/user", read_only=False))

        def spec(document: str = COUNT, job: object = None, folder: Path | None = None, **more: object) -> WorkloadSpec:
            made = make(mounts=mounts, folder=folder, **more)
            assert made.run
            run = Path(made.run.folder)
            order = job or {"folder": {"class": "Directory", "location": "/data/stars"}}
            options = {"main": "main.cwl", "outdir": "/media/user/results/r", "cache": "/var/cache/spacelab-run"}
            for name, text in {
                "bundle/main.cwl": document,
                "job.json": json.dumps(order),
                "options.json": json.dumps(options),
            }.items():
                (run / name).write_text(text)
            return made

        return spec

    def outcome(self, runtime: Runtime, spec: WorkloadSpec) -> tuple[Observation, str]:
        """Run to the end; return what was seen, and what was printed beside the platform's own lines."""
        runtime.start(spec, {})
        seen = wait_for(runtime, spec, Seen.EXITED)
        lines = printed(runtime, spec).splitlines(keepends=True)
        return seen, "".join(line for line in lines if not line.startswith("spacelab: the run starts cold"))

    def test_a_workflow_runs_on_a_mounted_archive(self, runtime: Runtime, workflow: Prepared, tmp_path: Path) -> None:
        spec = workflow()
        seen, text = self.outcome(runtime, spec)
        assert seen.exit_code == 0, (text, events(spec))
        assert (tmp_path / "mine" / "results" / "r" / "count.txt").read_text().strip() == "6"
        told = events(spec)
        assert [one["job"] for one in told if one["event"] == "job-ended" and one["state"] == "succeeded"] == [
            "gather",
            "count",
        ]
        assert (told[-1]["event"], told[-1]["state"]) == ("run-ended", "succeeded")
        assert not (self.isolated and [one for one in told if one["event"] == "problem"]), told

    def test_stop_reaches_the_job_and_the_coordinator_tells_so(self, runtime: Runtime, workflow: Prepared) -> None:
        spec = workflow(SLEEP, {"seconds": 60})
        runtime.start(spec, {})
        until(lambda: any(one["event"] == "job-started" for one in events(spec)))
        runtime.stop(spec.id, PATIENCE)
        seen = wait_for(runtime, spec, Seen.EXITED)
        assert seen.reason == "It was stopped."
        assert events(spec)[-1]["state"] == "cancelled"

    def test_a_run_that_was_killed_goes_on_in_its_folder(self, runtime: Runtime, workflow: Prepared) -> None:
        spec = workflow(SLEEP, {"seconds": 60})
        runtime.start(spec, {})
        until(lambda: any(one["event"] == "job-started" for one in events(spec)))
        runtime.stop(spec.id, 0)
        wait_for(runtime, spec, Seen.EXITED)
        assert spec.run
        again = workflow(SLEEP, {"seconds": 0}, folder=Path(spec.run.folder))
        seen, text = self.outcome(runtime, again)
        assert seen.exit_code == 0, text
        assert {one["attempt"] for one in events(again)} == {1, 2}

    @pytest.mark.usefixtures("stand_in")
    def test_it_ends_as_any_workload(self, runtime: Runtime, make: Prepared) -> None:
        own, text = self.outcome(runtime, make("import os, sys; print('héllo'); os.write(2, b'err\\n'); sys.exit(3)"))
        assert own.exit_code == 3
        assert own.reason.startswith("It ended by itself with exit code 3 after")
        assert sorted(text.splitlines()) == ["err", "héllo"]
        fell, text = self.outcome(runtime, make("raise ValueError('nothing')"))
        assert (fell.exit_code, "ValueError: nothing" in text) == (1, True)
        signalled, _ = self.outcome(runtime, make("import os; os.kill(os.getpid(), 11)"))
        assert signalled.exit_code == 139
        assert signalled.reason.startswith("It was ended by SIGSEGV")
        late, _ = self.outcome(runtime, make("import time; time.sleep(60)", deadline_seconds=1))
        assert late.reason == "It reached its time limit of 1 s."

    @pytest.mark.usefixtures("stand_in")
    def test_stop_ends_it_by_force_after_the_grace_with_all_children(self, runtime: Runtime, make: Prepared) -> None:
        spec = make(
            "import os, signal, time\nsignal.signal(15, signal.SIG_IGN)\nos.fork() or os.setsid()\n"
            "print('up', flush=True)\nwhile True: time.sleep(1)"
        )
        runtime.start(spec, {})
        until(lambda: printed(runtime, spec).count("up") == 2)
        runtime.stop(spec.id, 0.3)
        seen = wait_for(runtime, spec, Seen.EXITED)
        assert (seen.exit_code, seen.reason) == (137, "It was stopped.")

    @pytest.mark.usefixtures("stand_in")
    def test_it_sees_its_own_folders_and_no_others(
        self, runtime: Runtime, make: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not self.isolated:
            pytest.skip("this way of running says that it doesn't isolate")
        monkeypatch.setenv("A_SECRET_OF_THE_HOST", "hush")
        secret = tmp_path / "secret"
        secret.write_text("hush")
        other = tmp_path / "run-of-somebody-else"
        other.mkdir()
        (other / "events.jsonl").write_text("hush")
        script = f"""
import os, sys
tried = [{str(secret)!r}, {str(other / "events.jsonl")!r}, '/proc/1/environ', '/proc/self/environ',
         '/proc/1/root{secret}', '/proc/self/root{secret}', '/proc/self/cwd/../../secret', '../secret', '/etc/shadow',
         {str(Path(__file__))!r}, '/.spacelab/packages/spacelab/site/settings.py']
for path in tried:
    try:
        if 'hush' in open(path).read() or path.endswith('py') or path.endswith('shadow'): print('read', path)
    except OSError: pass
for path in ('/run/spacelab-run/bundle/new', '/run/spacelab-run/job.json', '/.spacelab/packages/x', '/usr/x', '/x',
             '/.spacelab/runner/cwl_runner/cli.py', '/proc/sys/kernel/hostname', '/proc/sysrq-trigger'):
    try: open(path, 'a'); print('wrote', path)
    except OSError: pass
for path in ('/run/spacelab-run/bundle', '/run/spacelab-run/job.json'):
    try: os.rename(path, path + '-moved'); print('moved', path)
    except OSError: pass
open('/run/spacelab-run/events.jsonl', 'w').write('x')
open('/var/cache/spacelab-run/kept', 'w').write('x')
print(sorted(os.listdir('/run/spacelab-run')), os.getuid() != 0)
print([one for one in os.listdir('/proc/self/fd') if int(one) > 2 and os.path.exists(f'/proc/self/fd/{{one}}')])
told = [line.split() for line in open('/proc/self/status')]
print([words[1] for words in told if words[0] in ('CapEff:', 'CapBnd:', 'CapPrm:', 'NoNewPrivs:')])
print(max(int(one) for one in os.listdir('/proc') if one.isdigit()) < 50, 'A_SECRET_OF_THE_HOST' in os.environ)
try: print(os.listdir('/proc/1/fd'))
except OSError: pass
"""
        spec = make(script)
        assert spec.run
        for name in ("job.json", "options.json"):
            Path(spec.run.folder, name).write_text("{}")
        _, text = self.outcome(runtime, spec)
        assert text.splitlines() == [
            "['bundle', 'events.jsonl', 'job.json', 'options.json'] True",
            "[]",
            "['0000000000000000', '0000000000000000', '0000000000000000', '1']",
            "True False",
        ], text

    @pytest.mark.usefixtures("stand_in")
    def test_a_sandbox_can_be_made_inside(self, runtime: Runtime, make: Prepared) -> None:
        if not self.isolated:
            pytest.skip("this way of running says that it doesn't isolate")
        inner = (
            "bwrap --unshare-user --unshare-pid --unshare-net --unshare-ipc --ro-bind /usr /usr --symlink usr/lib /lib "
            "--symlink usr/lib64 /lib64 --symlink usr/bin /bin --proc /proc --dev /dev --tmpfs /tmp --new-session "
            "/usr/bin/sh -c 'id -u; echo /proc/[0-9]*; ls /; touch /tmp/x'"
        )
        spec = make(
            f"import subprocess, os\nprint(os.getuid())\nprint(subprocess.check_output({inner!r}, shell=True).decode())"
        )
        seen, text = self.outcome(runtime, spec)
        lines = text.split("\n")
        assert seen.exit_code == 0, text
        assert lines[0] == lines[1]
        assert lines[2].split() == ["/proc/1", "/proc/2"]
        assert lines[3:-2] == sorted(["bin", "dev", "lib", "lib64", "proc", "tmp", "usr"])

    @pytest.mark.usefixtures("stand_in")
    def test_limits_bind(self, runtime: Runtime, make: Prepared) -> None:
        bomb = (
            "import os, time\nn = 0\ntry:\n while n < 200:\n  if os.fork() == 0: time.sleep(60)\n  n += 1\n"
            "except OSError: print('refused', n, flush=True)\nelse: print('unbounded', flush=True)\nos._exit(0)"
        )
        hog = "kept = []\nwhile True: kept.append(bytearray(2**24))"
        if self.grouped:
            _, text = self.outcome(runtime, make(bomb, resources=Resources(memory_mb=512, processes=30)))
            assert text.startswith("refused")
            assert int(text.split()[1]) <= 34
        seen, text = self.outcome(runtime, make(hog, resources=Resources(memory_mb=256)))
        if self.grouped:
            assert seen.reason == "It used more than its 256 MiB of memory, so the system ended it."
        else:
            assert "MemoryError" in text

    @pytest.mark.usefixtures("stand_in")
    def test_scratch_is_bounded(self, runtime: Runtime, make: Prepared) -> None:
        if not self.isolated:
            pytest.skip("this way of running says that it doesn't isolate")
        filled = (
            "import os\nfor folder in ('/scratch', '/tmp', '/run'):\n try:\n"
            "  with open(folder + '/big', 'wb') as file:\n   for n in range(100): file.write(bytes(2**20))\n"
            "  print('unbounded')\n except OSError as error: print(error.strerror)\n os.unlink(folder + '/big')"
        )
        _, text = self.outcome(runtime, make(filled, resources=Resources(memory_mb=512, scratch_mb=32)))
        assert text.splitlines() == ["No space left on device"] * 3

    @pytest.mark.usefixtures("stand_in")
    def test_a_run_outlives_the_runtime_that_started_it(
        self, runtime: Runtime, again: Callable[[], Runtime], make: Prepared
    ) -> None:
        wait = "while not os.path.exists(sys.argv[2] + '/go'): time.sleep(0.02)"
        spec = make(f"import os, sys, time\nprint('up', flush=True)\n{wait}\nprint('through')")
        assert spec.run
        runtime.start(spec, {})
        until(lambda: "up" in printed(runtime, spec))
        later = again()
        later.start(spec, {})
        assert look(later, spec).seen is Seen.RUNNING
        Path(spec.run.folder, "go").touch()
        seen = wait_for(later, spec, Seen.EXITED)
        assert (seen.exit_code, printed(later, spec).splitlines()[-1]) == (0, "through")
