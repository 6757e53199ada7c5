"""One edge for all tests of this folder, and sessions on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from support.edge import Edge, running_edge


@dataclass
class Lab:
    """A session of ada's that runs, and the headers of ada's browser."""

    id: str
    app: str
    headers: dict[str, str]


@pytest.fixture(scope="session")
def edge() -> Iterator[Edge]:
    """Run the edge and two applications."""
    with running_edge() as edge:
        edge.start_app("one")
        edge.start_app("two")
        yield edge


@pytest.fixture
def lab(edge: Edge) -> Lab:
    """Start a session of ada's and let her in."""
    name = edge.call("session", "ada", f"unix/{edge.run / 'one.sock'}")
    return Lab(name, "one", edge.enter("ada", name))


@pytest.fixture
def http(edge: Edge) -> Iterator[httpx.Client]:
    """Make a client without cookies of its own that follows no redirect."""
    with httpx.Client(base_url=edge.base, timeout=30) as client:
        yield client
