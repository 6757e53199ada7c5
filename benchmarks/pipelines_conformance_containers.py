"""The public CWL v1.2 conformance suite as the platform runs it beside a container engine: each test is a whole run.

Usage: benchmarks/pipelines_conformance_containers.py SUITE --engine ADDRESS --image NAME=IMAGE …
       [--cwltest cwltest] [--tests 1-50]
SUITE is a checkout of the standard's repository (with `conformance_tests.yaml`), readable to everybody; cwltest comes
from PyPI, in an environment of its own. NAME is an image as the tests name it (docker.io/debian:stable-slim,
docker.io/python:3-slim, docker.io/bash:4.4, docker.io/alpine:latest), IMAGE one that the engine has.
A run has its own sandbox, coordinator and broker; steps that name an image are containers, the others sandboxes. The
reference runner passes 375 of 378 with the same images.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from itertools import count
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spacelab.site.settings")

from pipelines_conformance import measure

from cwl_runner import documents
from cwl_runner.roots import Roots
from spacelab.volumes.rules import Mount
from spacelab.workloads.rules import RUN_CACHE, Kind, Network, PipelineRun, Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.container import ContainerRuntime, Options

SHOWN = "/data/suite"
RESULTS = "/media/user"
ASK = """#!{python} -IS
import json, os, socket, sys
asked = socket.socket(socket.AF_UNIX)
asked.connect({socket!r})
asked.sendall(json.dumps([os.getcwd(), *sys.argv[1:]]).encode() + b"\\n")
told = json.loads(asked.makefile().read())
sys.stdout.write(told["out"])
sys.stderr.write(told["err"])
sys.exit(told["code"])
"""


class Platform:
    """Carries out one document after the other, or several at once, as runs of the container runtime."""

    def __init__(self, folder: Path, suite: Path, given: argparse.Namespace) -> None:
        self.folder, self.suite = folder, suite
        self.images = dict(one.split("=", 1) for one in given.image)
        self.numbers = count()
        self.lock = threading.Lock()
        (folder / "results").mkdir()
        (folder / "results").chmod(0o777)
        options = Options(folder / "state", given.engine, companion_image="", environments=folder / "env", warm=True)
        self.runtime = ContainerRuntime(options)
        self.runtime.runs.process.preloaded.begin()
        assert self.runtime.runs.process.preloaded.wait(60)

    def spec(self, number: int, document: str, job: str) -> WorkloadSpec:
        """Write a run's folder, and describe its workload."""
        run = self.folder / f"run-{number}"
        (run / "cache").mkdir(parents=True)
        shutil.copytree(self.suite, run / "bundle", copy_function=os.link)
        path, _, fragment = document.partition("#")
        main = str(Path(path).resolve().relative_to(self.suite)) + (f"#{fragment}" if fragment else "")
        outdir = f"{RESULTS}/{number}"
        wanted = {"main": main, "outdir": outdir, "cache": RUN_CACHE, "reuse": False, "parallel": 2, "on_error": "stop"}
        (run / "options.json").write_text(json.dumps(wanted | {"images": list(self.images), "network": True}))
        (run / "job.json").write_text(json.dumps(self.order(job) if job else {}))
        mounts = (
            Mount(str(self.suite), SHOWN),
            Mount(str(self.folder / "results"), RESULTS, read_only=False),
        )
        carried = PipelineRun(str(run), str(run / "cache"), images=self.images)
        resources = Resources(cpu=2, memory_mb=4096)
        return WorkloadSpec(
            f"c{number}",
            "ada",
            Kind.BATCH,
            (),
            mounts=mounts,
            run=carried,
            resources=resources,
            network=Network.OUTBOUND,
        )

    def order(self, job: str) -> Any:
        """Read a job order, and say of its files where the run sees them."""
        context = documents.plain_context(Roots(["/"]), network=False)
        text = json.dumps(documents.read_order_file(job, context), default=str)
        return json.loads(text.replace(f"file://{self.suite}", f"file://{SHOWN}"))

    def carry_out(self, words: list[str]) -> dict[str, Any]:
        """Do what a CWL runner's command does; return its exit code and what it would print."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--outdir")
        parser.add_argument("--quiet", action="store_true")
        parser.add_argument("document")
        parser.add_argument("job", nargs="?", default="")
        folder, *rest = words
        given = parser.parse_args(rest)
        with self.lock:
            number = next(self.numbers)
        job = str(Path(folder, given.job)) if given.job else ""
        spec = self.spec(number, str(Path(folder, given.document)), job)
        assert spec.run
        self.runtime.start(spec, {})
        while True:
            with self.lock:
                seen = self.runtime.observe()[spec.id]
            if seen.seen is Seen.EXITED:
                break
            time.sleep(0.02)
        lines = Path(spec.run.folder, "events.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        with self.lock:
            self.runtime.forget(spec.id)
        made, kept = self.folder / "results" / str(number), Path(folder, given.outdir)
        if made.is_dir():
            shutil.copytree(made, kept, dirs_exist_ok=True)
        outputs = json.dumps(events[-1].get("outputs"))
        told = outputs.replace(f"file://{RESULTS}/{number}", f"file://{kept}").replace(f"{RESULTS}/{number}", str(kept))
        said = [one.get("message", "") for one in events if one["event"] == "problem"]
        shutil.rmtree(spec.run.folder)
        return {"code": seen.exit_code, "out": told, "err": "\n".join([*said, seen.reason])}


def main() -> None:
    """Load the platform's part, run cwltest, print what failed, its last line, and the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--image", action="append", default=[])
    parser.add_argument("--cwltest", default="cwltest")
    parser.add_argument("--tests", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.suite.parent) as name:
        folder = Path(name)
        folder.chmod(0o755)
        platform = Platform(folder, given.suite.resolve() / "tests", given)

        class Answer(StreamRequestHandler):
            def handle(self) -> None:
                try:
                    told = platform.carry_out(json.loads(self.rfile.readline()))
                except Exception as error:  # noqa: BLE001  cwltest shows it with the test
                    told = {"code": 70, "out": "", "err": f"{type(error).__name__}: {error}"}
                self.wfile.write(json.dumps(told).encode())

        address = folder / "socket"
        server = ThreadingUnixStreamServer(str(address), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tool = folder / "tool"
        tool.write_text(ASK.format(python=sys.executable, socket=str(address)))
        tool.chmod(0o755)
        measure(given, tool)
        server.shutdown()
        platform.runtime.end()


if __name__ == "__main__":
    main()
