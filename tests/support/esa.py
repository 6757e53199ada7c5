"""Datalabs started in the tests' engine as the platform starts them, without the platform: the contract alone."""

from __future__ import annotations

import io
import shlex
import shutil
import tarfile
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.models.containers import Container

import spacelab.workloads.runtimes.container as runtime
from datalab_package import make_plan, read_manifest, write_context
from support.engine import Engine

EXAMPLES = Path(__file__).parents[2] / "catalogue" / "examples"
INSIDE = Path(runtime.__file__).parent / "inside"
PERSON = 64200
PATIENCE = 120.0
DONE = "-- done --"
"""The last line of a command's output: Podman at times closes the stream before it has passed on everything."""
FETCH = (
    "import sys, urllib.request as r\n"
    "try: a = r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:10000' + sys.argv[1], timeout=20)\n"
    "except r.HTTPError as e: a = e\n"
    "print(a.status); print(a.headers); print(a.read().decode())"
).replace("r.HTTPError", "__import__('urllib.error').error.HTTPError")


def _text(output: Any) -> str:
    return str(output.decode())


@dataclass
class Session:
    """A running datalab, alone in its network."""

    container: Container

    def run(self, command: str) -> str:
        """Run a shell command as the person, in the datalab's own variables; it must succeed."""
        for _attempt in range(5):
            result = self.container.exec_run(["sh", "-c", f"({command}\n) && echo {DONE}"])
            assert result.exit_code == 0, (result.output, self.log)
            if DONE in (text := _text(result.output)):
                return text.replace(f"{DONE}\n", "")
        raise AssertionError(f"the engine loses what {command} prints")

    def fetch(self, path: str) -> str:
        """Ask the interface for a page; return status, headers and body, or nothing while nobody answers."""
        result = self.container.exec_run(["/usr/bin/python3", "-c", FETCH, path])
        return _text(result.output) if result.exit_code == 0 else ""

    @property
    def log(self) -> str:
        """What the datalab has printed."""
        return str(self.container.logs().decode())

    def answer(self, path: str) -> str:
        """Wait until the interface answers."""
        deadline = time.monotonic() + PATIENCE
        while not (page := self.fetch(path)):
            self.container.reload()
            assert self.container.status == "running", self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.2)
        return page

    def logged(self, text: str) -> None:
        """Wait until the datalab has printed something."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.log:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.1)


def context_of(files: dict[str, str]) -> io.BytesIO:
    """Pack texts as a build context; a script gets its right to be run from its first line."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o755 if text.startswith("#!") else 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    buffer.seek(0)
    return buffer


def build_files(engine: Engine, name: str, files: dict[str, str]) -> str:
    """Build an image of these files, a Dockerfile among them; return its name."""
    return _build(engine, name, fileobj=context_of(files), custom_context=True)


def build_example(engine: Engine, name: str, work: Path) -> str:
    """Build one of the catalogue's examples as the platform plans it; return the image's name."""
    folder = EXAMPLES / name
    context = work / f"context-{name}"
    write_context(folder, make_plan(folder, read_manifest(folder)), context)
    return _build(engine, name, path=str(context))


def _build(engine: Engine, name: str, **context: Any) -> str:
    tag = f"localhost/spacelab-test/{name}:latest"
    arguments = {"REGISTRY": "localhost"}
    answer = engine.client.api.build(
        tag=tag, network_mode="host", rm=True, forcerm=True, decode=True, buildargs=arguments, **context
    )
    said = []
    for event in answer:
        said.append(str(event.get("stream", "")))
        assert "error" not in event, "".join(said) + str(event)
    return tag


def _open_folder(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    folder.chmod(0o755)
    made.chmod(0o777)
    return made


@contextmanager
def started(engine: Engine, image: str, **variables: str) -> Iterator[Session]:
    """Start an image with what a session has: no rights, a root that can't be written, a home, a workspace."""
    mark = uuid.uuid4().hex[:8]
    own = Path(tempfile.mkdtemp(prefix="esa-"))
    values = {
        "DATALAB_ID": f"s-{mark}",
        "IF_main_port": "10000",
        "IF_main_id": f"s-{mark}",
        "HOME": "/home/ada",
        "USER": "ada",
        "LOG_LEVEL": "INFO",
        "SPACELAB_PACKAGE": "/opt/datalab",
        "DATALABS_URL": "https://portal.example.org",
    }
    container = engine.client.containers.create(
        image,
        name=f"esa-{mark}",
        environment=values | variables,
        user=f"{PERSON}:{PERSON}",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        read_only=True,
        network_mode="none",
        volumes={
            str(INSIDE): {"bind": "/.datalab", "mode": "ro"},
            str(_open_folder(own, "home")): {"bind": "/home/ada", "mode": "rw"},
            str(_open_folder(own, "workspace")): {"bind": "/media/user", "mode": "rw"},
        },
        tmpfs={"/tmp": "mode=1777"},  # noqa: S108  the datalab's own
    )
    try:
        container.start()
        yield Session(container)
    finally:
        container.remove(force=True)
        shutil.rmtree(own)


def python(code: str) -> str:
    """Write a shell command that runs this Python with the datalab's own interpreter."""
    return f"python -c {shlex.quote(code)}"
