"""From a bare notebook to a running datalab, end to end, by phases, on a whole platform.

Usage: benchmarks/notebook.py [--runtime process|container] [--rounds 3]
Through the API, as a developer's browser does: upload, plan, wait in the queue, build, checks, launch, ready. The
notebook is new in each round and imports a package that no base has; its wheel is in the cache after the first round.
The peer is oneself at a shell: a virtual environment with the same package by `uv`, which builds no image.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.client import Client
from support.packages import META, notebook
from support.platform import running_platform

PHASES = {"planned": "plan", "queued": "order", "building": "queue", "checking": "build", "built": "checks"}
"""The state that ends a phase → what the phase is called."""
LOOK = 0.05


def one_round(client: Client) -> dict[str, float]:
    """Bring a new notebook, build it, launch it; return the seconds of each phase."""
    cell = f"import humanize  # {secrets.token_hex(8)}"
    files = [
        ("files", ("stars.ipynb", notebook(cell).encode())),
        ("files", ("datalab-meta.yml", META.encode())),
    ]
    began = time.monotonic()
    made = client.api("POST", "/builds", files=files).raise_for_status().json()
    took = {"upload and plan": time.monotonic() - began}
    client.api("POST", f"/builds/{made['id']}/start", json={}).raise_for_status()
    while made["state"] not in {"built", "failed"}:
        time.sleep(LOOK)
        made = client.api("GET", f"/builds/{made['id']}").raise_for_status().json()
    assert made["state"] == "built", made
    before = None
    for change in made["changes"]:
        at = datetime.fromisoformat(change["at"])
        if before is not None and change["state"] in PHASES and change["state"] != "planned":
            took[PHASES[change["state"]]] = (at - before).total_seconds()
        before = at
    launching = time.monotonic()
    session = client.launch("nearby-stars", volumes=[])
    took["launch to ready"] = time.monotonic() - launching
    took["in all"] = time.monotonic() - began
    client.stop(session)
    return took


def by_hand() -> float:
    """Make an environment with the package at a shell; return the seconds."""
    uv = Path(sys.executable).parent / "uv"
    with tempfile.TemporaryDirectory() as place:
        began = time.monotonic()
        for command in (["venv", "-q", place + "/env"], ["pip", "install", "-q", "-p", place + "/env", "humanize"]):
            subprocess.run([uv, *command], check=True, cwd=place)
        return time.monotonic() - began


def main() -> None:
    """Print the medians of the phases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runtime", choices=["process", "container"], default="process")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with running_platform(arguments.runtime) as platform:
        client = Client(platform, "demo-developer")
        rounds = [one_round(client) for _ in range(arguments.rounds + 1)]
    first, later = rounds[0], rounds[1:]
    print(f"{arguments.runtime}: the first, then the median of {len(later)}")
    for phase in later[0]:
        print(f"{phase:<16} {first.get(phase, 0):6.2f} s  {statistics.median(one[phase] for one in later):6.2f} s")
    print(f"{'by hand: uv':<16} {by_hand():6.2f} s")


if __name__ == "__main__":
    main()
