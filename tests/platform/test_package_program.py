"""`spacelab package build|run` on a developer's machine, in sandboxes of the process runtime and in a container."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.base_images import provide
from support.engine import Engine, missing_programs, running_engine
from support.platform import container_settings, remove_containers

pytestmark = [pytest.mark.slow]
PATIENCE = 240.0
SERVER = """
import http.server, os
from pathlib import Path
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = Path("/data/stars/one.txt").read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["IF_main_port"])), Handler).serve_forever()
"""
Run = tuple[subprocess.Popen[str], Path]
META = "title: Stars\nalternateName: stars\nabstract: For tests.\nversion: 1\n"
SETUP = 'kind: web\ncommand: [python3, "$SPACELAB_PACKAGE/serve.py"]\ninterface:\n  port: 10000\n'


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Write a package that shows a file of a volume."""
    folder = tmp_path / "package"
    folder.mkdir()
    for name, text in {"datalab-meta.yml": META, "spacelab.yml": SETUP, "serve.py": SERVER}.items():
        (folder / name).write_text(text)
    (tmp_path / "stars").mkdir()
    (tmp_path / "stars" / "one.txt").write_text("Sirius")
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o055)
    return folder


def arguments(what: str, package: Path, runtime: str) -> list[str]:
    state = ["--state", str(package.parent / "state"), "--runtime", runtime]
    return [sys.executable, "-m", "spacelab", "package", what, str(package), *state]


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPACELAB_", "DJANGO_"))}
    return kept | (more or {})


def build(package: Path) -> tuple[int, str]:
    """Build in the process runtime; return the exit status and all that was printed."""
    words = arguments("build", package, "process")
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout + done.stderr


def _as_at_a_terminal() -> None:
    """Have Ctrl-C heard, which what runs in the background is started deaf to."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def running(
    package: Path, runtime: str, more: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run `spacelab package run`, and end it by Ctrl-C."""
    output = package.parent / "output.log"
    volume = f"{package.parent}/stars:stars"
    with output.open("w") as file:
        process = subprocess.Popen(
            [*arguments("run", package, runtime), "--volume", volume],
            env=environment(more),
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_as_at_a_terminal,  # noqa: PLW1509  it calls nothing that a thread could hold
        )
    try:
        yield process, output
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def address_in(process: subprocess.Popen[str], output: Path) -> str:
    """Wait for the address that is printed when the session answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        text = output.read_text()
        if "http://127.0.0.1:" in text:
            return "http://127.0.0.1:" + text.partition("http://127.0.0.1:")[2].split()[0]
        assert process.poll() is None, text
        time.sleep(0.1)
    raise AssertionError(output.read_text())


def check_run(package: Path, runtime: str, more: dict[str, str] | None = None) -> str:
    with running(package, runtime, more) as (process, output):
        address = address_in(process, output)
        assert httpx.get(address).text == "Sirius"
        assert httpx.get(address, headers={"Host": "evil.example"}).status_code == 421
    assert process.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)
    return output.read_text()


@pytest.mark.runtime
def test_a_package_is_built_and_run_without_a_platform(package: Path) -> None:
    text = check_run(package, "process")
    assert "Stars 1: a web datalab" in text
    assert "    serving" in text
    assert "Ending it …" in text
    assert not (package.parent / "state" / "spacelab.sqlite3").exists()
    assert not list((package.parent / "state" / "run" / "bench").glob("*/control"))


@pytest.mark.runtime
def test_what_ends_before_it_answers_is_told(package: Path) -> None:
    (package / "serve.py").write_text("import astrometry_of_nowhere\n")
    with running(package, "process") as (process, output):
        assert process.wait(PATIENCE) == 1
    text = output.read_text()
    assert "No module named 'astrometry_of_nowhere'" in text
    assert "✗ It ended by itself with exit code 1" in text


@pytest.mark.runtime
def test_a_failed_build_says_what_to_try(package: Path) -> None:
    (package / "requirements.txt").write_text("numpy\nno-such-package-of-spacelab==1\n")
    code, text = build(package)
    assert code == 1
    assert "no-such-package-of-spacelab" in text.rpartition("✗")[2]
    assert "requirements.txt, line 2" in text
    assert "Traceback" not in text


@pytest.mark.runtime
@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"packages.txt": "topcat\n"}, "Debian packages"),
        ({"datalab-meta.yml": "title: [\n"}, "datalab-meta.yml"),
        ({"spacelab.yml": "kind: hologram\n"}, "hologram"),
    ],
)
def test_a_package_that_can_not_be_built_here_is_refused(package: Path, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        (package / name).write_text(text)
    code, text = build(package)
    assert code == 1
    assert said in text.rpartition("✗")[2]
    assert "Traceback" not in text


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Run the tests' engine."""
    if missing := missing_programs():
        pytest.skip(missing)
    with running_engine() as running:
        provide(running, "web_base")  # in turn with other tests that need it, not beside them
        yield running


@pytest.mark.container
def test_the_same_package_is_an_image_where_there_is_an_engine(package: Path, engine: Engine) -> None:
    more = container_settings(engine)
    try:
        text = check_run(package, "container", more)
        assert "✓ image localhost/" in text
        again = check_run(package, "container", more)
        assert ", unchanged" in again
    finally:
        remove_containers(engine, package.parent / "state" / "run")
