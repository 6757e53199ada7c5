"""Launch to ready in a container against `podman run` of the same image to the same answer, alternating in one run.

Usage: benchmarks/container_launch.py [--rounds 7] [--image IMAGE] [--seconds 0]
Without --image a small server in the tests' image is measured, which leaves nothing but the cost of the start; with
it, an image of a datalab, such as localhost/datalabs/jl_base:latest, as both would run it. --seconds lets the small
server think before it listens, as an application does that loads its libraries.
Ready means that a GET on the interface answers below 500: for ours at the socket that the edge dials, for `podman run`
at a port published on loopback. Images are taken from the engine of the tests.
"""

from __future__ import annotations

import argparse
import http.client
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from spacelab.workloads.rules import Interface, Kind, Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.container import ContainerRuntime, Options
from spacelab.workloads.runtimes.container.folder import INSIDE
from support.base_images import contract_image
from support.engine import Engine, running_engine
from support.ports import free_port

LOOK = 0.01
"""Seconds between two looks."""
PATIENCE = 120.0
PORT = 10000
SERVER = """
import http.server, time
time.sleep({seconds})
http.server.test(http.server.SimpleHTTPRequestHandler, port=10000, bind="{address}")
"""


def ours(runtime: ContainerRuntime, image: str, command: tuple[str, ...]) -> float:
    """Start a session, wait until it is seen ready, remove it; return the seconds until it was ready."""
    spec = WorkloadSpec(
        id="b" + secrets.token_hex(5),
        owner="ada",
        kind=Kind.INTERACTIVE,
        command=command,
        image=image,
        resources=Resources(cpu=2, memory_mb=2048),
        interface=Interface(port=PORT),
    )
    started = time.monotonic()
    runtime.start(spec, {"SPACELAB_TOKEN": "x"})
    while (seen := runtime.observe()[spec.id]).seen is not Seen.RUNNING:
        assert seen.seen is Seen.STARTING, (seen, b"".join(runtime.logs(spec.id)))
        assert time.monotonic() - started < PATIENCE
        time.sleep(LOOK)
    ready = time.monotonic() - started
    runtime.stop(spec.id, 0)
    while runtime.observe()[spec.id].seen is not Seen.EXITED:
        time.sleep(LOOK)
    runtime.forget(spec.id)
    return ready


def answers(port: int) -> bool:
    """Say whether the published port answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def bare(engine: Engine, image: str, command: tuple[str, ...], network: str) -> float:
    """Start the image with `podman run`, wait for its answer, remove it; return the seconds until then."""
    name, port = "bare-" + secrets.token_hex(4), free_port()
    where = (
        ["--network=host", f"--env=IF_main_port={port}"]
        if network == "host"
        else [f"--publish=127.0.0.1:{port}:{PORT}"]
    )
    limits = [
        "--cpus=2",
        "--memory=2g",
        "--read-only",
        "--cap-drop=all",
        "--tmpfs=/media/home",
        "--env=HOME=/media/home",
    ]
    limits.append(f"--volume={INSIDE}:/.datalab:ro")  # images of datalabs begin with what the platform puts there
    code = [word.replace(str(PORT), str(port)) if network == "host" else word for word in command]
    started = time.monotonic()
    run = engine.podman("run", "--detach", f"--name={name}", *where, *limits, f"--env=IF_main_id={name}", image, *code)
    subprocess.run(run, check=True, env=engine.variables, stdout=subprocess.DEVNULL, cwd="/")
    while not answers(port):
        assert time.monotonic() - started < PATIENCE
        time.sleep(LOOK)
    ready = time.monotonic() - started
    removed = engine.podman("rm", "--force", "--time=0", name)
    subprocess.run(removed, check=True, env=engine.variables, stdout=subprocess.DEVNULL, cwd="/")
    return ready


def main() -> None:
    """Measure both, in turns, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--image", default="")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--network", choices=["bridge", "host"], default="bridge", help="of the bare container")
    arguments = parser.parse_args()
    state = Path(tempfile.mkdtemp(prefix="spl-"))
    state.chmod(0o755)
    with running_engine() as engine:
        companion = contract_image(engine)
        image = arguments.image or companion
        runtime = ContainerRuntime(Options(state / "run", engine.url, companion_image=companion))
        inside: tuple[str, ...] = ()
        outside: tuple[str, ...] = ()
        if not arguments.image:
            inside, outside = (
                ("python3", "-c", SERVER.format(seconds=arguments.seconds, address=address))
                for address in ("127.0.0.1", "0.0.0.0")  # noqa: S104  inside its own network
            )
        figures: dict[str, list[float]] = {"spacelab": [], "podman run": []}
        try:
            for turn in range(arguments.rounds + 1):
                one = ours(runtime, image, inside), bare(engine, image, outside, arguments.network)
                if turn:  # the first fills the caches
                    for name, seconds in zip(figures, one, strict=True):
                        figures[name].append(seconds)
        finally:
            shutil.rmtree(state, ignore_errors=True)
    for name, seconds in figures.items():
        print(f"{name:<12} median {statistics.median(seconds):.2f} s, {min(seconds):.2f}-{max(seconds):.2f}")
    ratio = statistics.median(figures["spacelab"]) / statistics.median(figures["podman run"])
    print(f"ratio {ratio:.2f} ({arguments.rounds} rounds, {image})")


if __name__ == "__main__":
    main()
