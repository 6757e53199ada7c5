"""The folder through which the runtime, a workload's companion and its application know of each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spacelab.workloads.runtimes.shared.folder import WorkloadFolder
from spacelab.workloads.runtimes.shared.places import INSIDE as SHARED_INSIDE

INSIDE = Path(__file__).parent / "inside"
GATE_FILES = (
    *(INSIDE / name for name in ("enter.sh", "run-to-end.sh", "init.sh", "run.sh", "personal.py")),
    SHARED_INSIDE / "overlay.py",
)
PIPES = ("output", "secrets", "report")
MARK = "container"
"""The file by which the folder of a container is told from that of a process."""


@dataclass(frozen=True)
class Folder(WorkloadFolder):
    """What lies in `<run directory>/<id>/`.

    spec.json, started.json, stop.json, ended.json: for the runtime alone. `io/`: the companion's, with main.sock,
    orders.sock and the log. `gate/`: what the application sees at /.datalab, read-only, with the named pipes.
    """

    @property
    def io(self) -> Path:
        """The folder that the companion writes."""
        return self.path / "io"

    @property
    def gate(self) -> Path:
        """The folder that the application sees at /.datalab."""
        return self.path / "gate"

    @property
    def socket(self) -> Path:
        """Where the workload's interface answers."""
        return self.io / "main.sock"

    @property
    def orders_socket(self) -> Path:
        """Where the companion takes orders."""
        return self.io / "orders.sock"

    @property
    def log_file(self) -> Path:
        """The workload's output."""
        return self.io / "log"

    @property
    def ready_mark(self) -> Path:
        """The file that is there once the interface has answered."""
        return self.path / "ready"

    @property
    def exists(self) -> bool:
        """Whether a start of a container has ever come this far."""
        return (self.path / MARK).exists()

    def make(self, uid: int | None) -> None:
        """Make everything below the folder; what workloads must write belongs to `uid`, unless that is None."""
        for folder in (self.io, self.gate):
            folder.mkdir(mode=0o700)
        for source in GATE_FILES:
            shutil.copyfile(source, self.gate / source.name)
            (self.gate / source.name).chmod(0o755)
        (self.gate / "empty").mkdir()
        for name in PIPES:
            os.mkfifo(self.gate / name, 0o600)
        self.gate.chmod(0o755)
        (self.gate / "empty").chmod(0o755)
        if uid is not None:
            for path in (self.io, *(self.gate / name for name in PIPES)):
                os.chown(path, uid, uid)

    def clear(self) -> None:
        """Remove everything but the lock, so that a start begins anew."""
        for entry in list(self.path.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != "lock":
                entry.unlink(missing_ok=True)

    @contextlib.contextmanager
    def claim(self, patience: float) -> Iterator[bool]:
        """Yield whether the folder is this caller's for now: one start, stop or forget at a time touches it."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield _lock(descriptor, patience)
        finally:
            os.close(descriptor)

    @property
    def claimed(self) -> bool:
        """Whether somebody works on the folder at this moment."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR)
        except OSError:
            return False
        try:
            return not _lock(descriptor, 0)
        finally:
            os.close(descriptor)


def _lock(descriptor: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        else:
            return os.fstat(descriptor).st_nlink > 0  # else forgotten meanwhile
