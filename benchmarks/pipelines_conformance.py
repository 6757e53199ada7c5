"""The public CWL v1.2 conformance suite through cwltest, each document run by a child of one preloaded parent.

Usage: benchmarks/pipelines_conformance.py SUITE [--backend bubblewrap] [--cwltest cwltest] [--tests 1-50] [--reference]
SUITE is a checkout of the standard's repository (with `conformance_tests.yaml`); cwltest comes from PyPI, in an
environment of its own. Tests that need a container can't pass without one: the reference runner passes 363 of 378.
`--reference` has cwltool's own command take the same tests afterwards. The tests' `python` is the one that runs this.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cwl_runner import ask
from cwl_runner.serving import serve


def main() -> None:
    """Start the parent, run cwltest, print its last line and the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--backend", default="bubblewrap")
    parser.add_argument("--cwltest", default="cwltest")
    parser.add_argument("--tests", default="")
    parser.add_argument("--reference", action="store_true")
    given = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        socket = folder / "socket"
        if (parent := os.fork()) == 0:
            serve(socket)
        tool = folder / "tool"
        words = [sys.executable, "-I", ask.__file__, str(socket), "--backend", given.backend, "--parallel", "1"]
        tool.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
        tool.chmod(0o755)
        while subprocess.run([tool, "--version"], check=False, capture_output=True).returncode:
            time.sleep(0.2)
        measure(given, tool)
        os.kill(parent, signal.SIGTERM)
        os.waitpid(parent, 0)
        if given.reference:
            tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m cwltool --no-container "$@"\n')
            measure(given, tool)


def measure(given: argparse.Namespace, tool: Path) -> None:
    """Run cwltest with a tool; print what failed, its last line, and the time."""
    began = time.monotonic()
    chosen = ["-n", given.tests] if given.tests else []
    command = [given.cwltest, "--test", "conformance_tests.yaml", "--tool", str(tool), "-j", "2", *chosen]
    done = subprocess.run(command, cwd=given.suite, check=False, capture_output=True, text=True)
    seconds = time.monotonic() - began
    for line in done.stderr.splitlines():
        if " failed: " in line or " unsupported" in line:
            print(line)
    print(f"{seconds // 60:.0f} min {seconds % 60:.0f} s", flush=True)


if __name__ == "__main__":
    main()
