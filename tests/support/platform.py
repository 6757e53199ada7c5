"""A whole platform for a test run: edge, web and controller on a free port, with a state directory of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from spacelab.workloads.runtimes.container import Options
from spacelab.workloads.runtimes.container.specification import PART_LABEL, PLATFORM_LABEL
from support.engine import Engine, running_engine
from support.ports import free_port
from support.template import ARCHIVES, ENVIRONMENTS, first_state

FIRST_START_PATIENCE = 600.0
BASE = "bootstrap:bookworm"
"""What base images start from in tests: no registry is needed."""


@dataclass
class Platform:
    """A running platform: its address, its state, and the variables with which its commands are run."""

    port: int
    state: Path
    process: subprocess.Popen[bytes] | None = None
    settings: dict[str, str] = field(default_factory=dict)
    """More variables of its programs, such as `SPACELAB_SANDBOX`."""

    @property
    def url(self) -> str:
        """The portal's address."""
        return f"http://localhost:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every command on this platform."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPACELAB_", "DJANGO_"))}
        return {**kept, "SPACELAB_STATE": str(self.state), "SPACELAB_PORT": str(self.port), **self.settings}

    def command(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `spacelab` with these arguments on this platform's state."""
        return subprocess.run(
            [sys.executable, "-m", "spacelab", *arguments],
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self) -> None:
        """Start the platform and wait until it prints its address."""
        log = self.state.parent / f"{self.state.name}-up.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "spacelab", "up"], env=self.variables, stdout=output, stderr=output
            )
        deadline = time.monotonic() + FIRST_START_PATIENCE
        while "Spacelab is ready" not in log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the platform does not start:\n{log.read_text()}")
            time.sleep(0.1)

    def program(self, name: str) -> int:
        """Return the process id of `edge`, `web` or `controller`."""
        if self.process is None:
            raise RuntimeError("the platform is not running")
        marks = {"edge": "caddy", "web": "uvicorn", "controller": "controller"}
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            line = Path(f"/proc/{child}/cmdline").read_bytes().decode().replace("\0", " ")
            if marks[name] in line:
                return int(child)
        raise RuntimeError(f"no {name} among {children}")

    def stop(self, *, sessions: bool = True) -> int:
        """End the platform, and its sessions unless they are to go on; return the exit status of `up`."""
        if self.process is None:
            return 0
        if sessions:
            self.command("stop-sessions")
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=60)
        self.process = None
        return status


@contextmanager
def running_platform(runtime: str = "process", **settings: str) -> Iterator[Platform]:
    """Run a platform on a fresh state for as long as the block lasts, with these variables more.

    With the runtime `container` it uses the tests' engine, where in the end nothing is left of it but images.
    """
    folder = Path(tempfile.mkdtemp(prefix="spacelab-platform-"))
    folder.chmod(0o755)
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(running_engine()) if runtime == "container" else None
        settings = (container_settings(engine) if engine else {}) | settings
        platform = Platform(port=free_port(), state=folder / "state", settings=settings)
        try:
            with first_state(platform.state, ARCHIVES, *(() if engine else (ENVIRONMENTS,))):
                platform.start()
            yield platform
        finally:
            platform.stop()
            if engine:
                remove_containers(engine, platform.state / "run")
            shutil.rmtree(folder, ignore_errors=True)


def container_settings(engine: Engine) -> dict[str, str]:
    """Return the variables of a platform on the tests' engine: a few datalabs, and no registry."""
    bundle = os.environ.get("SPACELAB_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    return {
        "SPACELAB_RUNTIME": "container",
        "SPACELAB_CONTAINER_ENGINE": engine.url,
        "SPACELAB_BASE_IMAGE": BASE,
        "SPACELAB_CATALOGUE_DATALABS": "jupyterlab,sky-explorer",
        **({"SPACELAB_CA_BUNDLE": bundle} if bundle else {}),
    }


def remove_containers(engine: Engine, run_directory: Path) -> None:
    """Remove the containers of a platform that has ended: those that its controller had no time for any more."""
    for directory in (run_directory, run_directory / "bench"):
        mark = f"{PLATFORM_LABEL}={Options(directory).platform}"
        found = engine.client.containers.list(all=True, filters={"label": mark})
        for container in sorted(found, key=lambda one: one.labels.get(PART_LABEL) == "companion"):
            container.remove(force=True)
