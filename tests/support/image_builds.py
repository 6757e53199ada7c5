"""Builds of images as workloads, on a real engine: ordered, followed, and what they leave."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from docker.errors import NotFound

from spacelab.kit.ids import new_id
from spacelab.workloads.rules import ImageBuild, Kind, Network, Observation, Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.container import ContainerRuntime, Options
from spacelab.workloads.runtimes.container.building_network import namespace, upper_folder
from spacelab.workloads.runtimes.container.specification import companion_name
from support.base_images import contract_image
from support.engine import CONTRACT_IMAGE, Engine

PATIENCE = 150.0
RESOURCES = Resources(cpu=2, memory_mb=256, scratch_mb=256, processes=64)


@dataclass
class Bench:
    """An engine, a runtime on it, and the builds that were ordered."""

    engine: Engine
    state: Path
    options: Options
    runtime: ContainerRuntime
    ordered: list[WorkloadSpec] = field(default_factory=list)

    @classmethod
    def on(cls, engine: Engine, state: Path) -> Bench:
        """Set up a runtime whose companions and builds use the contract image."""
        options = Options(state / "run", engine.url, companion_image=contract_image(engine), disk_reserve_mb=64)
        return cls(engine, state, options, ContainerRuntime(options))

    def context(self, *lines: str, **files: str) -> Path:
        """Make a folder with a Dockerfile of these lines below the base, and these files."""
        folder = Path(tempfile.mkdtemp(dir=self.state))
        (folder / "Dockerfile").write_text("\n".join([f"FROM {CONTRACT_IMAGE}", *lines, ""]))
        for name, text in files.items():
            (folder / name).write_text(text)
        return folder

    def spec(self, context: Path, *, network: Network = Network.NONE, **values: object) -> WorkloadSpec:
        """Describe the build of a folder."""
        workload_id = new_id()
        build = ImageBuild(str(context), f"localhost/spacelab-test/built:{workload_id}", labels={"made.by": "a test"})
        fields: dict[str, object] = {"resources": RESOURCES, "build": build, "network": network} | values
        spec = WorkloadSpec(workload_id, "ada", Kind.BATCH, (), **fields)  # type: ignore[arg-type]
        self.ordered.append(spec)
        return spec

    def start(self, *lines: str, **values: object) -> WorkloadSpec:
        """Start the build of a Dockerfile of these lines below the base."""
        spec = self.spec(self.context(*lines), **values)  # type: ignore[arg-type]
        self.runtime.start(spec, {})
        return spec

    def seen(self, spec: WorkloadSpec) -> Observation:
        """Return what the runtime sees of a build."""
        return self.runtime.observe()[spec.id]

    def log(self, spec: WorkloadSpec) -> str:
        """Return what a build printed."""
        return b"".join(self.runtime.logs(spec.id)).decode(errors="replace")

    def until(self, spec: WorkloadSpec, done: Callable[[Observation], bool]) -> Observation:
        """Observe until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not done(seen := self.seen(spec)):
            assert seen.seen is not Seen.EXITED, (seen, self.log(spec))
            assert time.monotonic() < deadline, (seen, self.log(spec))
            time.sleep(0.05)
        return seen

    def end(self, spec: WorkloadSpec) -> Observation:
        """Observe until the build has ended."""
        return self.until(spec, lambda seen: seen.seen is Seen.EXITED)

    def printed(self, spec: WorkloadSpec, text: str) -> None:
        """Observe until the build has printed something."""
        self.until(spec, lambda _seen: f"\n{text}" in self.log(spec))

    def companion(self, spec: WorkloadSpec) -> int:
        """Return the process of a running build's companion."""
        found = self.engine.client.api.inspect_container(companion_name(self.options, spec.id))
        return int(found["State"]["Pid"])

    def network(self, spec: WorkloadSpec) -> int:
        """Return the number of the network namespace of a running build."""
        return namespace(self.companion(spec))

    def wake(self, spec: WorkloadSpec) -> None:
        """End the `sleep` at which a build is, so that it goes on."""
        network, asleep = self.network(spec), list[int]()
        while not asleep:
            self.until(spec, lambda seen: seen.seen is Seen.RUNNING)
            asleep = [pid for pid, line in processes_in(network).items() if line.startswith("sleep ")]
        for pid in asleep:
            os.kill(pid, signal.SIGTERM)

    def changes_at_work(self, spec: WorkloadSpec) -> Path:
        """Wait until the build prints `here`; return the folder of what its command wrote, gone with its container."""
        self.printed(spec, "here\n")
        network = self.network(spec)
        pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if namespace(folder.name) == network]
        companion = namespace(self.companion(spec), "pid")
        found = upper_folder(next(pid for pid in pids if namespace(pid, "pid") != companion))
        assert found
        assert found.exists()
        return found

    def layers(self, spec: WorkloadSpec) -> list[str]:
        """List the images of the engine's cache that a build has made and that are still there."""
        found = []
        for identifier in re.findall(r"^--> ([0-9a-f]{11})$", self.log(spec), re.MULTILINE):
            with contextlib.suppress(NotFound):
                found.append(str(self.engine.client.api.inspect_image(identifier)["Id"]))  # type: ignore[no-untyped-call]
        return found

    def clear(self) -> None:
        """End and forget what was ordered, and remove the images that were made."""
        for spec in self.ordered:
            self.runtime.stop(spec.id, 0)
        for spec in self.ordered:
            deadline = time.monotonic() + PATIENCE
            while spec.id in self.runtime.observe() and time.monotonic() < deadline:
                self.runtime.forget(spec.id)
                time.sleep(0.05)
            if spec.build:
                with contextlib.suppress(NotFound):
                    self.engine.client.api.remove_image(spec.build.tag, force=True)


def wait_until_empty(network: int) -> None:
    """Wait until no process is left in a network namespace: what is killed takes a moment to be gone."""
    deadline = time.monotonic() + PATIENCE
    while left := processes_in(network):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def processes_in(network: int) -> dict[int, str]:
    """Return the processes in a network namespace: process id → command line."""
    folders = [folder for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    found = {}
    for folder in folders:
        if namespace(folder.name) == network:
            with contextlib.suppress(OSError):  # ended meanwhile
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found
