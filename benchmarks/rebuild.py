"""A rebuild after changing one notebook against an empty `podman build`, alternating in one run.

Usage: benchmarks/rebuild.py [--rounds 5]
Ours is timed from the order to the runtime's report that the image is there: a companion, a builder of its own, the
context packed and compared, the unchanged steps from the cache, the new layer. The other is `podman build` of a
Dockerfile with nothing but the same base, over the same storage. The goal is at most three seconds more.
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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from spacelab.workloads.ports import StepSeen
from support.engine import Engine, running_engine
from support.image_builds import Bench

LOOK = 0.15
"""Seconds between two looks, as the controller's."""

NOTEBOOKS = 20
NOTEBOOK_BYTES = 200_000
INSTALLING = "RUN sleep 5; head -c 50000000 /dev/urandom >/opt/packages"
"""Stands for what installs packages: it takes a while, and leaves much on the disk."""


def notebook(text: str) -> str:
    """Return a notebook of a usual size."""
    cell = {"cell_type": "code", "source": [text.ljust(NOTEBOOK_BYTES)], "metadata": {}, "outputs": []}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def ours(bench: Bench, folder: Path) -> tuple[float, list[StepSeen]]:
    """Build as the platform does; return the seconds, and the steps."""
    began = time.monotonic()
    bench.runtime.start(spec := bench.spec(folder), {})
    while bench.seen(spec).seen != "exited":
        time.sleep(LOOK)
    seconds = time.monotonic() - began
    assert bench.seen(spec).exit_code == 0, bench.log(spec)
    steps = bench.runtime.build_steps(spec.id)
    bench.runtime.forget(spec.id)
    return seconds, steps


def empty(engine: Engine, folder: Path) -> float:
    """Build nothing; return the seconds."""
    began = time.monotonic()
    command = engine.podman("build", "--quiet", "--tag", "localhost/spacelab-test/empty", str(folder))
    subprocess.run(command, env=engine.variables, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    state = Path(tempfile.mkdtemp(prefix="spb-"))
    with running_engine() as engine:
        bench = Bench.on(engine, state)
        lines = ("COPY requirements.txt /opt/", INSTALLING, "COPY notebooks /media/notebooks", "RUN true")
        folder = bench.context(*lines, **{"requirements.txt": "numpy\n"})
        (folder / "notebooks").mkdir()
        for number in range(NOTEBOOKS):
            (folder / "notebooks" / f"{number}.ipynb").write_text(notebook("1 + 1"))
        nothing = bench.context()
        print(f"first build: {ours(bench, folder)[0]:.2f} s")
        empty(engine, nothing)
        rebuilt, bare, last = [], [], list[StepSeen]()
        for number in range(rounds):
            (folder / "notebooks" / "0.ipynb").write_text(notebook(f"{number} + {time.time()}"))
            seconds, last = ours(bench, folder)
            rebuilt.append(seconds)
            bare.append(empty(engine, nothing))
            print(f"rebuilt {rebuilt[-1]:.2f} s, empty podman build {bare[-1]:.2f} s")
        assert [step.cached for step in last][1:4] == [True, True, False], last
        ours_median, bare_median = statistics.median(rebuilt), statistics.median(bare)
        print(f"median: {ours_median:.2f} s, {bare_median:.2f} s; {ours_median - bare_median:+.2f} s (goal: +3 s)")
        bench.clear()
    shutil.rmtree(state)


if __name__ == "__main__":
    main()
