"""When the platform runs Podman's service itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spacelab.kit.refusals import Unavailable
from spacelab.site import engine_program
from spacelab.site.configuration import Configuration
from spacelab.workloads.runtimes.shared import engine_addresses


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand for a machine without an engine that listens, and with Podman."""
    monkeypatch.setattr(engine_program, "usual_addresses", list)
    monkeypatch.setattr(engine_program, "podman_program", lambda: "/usr/bin/podman")


def configuration(state: Path, **values: str) -> Configuration:
    return Configuration(state=state, **({"runtime": "container"} | values))  # type: ignore[arg-type]


@pytest.mark.usefixtures("nowhere")
def test_podmans_service_is_run_where_no_engine_listens(tmp_path: Path) -> None:
    here = configuration(tmp_path)
    program = engine_program.program(here)
    assert program is not None
    socket = engine_addresses.own_service(here.run_directory)
    assert program.argv == ["/usr/bin/podman", "system", "service", "--time=0", f"unix://{socket}"]


def test_a_service_that_ends_at_once_is_told_in_its_own_words(
    tmp_path: Path, nowhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "podman"
    broken.write_text("#!/bin/sh\necho starting >&2\necho 'Error: the store is locked' >&2\nexit 125\n")
    broken.chmod(0o755)
    monkeypatch.setattr(engine_program, "podman_program", lambda: str(broken))
    with (
        pytest.raises(Unavailable, match="does not start: Error: the store is locked") as refused,
        engine_program.at_work(configuration(tmp_path)),
    ):
        pytest.fail("it was taken to be at work")
    assert f"`{broken} system service" in refused.value.advice


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("values", [{"runtime": "process"}, {"container_engine": "unix:///somewhere.sock"}])
def test_no_service_is_run_that_nobody_needs(tmp_path: Path, values: dict[str, str]) -> None:
    here = configuration(tmp_path, **values)
    left = engine_addresses.own_service(here.run_directory)
    left.parent.mkdir(parents=True, exist_ok=True)
    left.touch()
    assert engine_program.program(here) is None
    assert not left.exists()


def test_an_engine_that_listens_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = tmp_path / "podman.sock"
    for module in (engine_program, engine_addresses):
        monkeypatch.setattr(module, "usual_addresses", lambda: [f"unix://{socket}"])
    assert engine_addresses.find_address("", tmp_path) == ""
    socket.touch()
    assert engine_program.program(configuration(tmp_path)) is None
    assert engine_addresses.find_address("", tmp_path) == f"unix://{socket}"
    engine_addresses.own_service(tmp_path).touch()
    assert engine_addresses.find_address("", tmp_path) == f"unix://{tmp_path}/engine.sock"
    assert engine_addresses.find_address("unix:///named.sock", tmp_path) == "unix:///named.sock"


def test_the_usual_variable_names_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/of/mine.sock")
    assert configuration(tmp_path).container_engine == "unix:///run/of/mine.sock"
    assert configuration(tmp_path, container_engine="unix:///other.sock").container_engine == "unix:///other.sock"


def test_the_programs_starter_stays_small() -> None:
    code = "import sys, spacelab.site.up; print([n for n in ('django', 'docker', 'requests') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
