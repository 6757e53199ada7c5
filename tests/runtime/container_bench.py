"""What the tests of the container runtime share: a runtime on the test engine, and specifications for it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spacelab.workloads.rules import Kind, Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.container import ContainerRuntime, Options
from spacelab.workloads.runtimes.container.specification import PLATFORM_LABEL, application_name
from support.base_images import contract_image
from support.engine import CONTRACT_IMAGE, Engine

Run = Callable[..., WorkloadSpec]


def spec_of(command: tuple[str, ...], **changes: object) -> WorkloadSpec:
    """Specify a small batch workload."""
    values: dict[str, object] = {"kind": Kind.BATCH, "owner": "ada", "resources": Resources(memory_mb=256)}
    values |= {"image": CONTRACT_IMAGE}
    return WorkloadSpec(id="t" + secrets.token_hex(5), command=command, **(values | changes))  # type: ignore[arg-type]


def name_of(runtime: ContainerRuntime, spec: WorkloadSpec) -> str:
    """Name a workload's container."""
    return application_name(runtime.options, spec.id)


def containers_of(engine: Engine, options: Options) -> list[str]:
    """List the containers of a platform, whatever their state."""
    label = f"{PLATFORM_LABEL}={options.platform}"
    return [str(one["Id"]) for one in engine.client.api.containers(all=True, filters={"label": [label]})]


def end_all(runtime: ContainerRuntime) -> None:
    """Stop and forget everything, as the controller would."""
    for workload_id, seen in runtime.observe().items():
        if seen.seen is not Seen.EXITED:
            runtime.stop(workload_id, 0)
    deadline = time.monotonic() + 60
    while any(seen.seen is not Seen.EXITED for seen in runtime.observe().values()):
        assert time.monotonic() < deadline, runtime.observe()
        time.sleep(0.02)
    for workload_id in runtime.observe():
        runtime.forget(workload_id)


@pytest.fixture
def options(state: Path, engine: Engine) -> Iterator[Options]:
    """Name a platform of its own on the test engine; nothing of it may be left in the end."""
    made = Options(state / "run", engine.url, companion_image=contract_image(engine))
    yield made
    left = containers_of(engine, made)
    for container in left:
        engine.client.api.remove_container(container, force=True, v=True)
    assert not left


@pytest.fixture
def runtime(options: Options) -> Iterator[ContainerRuntime]:
    """Run a platform's containers, and end them in the end."""
    made = ContainerRuntime(options)
    yield made
    end_all(made)
    assert made.observe() == {}
    assert [path.name for path in options.run_directory.iterdir() if not path.name.startswith((".", "egress"))] == []
    assert str(options.run_directory) not in Path("/proc/self/mountinfo").read_text()
