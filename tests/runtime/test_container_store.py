"""Clearing up in a real engine: what has lost its name is found, what is in use stays, what was read of it goes too."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from runtime.container_bench import options, runtime, spec_of
from runtime.contract import python, wait_for
from spacelab.kit.refusals import Unavailable
from spacelab.workloads.rules import Seen
from spacelab.workloads.runtimes.container import ContainerRuntime, Options
from spacelab.workloads.runtimes.container import engine as engines
from spacelab.workloads.runtimes.container.images import cache_folder, users_of
from spacelab.workloads.runtimes.container.store import EngineStore
from support.base_images import contract_image
from support.engine import Engine

__all__ = ["options", "runtime"]
pytestmark = pytest.mark.container

NAME = "localhost/spacelab-test/prune:v1"


@pytest.fixture
def store(options: Options, settings: Any) -> EngineStore:
    """Reach the engine's images as the platform does."""
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"state": options.run_directory.parent})
    options.run_directory.mkdir(parents=True, exist_ok=True)
    return EngineStore(engines.Engine(options.engine, options.run_directory))


def made(engine: Engine, package: str) -> None:
    """Make an image of that package under the one name."""
    image = contract_image(engine)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Dockerfile").write_text(f"FROM {image}\nLABEL org.spacelab.package={package}\n")
        command = engine.podman("build", "--quiet", "--network=none", "-t", NAME, folder)
        subprocess.run(command, check=True, env=engine.variables, stdout=subprocess.DEVNULL)


def test_what_lost_its_name_is_found_and_goes(store: EngineStore, engine: Engine, runtime: ContainerRuntime) -> None:
    made(engine, "a" * 64)
    first = store.find(NAME)
    assert first is not None
    assert not runtime.lacks(environment="", image=NAME)
    made(engine, "b" * 64)
    loose = {one.id: one for one in store.unnamed()}
    assert loose[first.id].labels["org.spacelab.package"] == "a" * 64
    store.remove(first.id)
    assert store.find(first.id) is None
    assert first.id not in {one.id for one in store.unnamed()}
    store.remove(NAME)
    assert runtime.lacks(environment="", image=NAME)
    store.remove(NAME)  # again: nothing happens


def test_an_image_in_use_stays_until_its_session_has_ended(
    store: EngineStore, engine: Engine, runtime: ContainerRuntime, options: Options
) -> None:
    made(engine, "c" * 64)
    image = store.find(NAME)
    assert image is not None
    spec = spec_of(python("import time; time.sleep(60)"), image=NAME)
    runtime.start(spec, {})
    wait_for(runtime, spec, Seen.RUNNING)
    kept = users_of(image.id, cache_folder(options.run_directory))
    assert kept.exists()
    with pytest.raises(Unavailable):
        store.remove(NAME)
    assert store.find(NAME) is not None
    assert kept.exists()
    runtime.stop(spec.id, 0)
    wait_for(runtime, spec, Seen.EXITED)
    runtime.forget(spec.id)
    store.remove(NAME)
    assert store.find(NAME) is None
    assert not kept.exists()
