"""From handing a run of one trivial step to the process runtime until the coordinator's last event, warm and cold.

Run as `python benchmarks/pipelines_start.py [repeats]`. The command itself takes about a millisecond; all else is ours:
the sandbox, the coordinator's start, reading the document, the step's own sandbox, collecting its outputs. Half a
second lies between two runs, as between two of a person's. The goal is at most 50 ms beside the command.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spacelab.site.settings")

from spacelab.volumes.rules import Mount
from spacelab.workloads.rules import RUN_CACHE, Kind, PipelineRun, Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.process import Options, ProcessRuntime

TOOL = """
cwlVersion: v1.2
class: CommandLineTool
inputs: {text: {type: string, inputBinding: {}}}
outputs: {said: {type: stdout}}
stdout: said.txt
baseCommand: echo
"""
LOADED_WITHIN = 30.0
PAUSE = 0.5


def prepare(folder: Path, number: int, cpu: float) -> WorkloadSpec:
    """Write a run's folder, and describe its workload."""
    run = folder / f"run-{number}"
    (run / "bundle").mkdir(parents=True)
    for name in ("cache", "mine"):
        (folder / name).mkdir(exist_ok=True)
    options = {"main": "main.cwl", "outdir": f"/media/user/{number}", "cache": RUN_CACHE, "reuse": False}
    for name, text in {
        "bundle/main.cwl": TOOL,
        "job.json": json.dumps({"text": f"hello {number}"}),
        "options.json": json.dumps(options | {"parallel": 1}),
    }.items():
        (run / name).write_text(text)
    mounts = (Mount(str(folder / "mine"), "/media/user", read_only=False),)
    carried = PipelineRun(str(run), str(folder / "cache"))
    return WorkloadSpec(
        f"b{number}", "ada", Kind.BATCH, (), mounts=mounts, run=carried, resources=Resources(cpu=cpu, memory_mb=1024)
    )


def once(runtime: ProcessRuntime, spec: WorkloadSpec) -> dict[str, float]:
    """Carry out one run; return the milliseconds from its hand-over to each of its events."""
    assert spec.run
    events = Path(spec.run.folder, "events.jsonl")
    began = time.time()
    runtime.start(spec, {})
    returned = time.time()
    while not (events.exists() and b'"run-ended"' in events.read_bytes()):
        time.sleep(0.0005)
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert told[-1]["state"] == "succeeded", told
    times = {one["event"]: (one["at"] - began) * 1000 for one in told}
    job = next(one for one in told if one["event"] == "job-ended")
    times["command"] = (job["ended_at"] - job["started_at"]) * 1000
    times["start returned"] = (returned - began) * 1000
    while runtime.observe()[spec.id].seen is not Seen.EXITED:
        time.sleep(0.002)
    runtime.forget(spec.id)
    time.sleep(PAUSE)
    if runtime.options.standby:
        assert runtime.standbys.wait(LOADED_WITHIN)
    return times


def measure(name: str, *, warm: bool, repeats: int, cpu: float) -> None:
    """Repeat, and print medians."""
    with tempfile.TemporaryDirectory(prefix="spb-") as base:
        folder = Path(base)
        folder.chmod(0o755)
        runtime = ProcessRuntime(Options(folder / "state", folder / "env", warm=warm, standby=warm))
        if warm:
            runtime.preloaded.begin()
            assert runtime.preloaded.wait(LOADED_WITHIN)
        once(runtime, prepare(folder, 0, cpu))
        found = [once(runtime, prepare(folder, number, cpu)) for number in range(1, repeats + 1)]
        runtime.end()
    parts = {part: statistics.median(one[part] for one in found) for part in found[0]}
    whole = [one["run-ended"] - one["command"] for one in found]
    print(f"{name}: {statistics.median(whole):.0f} ms beside the command (best {min(whole):.0f})")
    print("    " + ", ".join(f"{part} {value:.0f}" for part, value in parts.items()))


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    measure("warm, two cores", warm=True, repeats=repeats, cpu=2)
    measure("warm, one core", warm=True, repeats=repeats, cpu=1)
    measure("cold, two cores", warm=False, repeats=max(3, repeats // 5), cpu=2)


if __name__ == "__main__":
    main()
