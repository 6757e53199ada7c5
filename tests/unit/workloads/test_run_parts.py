"""How a pipeline run is described as a workload, and what of the platform it is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Kind, PipelineRun, WorkloadSpec
from spacelab.workloads.runtimes.process import Options, launch, sandbox, slurm
from spacelab.workloads.runtimes.process.slurm_program import SlurmBroker
from spacelab.workloads.runtimes.shared import mounts, pipelines
from spacelab.workloads.runtimes.shared.brokering import Refused, checked
from spacelab.workloads.runtimes.shared.limits import Group
from spacelab.workloads.runtimes.shared.variables import sandbox_places


@pytest.fixture
def spec(tmp_path: Path) -> WorkloadSpec:
    folder = tmp_path / "run"
    (folder / "bundle").mkdir(parents=True)
    (folder / "job.json").write_text("{}")
    (folder / "options.json").symlink_to("/etc/passwd")
    (tmp_path / "cache").mkdir()
    run = PipelineRun(str(folder), str(tmp_path / "cache"), {"software/figlet:1": "figlet-1", "datalabs/a:1": "lab-a"})
    return WorkloadSpec("r1", "ada", Kind.BATCH, (), mounts=(Mount("/srv/ada", "/media/user", False),), run=run)


def test_a_run_is_read_back_as_it_was_written(spec: WorkloadSpec) -> None:
    assert WorkloadSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_a_workload_from_before_there_were_runs_can_be_read(spec: WorkloadSpec) -> None:
    data = spec.to_json()
    del data["run"]
    assert WorkloadSpec.from_json(data).run is None


def test_a_run_sees_its_folders_environments_and_coordinator_and_nothing_else_of_the_platform(
    spec: WorkloadSpec, tmp_path: Path
) -> None:
    packages = tmp_path / "packages"
    (packages / "spacelab").mkdir(parents=True)
    software = pipelines.Software(packages, tmp_path / "src" / "cwl_runner")
    host = sandbox.Host(Path("/inside"), Path("/usr/bin/python3"), (), Path("/env"), None, root=True, software=software)
    words = sandbox.arguments(spec, host, sandbox_places(spec, 1000), Group(0, {}), {})
    shown = {
        words[at + 2]: (word, words[at + 1])
        for at, word in enumerate(words)
        if word in {"--bind", "--ro-bind"} and not words[at + 1].startswith(("/usr", "/bin", "/lib", "/sbin"))
    }
    run = str(tmp_path / "run")
    assert shown == {
        "/media/user": ("--bind", "/srv/ada"),
        "/run/spacelab-run": ("--bind", run),
        "/run/spacelab-run/bundle": ("--ro-bind", f"{run}/bundle"),
        "/run/spacelab-run/job.json": ("--ro-bind", f"{run}/job.json"),
        "/var/cache/spacelab-run": ("--bind", str(tmp_path / "cache")),
        "/.spacelab/inside": ("--ro-bind", "/inside"),
        "/.spacelab/packages": ("--ro-bind", str(packages)),
        "/.spacelab/runner/cwl_runner": ("--ro-bind", str(tmp_path / "src" / "cwl_runner")),
        "/opt/environments/figlet-1": ("--ro-bind", "/env/figlet-1"),
        "/opt/environments/lab-a": ("--ro-bind", "/env/lab-a"),
    }
    assert words[words.index("/.spacelab/packages/spacelab") - 1] == "--tmpfs"


def test_a_run_without_its_folder_is_refused(spec: WorkloadSpec, tmp_path: Path) -> None:
    (tmp_path / "cache").rmdir()
    gone = WorkloadSpec("r1", "ada", Kind.BATCH, (), run=spec.run)
    with pytest.raises(RuntimeFault, match="The files of the volume “cache” are not there"):
        mounts.check(gone, None)


def test_an_environment_of_a_step_that_is_not_here_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFault, match="“figlet-1” is not on this machine"):
        launch.read_environment(Options(tmp_path, tmp_path), "figlet-1")


def test_a_step_on_a_node_sees_the_interpreters_of_its_run(spec: WorkloadSpec, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    slurm.prepare(Options(tmp_path / "state", tmp_path / "env"), spec, (Path("/opt/python"),))
    orders = json.loads((tmp_path / "state" / ".brokers" / "r1" / "orders.json").read_text())
    at = orders["system"].index("/opt/python")
    assert orders["system"][at - 1 : at + 2] == ["--ro-bind", "/opt/python", "/opt/python"]


def test_software_is_told_apart_into_environments_and_images() -> None:
    run = PipelineRun.of("/f", "/c", {"software/a:1": "a-1", "python:3": "image:docker.io/library/python:3"})
    assert run == PipelineRun("/f", "/c", {"software/a:1": "a-1"}, {"python:3": "docker.io/library/python:3"})


def test_a_job_s_variables_reach_nothing_that_still_has_rights_on_a_node(tmp_path: Path) -> None:
    orders = {
        "places": [str(tmp_path)], "folder": str(tmp_path), "control": str(tmp_path), "uid": 1000, "binds": [],
        "system": [], "images": None, "network": "none", "resources": {"memory_mb": 64, "scratch_mb": 1},
        "python": "python3", "conf": "", "more": [], "name": "n",
    }  # fmt: skip
    (tmp_path / "orders.json").write_text(json.dumps(orders))
    asked = {"job": "0", "place": 0, "image": "", "argv": ["true"], "folder": "/job/out"}
    hostile = {"LD_PRELOAD": "/job/out/evil.so", "PATH": "/job/out"}
    order = checked({**asked, "environment": hostile}, orders)
    words = SlurmBroker(tmp_path).sandbox(order)
    dropped = words.index("/usr/bin/setpriv")
    assert not any("LD_PRELOAD" in word for word in words[:dropped])
    assert words[words.index("PATH") + 1] == "/usr/local/bin:/usr/bin:/bin"
    last = words.index("/usr/bin/env")
    assert dropped < last < words.index("LD_PRELOAD=/job/out/evil.so")
    for bad in ({"environment": {"A=B": "c"}}, {"environment": {}, "argv": ["LD_PRELOAD=x", "true"]}):
        with pytest.raises(Refused):
            checked({**asked, **bad}, orders)
