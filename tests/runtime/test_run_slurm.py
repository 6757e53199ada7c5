"""Steps of pipeline runs on a real Slurm: each a job of the cluster, in a sandbox on its node."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.contract import wait_for
from runtime.run_contract import COUNT, Prepared, RunContract, events, until
from spacelab.workloads.rules import Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.process import Options, ProcessRuntime
from spacelab.workloads.runtimes.process.host import groups
from support.slurm import missing_cluster, running_cluster

pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(missing_cluster()), reason=missing_cluster())]

SCATTER = """
cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs: {words: "string[]"}
outputs: {said: {type: "File[]", outputSource: say/said}}
steps:
  say:
    scatter: word
    in: {word: words}
    out: [said]
    run:
      class: CommandLineTool
      requirements: {ResourceRequirement: {coresMin: 1, ramMin: 16}}
      inputs: {word: {type: string, inputBinding: {}}}
      outputs: {said: {type: stdout}}
      stdout: $(inputs.word).txt
      baseCommand: echo
"""
LOOK = """
cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
inputs: {secret: string}
outputs: {seen: {type: stdout}}
stdout: seen.txt
baseCommand: [sh, -c]
arguments:
  - 'id -u; cat "$0" 2>&1; ls /run/spacelab-run 2>&1; touch /data/x /usr/x 2>&1; ls /sys/class/net 2>&1; ls /'
  - $(inputs.secret)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    with running_cluster() as conf:
        yield conf


class TestSlurm(RunContract):
    """The contract of runs, with steps on a cluster."""

    grouped = groups().usable

    @pytest.fixture
    def again(self, state: Path, cluster: Path) -> Iterator[Callable[[], ProcessRuntime]]:
        options = Options(state / "run", state / "env", sandbox="bubblewrap", slurm=True, slurm_conf=str(cluster))
        yield lambda: ProcessRuntime(options)
        assert not list((state / "run" / ".brokers").glob("*"))

    @pytest.fixture
    def on_cluster(self, workflow: Prepared) -> Prepared:
        """Prepare a workflow all of whose steps are the cluster's."""

        def spec(document: str = COUNT, job: object = None, **more: object) -> WorkloadSpec:
            made = workflow(document, job, resources=Resources(cpu=2, memory_mb=2048), **more)
            assert made.run
            options = Path(made.run.folder, "options.json")
            options.write_text(json.dumps(json.loads(options.read_text()) | {"images": ["*"], "parallel": 7}))
            return made

        return spec

    def test_a_workflow_runs_on_the_cluster(
        self, runtime: ProcessRuntime, on_cluster: Prepared, tmp_path: Path, cluster: Path
    ) -> None:
        spec = on_cluster()
        seen, text = self.outcome(runtime, spec)
        assert seen.exit_code == 0, (text, _told(spec))
        assert (tmp_path / "mine" / "results" / "r" / "count.txt").read_text().strip() == "6"
        counted = subprocess.check_output(["scontrol", "show", "jobs", "-o"], env=_variables(cluster), text=True)
        assert 1 <= counted.count(f"JobName=spacelab-{spec.id}.") <= 2

    def test_a_step_sees_no_more_than_on_the_platforms_machine(
        self, runtime: ProcessRuntime, on_cluster: Prepared, tmp_path: Path
    ) -> None:
        (tmp_path / "secret").write_text("hush")
        spec = on_cluster(LOOK, {"secret": str(tmp_path / "secret")})
        seen, text = self.outcome(runtime, spec)
        found = (tmp_path / "mine" / "results" / "r" / "seen.txt").read_text()
        assert "hush" not in found, (seen, text)
        assert found.splitlines()[0] == str(runtime.options.workload_uid)
        assert "events.jsonl" not in found
        assert "Read-only file system" in found

    def test_a_hundred_steps_are_quick(self, runtime: ProcessRuntime, on_cluster: Prepared, tmp_path: Path) -> None:
        spec = on_cluster(SCATTER, {"words": [f"w{number}" for number in range(100)]})
        runtime.start(spec, {})
        seen = wait_for(runtime, spec, Seen.EXITED, 120)
        told = events(spec)
        assert seen.exit_code == 0, _told(spec)
        assert len(list((tmp_path / "mine" / "results" / "r").iterdir())) == 100
        took = float(str(told[-1]["at"])) - float(str(told[0]["at"]))
        assert took < 60, took  # a bound for a busy machine
        sys.stderr.write(f"100 steps on the cluster took {took:.1f} s\n")

    def test_stop_cancels_the_jobs_of_the_cluster(
        self, runtime: ProcessRuntime, on_cluster: Prepared, cluster: Path
    ) -> None:
        document = "{cwlVersion: v1.2, class: CommandLineTool, inputs: [], outputs: [], baseCommand: [sleep, '100']}"
        spec = on_cluster(document, {})

        def queue() -> str:
            return subprocess.check_output(["squeue", "-h", "-o", "%j"], env=_variables(cluster), text=True)

        runtime.start(spec, {})
        until(lambda: spec.id in queue())
        runtime.stop(spec.id, 10)
        wait_for(runtime, spec, Seen.EXITED, 15)
        assert events(spec)[-1]["state"] == "cancelled"
        until(lambda: spec.id not in queue())


def _told(spec: WorkloadSpec) -> list[object]:
    """Return what went wrong: reasons, and what jobs said."""
    assert spec.run
    said = [path.read_text(errors="replace")[-500:] for path in Path(spec.run.folder, "jobs").glob("*/stderr")]
    return [*(one.get("reason") for one in events(spec) if one.get("reason")), *said][:6]


def _variables(conf: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "SLURM_CONF": str(conf)}
