"""A container engine for a test run: Podman's service on a socket of its own, over images that survive the run.

The images are in a cache folder, so that what takes a while is made once per machine; each run has its own socket.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import docker

START_PATIENCE = 60.0
BUILD_PATIENCE = 600
RUN_PATIENCE = 120

CONTRACT_IMAGE = "localhost/spacelab-test/contract"
"""A minimal Debian with Python and tini: what the tests of the runtime run."""


def cache_folder() -> Path:
    """Where images are kept between runs: one folder for each user."""
    named = os.environ.get("SPACELAB_TEST_ENGINE")
    suffix = "" if os.geteuid() == 0 else f"-{os.geteuid()}"
    return Path(named) if named else Path(f"/var/tmp/spacelab-test-engine{suffix}")  # noqa: S108  checked below


def missing_programs() -> str:
    """Say which programs a test engine lacks here; nothing when it lacks none."""
    wanted = {"podman": "podman", "mmdebstrap": "mmdebstrap"}
    missing = [package for program, package in wanted.items() if not shutil.which(program)]
    return f"this machine has no container engine for tests: apt-get install {' '.join(missing)}" if missing else ""


def configuration() -> str:
    """Write Podman's configuration for this kind of machine: which runtime and limits it can have at all."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    limits = [f"nofile={files}:{files}" if 0 < files < 2**20 else "", "nproc=1000:1000" if processes > 0 else ""]
    lines = ["[containers]", f"default_ulimits = {json.dumps([limit for limit in limits if limit])}", "[engine]"]
    if not shutil.which("crun"):
        lines.append('runtime = "runc"')
    if not Path("/run/systemd/system").is_dir():
        lines += ['cgroup_manager = "cgroupfs"', 'events_logger = "file"']
    return "\n".join([*lines, "[network]", 'network_backend = "netavark"', ""])


@dataclass(frozen=True)
class Engine:
    """A running engine: its address, and the ways to give it images."""

    socket: Path
    cache: Path
    service: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The engine's address, as `SPACELAB_CONTAINER_ENGINE` and `DOCKER_HOST` take it."""
        return f"unix://{self.socket}"

    @cached_property
    def client(self) -> docker.DockerClient:
        """A client of this engine."""
        return docker.DockerClient(base_url=self.url, timeout=BUILD_PATIENCE)

    @property
    def variables(self) -> dict[str, str]:
        """What Podman's own programs need in their environment, so that they do as the service does."""
        return {**os.environ, "CONTAINERS_CONF": str(self.cache / "containers.conf")}

    def podman(self, *arguments: str) -> list[str]:
        """Return the command line of Podman over the same images and containers."""
        return ["podman", "--root", str(self.cache / "store"), "--runroot", str(self.cache / "run"), *arguments]

    def run(self, image: str, command: list[str] | None = None, **options: Any) -> str:
        """Run an image's command, or another, without a network; return what it printed once it has ended well.

        What a container prints can't be followed safely: Podman may miss the end of one that ends at once.
        """
        container = self.client.containers.run(image, command, detach=True, network_mode="none", **options)
        try:
            status = container.wait(timeout=RUN_PATIENCE)["StatusCode"]
            said: str = container.logs().decode()
            assert status == 0, said
            return said
        finally:
            container.remove(force=True)

    def flat_copy(self, image: str, name: str) -> None:
        """Make an image of another one's files alone, without its layers, variables and labels."""
        container = self.client.containers.create(image, ["true"])
        archive = self.cache / "flat.tar"
        try:
            for command in (
                self.podman("export", "--output", str(archive), str(container.id)),
                self.podman("import", "--quiet", "--change", "CMD /bin/bash", str(archive), name),
            ):
                subprocess.run(
                    command, check=True, env=self.variables, stdout=subprocess.DEVNULL, timeout=BUILD_PATIENCE
                )
        finally:
            container.remove(force=True)
            archive.unlink(missing_ok=True)


def _prepare(cache: Path) -> None:
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    if cache.stat().st_uid != os.geteuid():
        raise RuntimeError(f"{cache} belongs to another user; name another folder in SPACELAB_TEST_ENGINE")
    fresh = cache / f".containers.conf.{os.getpid()}"
    fresh.write_text(configuration())
    fresh.replace(cache / "containers.conf")


@contextmanager
def running_engine(cache: Path | None = None) -> Iterator[Engine]:
    """Run Podman's service as long as the context lasts; what it carries goes on and is the tests' to remove."""
    folder = Path(tempfile.mkdtemp(prefix="spe-"))
    engine = Engine(folder / "engine.sock", cache or cache_folder())
    _prepare(engine.cache)
    log = folder / "engine.log"
    with log.open("wb") as output:
        service = subprocess.Popen(
            engine.podman("system", "service", "--time=0", engine.url),
            env=engine.variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,  # conmon leaves files where it is started
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_PATIENCE
        while not engine.socket.exists():
            if service.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the test engine does not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield replace(engine, service=service)
    finally:
        service.send_signal(signal.SIGTERM)
        try:
            service.wait(timeout=10)
        except subprocess.TimeoutExpired:
            service.kill()
            service.wait()
        shutil.rmtree(folder, ignore_errors=True)
