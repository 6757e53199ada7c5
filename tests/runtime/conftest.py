"""Marks every test here, since they start real processes, and gives them folders."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.runtime)


@pytest.fixture
def state() -> Iterator[Path]:
    """Make a folder with a short path: a Unix socket's may have 107 characters only."""
    folder = Path(tempfile.mkdtemp(prefix="spl-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def tmp_path(state: Path) -> Path:
    """Where tests keep volumes: beside the runtime's folders, and open to the user that workloads run as."""
    folder = state / "files"
    folder.mkdir()
    return folder
