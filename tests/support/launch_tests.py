"""A version that was built, and its launch test brought along as the controller would."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.datalabs.models import DatalabVersion
from spacelab.testing import planning, queries
from spacelab.testing.models import LaunchTest
from spacelab.testing.upkeep import Bench
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Phase
from support.packages import notebook
from support.sessions import QuietRuntime, make_datalab


@pytest.fixture
def place(quiet_runtime: type[QuietRuntime], tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the platform's state in a folder of the test."""
    monkeypatch.setattr(settings.SPACELAB, "state", tmp_path)
    settings.VOLUMES_DIRECTORY = tmp_path / "volumes"
    return tmp_path


def built(author: Person, place: Path, *notebooks: str, state: str = "built") -> DatalabVersion:
    """Create a version with a package that holds these notebooks."""
    package = place / "package"
    package.mkdir(exist_ok=True)
    for name in notebooks:
        (package / name).write_text(notebook("1"))
    datalab = make_datalab("spectra", state=state, maintainer=author, package=str(package), content_hash="h1")
    return DatalabVersion.objects.get(datalab=datalab)


def the_test() -> LaunchTest:
    """Return the only launch test, as it is now."""
    return LaunchTest.objects.select_related("workload", "version").get()


def look(times: int = 1) -> LaunchTest:
    """Let the controller look, as after a restart each time."""
    look_around(times)
    return the_test()


def look_around(times: int) -> None:
    """Let the controller look, whatever tests there are."""
    for _ in range(times):
        Bench().look()


def set_phase(phase: Phase, **values: Any) -> None:
    """Bring the workload that is at work now into a phase."""
    now = timezone.now()
    moments = {Phase.RUNNING: {"started_at": now - timedelta(seconds=32), "ready_at": now - timedelta(seconds=30)}}
    Workload.objects.filter(pk=the_test().workload_id).update(phase=phase, **moments.get(phase, {}), **values)


@contextmanager
def answering(place: Path, status: str = "200 OK") -> Iterator[str]:
    """Answer as an interface would; yields its address."""
    path = place / "main.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(4096)
                        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello"
                        connection.sendall(head.encode())
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"unix/{path}"
        listener.shutdown(socket.SHUT_RDWR)
    path.unlink()


def through_the_interface(place: Path, status: str = "200 OK") -> LaunchTest:
    """Bring a test from its beginning to the end of its interface, which answered so."""
    look(2)
    with answering(place, status) as address:
        set_phase(Phase.RUNNING, address=address, memory_bytes=50_000_000, cpu_seconds=1.5)
        look(2)
    set_phase(Phase.STOPPED, exit_code=0)
    return look()


def leave_results(test: LaunchTest, left: Any) -> None:
    """Write what the notebooks' program would."""
    assert test.workload_id
    (planning.home_of(test, test.workload_id) / planning.RESULTS).write_text(json.dumps(left))


def log_of(test: LaunchTest) -> str:
    """Read the log that was kept."""
    return (queries.evidence_folder(str(test.pk)) / queries.LOG).read_text()
