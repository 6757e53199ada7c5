"""The container runtime keeps the contract, on a real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.contract import RuntimeContract
from spacelab.workloads.runtimes.container import ContainerRuntime, Options
from support.base_images import contract_image
from support.engine import CONTRACT_IMAGE, Engine

pytestmark = pytest.mark.container


class TestContainer(RuntimeContract):
    """The contract, in containers of a small image."""

    first_process_is_the_platforms = False

    @pytest.fixture
    def running(self) -> dict[str, object]:
        return {"image": CONTRACT_IMAGE}

    @pytest.fixture
    def again(self, state: Path, engine: Engine) -> Iterator[Callable[[], ContainerRuntime]]:
        image = contract_image(engine)
        options = Options(state / "run", engine.url, companion_image=image)
        yield lambda: ContainerRuntime(options)
        left = engine.client.api.containers(all=True, filters={"label": [f"org.spacelab.platform={options.platform}"]})
        for container in left:
            engine.client.api.remove_container(container["Id"], force=True, v=True)
        assert not left
