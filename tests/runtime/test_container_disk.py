"""A session whose image lets it write everywhere fills no more of the engine's disk than its scratch may hold."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from runtime.container_bench import name_of, options, runtime, spec_of
from runtime.contract import printed, python, wait_for
from runtime.test_container_life import made_image
from spacelab.workloads.rules import Observation, Resources, Seen, Trouble, WorkloadSpec
from spacelab.workloads.runtimes.container import ContainerRuntime, layers
from support.engine import CONTRACT_IMAGE, Engine

__all__ = ["options", "runtime"]
pytestmark = pytest.mark.container

MEBIBYTE = 2**20
LIMIT = 24
AT_ONCE = f"open('/opt/big', 'wb').write(bytes({LIMIT * 2} * 2**20)); print('written', flush=True)"
SLEEP = "\nimport time; time.sleep(60)"
FILLERS = {
    "one file": AT_ONCE,
    "a file without a name": "import os; f = open('/opt/big', 'wb'); os.unlink('/opt/big')\n"
    f"f.write(bytes({LIMIT * 2} * 2**20)); f.flush(); print('written', flush=True)",
    "many empty files": "import os; os.mkdir('/opt/d')\n"
    f"for n in range({LIMIT * 2 * 256}): open(f'/opt/d/{{n}}', 'w')\nprint('written', flush=True)",
    "folders without end": "import os; os.chdir('/opt')\nfor n in range(1500): os.mkdir('d'); os.chdir('d')\n"
    "open('x', 'wb').write(bytes(2**20)); print('written', flush=True)",
}


@pytest.fixture
def writable(engine: Engine) -> str:
    """Make an image whose sessions may write everywhere."""
    return made_image(
        engine, "writable", f"FROM {CONTRACT_IMAGE}\nRUN chmod 1777 /opt /srv\nLABEL org.spacelab.root=writable\n"
    )


def small(code: str, image: str) -> WorkloadSpec:
    return spec_of(python(code), image=image, resources=Resources(memory_mb=512, scratch_mb=LIMIT))


def ended(runtime: ContainerRuntime, spec: WorkloadSpec) -> Observation:
    runtime.start(spec, {})
    return wait_for(runtime, spec, Seen.EXITED)


@pytest.mark.parametrize("how", FILLERS)
def test_whoever_fills_the_disk_is_ended_and_told_why(runtime: ContainerRuntime, writable: str, how: str) -> None:
    seen = ended(runtime, small(FILLERS[how] + SLEEP, writable))
    assert (seen.trouble, seen.exit_code) == (Trouble.DISK_FULL, 137)
    assert seen.reason == (
        f"It wrote more than its {LIMIT} MiB of scratch outside /scratch, on the platform's own disk, so it was ended."
    )


def test_what_stays_within_its_scratch_goes_on_and_shows_as_used(runtime: ContainerRuntime, writable: str) -> None:
    half = f"open('/opt/big', 'wb').write(bytes({LIMIT // 2} * 2**20)); print('written', flush=True)"
    spec = small(f"{half}; open('/scratch/more', 'wb').write(bytes(4 * 2**20)){SLEEP}", writable)
    runtime.start(spec, {})
    deadline = time.monotonic() + 60
    while True:
        seen = wait_for(runtime, spec, Seen.RUNNING)
        if seen.usage.scratch_bytes >= (LIMIT // 2 + 4) * MEBIBYTE or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert (LIMIT // 2 + 4) * MEBIBYTE <= seen.usage.scratch_bytes < LIMIT * MEBIBYTE
    assert "written" in printed(runtime, spec)


def test_the_engine_is_asked_where_the_kernel_tells_nothing(
    runtime: ContainerRuntime, writable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "upper_folder", lambda _pid: None)
    monkeypatch.setattr(layers, "EVERY_BY_ENGINE", 0.5)
    assert ended(runtime, small(AT_ONCE + SLEEP, writable)).trouble == Trouble.DISK_FULL


def test_a_controller_that_starts_later_finds_it_too(runtime: ContainerRuntime, writable: str, engine: Engine) -> None:
    spec = small("import time; time.sleep(60)", writable)
    runtime.start(spec, {})
    wait_for(runtime, spec, Seen.RUNNING)
    later = ContainerRuntime(runtime.options)
    fill = engine.podman("exec", name_of(runtime, spec), "/usr/bin/python3", "-c", AT_ONCE)
    subprocess.run(fill, check=True, env=engine.variables, stdout=subprocess.DEVNULL)
    assert wait_for(later, spec, Seen.EXITED).trouble == Trouble.DISK_FULL


def test_a_folder_is_measured_as_the_disk_has_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(MEBIBYTE))
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(2**40)
    (tmp_path / "link").symlink_to("/usr")
    (tmp_path / "folder").mkdir()
    found = layers.written_below(tmp_path)
    assert MEBIBYTE + 3 * layers.ENTRY <= found < 2 * MEBIBYTE
