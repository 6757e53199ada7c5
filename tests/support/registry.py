"""A real image registry on a free port of this machine, open or with a password."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_port

USER = "ada"
PASSWORD = "secret-of-the-test"
HASHED = "$2b$05$abcdefghijklmnopqrstuu2hir4hxhqSzdkW1wYaCdjOyk2x8X6Wm"
"""The password as the registry wants it: bcrypt."""
PATIENCE = 60.0


@dataclass(frozen=True)
class Registry:
    """A running registry: its host and port as names of images have them, and the log of what it was asked."""

    host: str
    log: Path


def missing() -> str:
    """Say what this machine lacks for a registry; nothing when it lacks nothing."""
    return (
        "" if shutil.which("docker-registry") else "this machine has no image registry: apt-get install docker-registry"
    )


@contextmanager
def running_registry(folder: Path) -> Iterator[Registry]:
    """Run a registry that asks for `USER` and `PASSWORD`, with everything it keeps in `folder`."""
    host = f"127.0.0.1:{free_port()}"
    (folder / "users").write_text(f"{USER}:{HASHED}\n")
    configuration = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(folder / "blobs")}},
        "http": {"addr": host},
        "auth": {"htpasswd": {"realm": "test", "path": str(folder / "users")}},
    }
    file, log = folder / "registry.yml", folder / "registry.log"
    file.write_text(json.dumps(configuration))
    with log.open("wb") as output:
        program = subprocess.Popen(["docker-registry", "serve", str(file)], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])), 1).close()
                break
            except OSError:
                if program.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the registry does not start:\n{log.read_text()}") from None
                time.sleep(0.05)
        yield Registry(host, log)
    finally:
        program.terminate()
        program.wait(timeout=10)
