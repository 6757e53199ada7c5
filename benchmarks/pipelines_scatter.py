"""A scatter of trivial steps against `xargs -P2` of the same commands, alternating in one run.

Usage: benchmarks/pipelines_scatter.py [--steps 500] [--rounds 5] [--reference]
Ours is the coordinator, forked from a preloaded parent, with a sandbox for its steps, events, logs and the cache on;
timed from the fork until the run has ended. The floor is what the same shell commands take by themselves; the second
floor gives each command a folder and an output file of its own, as every step of a pipeline has. The goal is at most
1.5 times the second; on two quiet cores it was 1.0, and 2.9 times the first.
`--reference` adds cwltool's own command with `--parallel`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cwl_runner import cli, warm

DOCUMENT = """
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
      baseCommand: [sh, -c, 'echo "$0"']
      inputs: {word: {type: string, inputBinding: {}}}
      stdout: said.txt
      outputs: {said: stdout}
"""
FLOOR = 'echo "$0"'
FOLDERS = 'mkdir "$0" && exec sh -c "echo $0" >"$0/said.txt"'


def make(folder: Path, steps: int) -> None:
    """Write a run folder."""
    (folder / "bundle").mkdir(parents=True)
    (folder / "bundle" / "main.cwl").write_text(DOCUMENT)
    (folder / "job.json").write_text(json.dumps({"words": [str(number) for number in range(steps)]}))
    options = {"main": "main.cwl", "outdir": str(folder / "out"), "parallel": 2}
    (folder / "options.json").write_text(json.dumps(options))


def forked(arguments: list[str]) -> int:
    """Carry out a command line in a forked child, as a preloaded parent does; return its exit code."""
    if (child := os.fork()) == 0:
        os._exit(cli.main(arguments))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def ours(folder: Path, steps: int) -> float:
    """Run the scatter; return the seconds until its outputs are there."""
    make(folder, steps)
    began = time.monotonic()
    assert forked(["run", str(folder)]) == 0
    seconds = time.monotonic() - began
    lines = (folder / "events.jsonl").read_text().splitlines()
    assert sum('"event": "job-ended"' in line for line in lines) == steps
    assert len(list((folder / "out").iterdir())) == steps
    return seconds


def floor(folder: Path, steps: int, command: str) -> float:
    """Run the commands by xargs; return the seconds."""
    folder.mkdir()
    numbers = "\n".join(str(number) for number in range(steps)).encode()
    began = time.monotonic()
    xargs = ["xargs", "-P2", "-n1", "sh", "-c", command]
    subprocess.run(xargs, input=numbers, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def reference(folder: Path, steps: int) -> float:
    """Run the scatter by cwltool's command; return the seconds."""
    make(folder, steps)
    command = [sys.executable, "-m", "cwltool", "--parallel", "--quiet", "--outdir", str(folder / "out")]
    began = time.monotonic()
    files = [str(folder / "bundle" / "main.cwl"), str(folder / "job.json")]
    subprocess.run([*command, *files], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--folder", default=None, help="where to work (default: the temporary folder)")
    given = parser.parse_args()
    warm.preload()
    times: dict[str, list[float]] = {"ours": [], "floor": [], "floor with folders": [], "cwltool": []}
    for _ in range(given.rounds):
        work = Path(tempfile.mkdtemp(prefix="scatter-", dir=given.folder))
        times["floor"].append(floor(work / "floor", given.steps, FLOOR))
        times["floor with folders"].append(floor(work / "folders", given.steps, FOLDERS))
        times["ours"].append(ours(work / "ours", given.steps))
        if given.reference:
            times["cwltool"].append(reference(work / "cwltool", given.steps))
        shutil.rmtree(work)
    medians = {name: statistics.median(values) for name, values in times.items() if values}
    for name, seconds in medians.items():
        share = seconds / medians["floor"]
        print(f"{name:20} {seconds:7.3f} s   {share:5.2f} of the floor")
    print(f"ours / floor with folders: {medians['ours'] / medians['floor with folders']:.2f}")


if __name__ == "__main__":
    main()
