"""A PostgreSQL cluster of a test run's own: loopback only, in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.ports import free_port


def server_programs() -> Path | None:
    """Find the folder with the newest server's programs; None if this machine has none."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else list(Path("/usr/lib/postgresql").glob("*/bin"))
    return max(found, key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))], default=None)


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """Run a cluster for as long as the block lasts, and yield the address of its server without a database's name."""
    folder = Path(tempfile.mkdtemp(prefix="spacelab-postgres-"))
    as_owner: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*as_owner, str(programs / program), *arguments],
            cwd=folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    run("initdb", "--auth=trust", "--username=postgres", f"--pgdata={folder}/data")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
    run("pg_ctl", f"--pgdata={folder}/data", "--wait", f"--log={folder}/log", f"--options={options}", "start")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        run("pg_ctl", f"--pgdata={folder}/data", "--mode=immediate", "stop")
        shutil.rmtree(folder)
