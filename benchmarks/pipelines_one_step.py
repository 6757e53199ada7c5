"""What a run of one step takes over its command, from a preloaded parent.

Usage: benchmarks/pipelines_one_step.py [--rounds 20] [--reference]
A document is loaded, checked, run in a sandbox, its output delivered, all events written; the goal is at most 50 ms
over the command itself (which is run as a plain process beside it). `--reference` adds cwltool's own command.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipelines_scatter import forked

from cwl_runner import warm

DOCUMENT = """
cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs: {word: {type: string, inputBinding: {}}}
stdout: said.txt
outputs: {said: stdout}
"""


def make(folder: Path, number: int) -> None:
    """Write a run folder."""
    (folder / "bundle").mkdir(parents=True)
    (folder / "bundle" / "main.cwl").write_text(DOCUMENT)
    (folder / "job.json").write_text(json.dumps({"word": str(number)}))
    options = {"main": "main.cwl", "outdir": str(folder / "out"), "cache": str(folder.parent / "cache")}
    (folder / "options.json").write_text(json.dumps(options))


def ended(folder: Path, began: float) -> float:
    """Give the seconds from a time until the run told its end."""
    lines = (folder / "events.jsonl").read_text().splitlines()
    last = json.loads(lines[-1])
    assert (last["event"], last["state"]) == ("run-ended", "succeeded")
    return float(last["at"]) - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--folder", default=None, help="where to work (default: the temporary folder)")
    given = parser.parse_args()
    warm.preload()
    work = Path(tempfile.mkdtemp(prefix="one-step-", dir=given.folder))
    times: dict[str, list[float]] = {"command": [], "ours": [], "cwltool": []}
    for number in range(given.rounds):
        folder = work / str(number)
        make(folder, number)
        began = time.monotonic()
        subprocess.run(["echo", str(number)], check=True, stdout=subprocess.DEVNULL)
        times["command"].append(time.monotonic() - began)
        clock = time.time()
        assert forked(["run", str(folder)]) == 0
        times["ours"].append(ended(folder, clock))
        if given.reference and number < 5:
            command = [sys.executable, "-m", "cwltool", "--quiet", "--outdir", str(folder / "reference")]
            began = time.monotonic()
            files = [str(folder / "bundle" / "main.cwl"), str(folder / "job.json")]
            subprocess.run([*command, *files], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            times["cwltool"].append(time.monotonic() - began)
    shutil.rmtree(work)
    medians = {name: statistics.median(values) for name, values in times.items() if values}
    for name, seconds in medians.items():
        print(f"{name:10} {seconds * 1000:7.1f} ms   over the command {(seconds - medians['command']) * 1000:7.1f} ms")


if __name__ == "__main__":
    main()
