"""A workload's folder on the host, which outlives every program: who looks at it after a crash sees the same."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacelab.workloads.rules import WorkloadSpec

CHUNK = 64 * 1024


@dataclass(frozen=True)
class WorkloadFolder:
    """What lies in `<run directory>/<id>/`, whichever runtime made it: spec.json, more such files, the log."""

    path: Path

    @property
    def spec_file(self) -> Path:
        """The specification, which holds no secrets."""
        return self.path / "spec.json"

    @property
    def log_file(self) -> Path:
        """The workload's output."""
        return self.path / "log"

    def write(self, name: str, text: str) -> None:
        """Write a file so that a reader sees all of it or nothing."""
        fresh = self.path / f".{name}.{os.getpid()}"
        fresh.write_text(text)
        fresh.replace(self.path / name)

    def spec(self) -> WorkloadSpec | None:
        """Return the specification, or None while the start has not come that far."""
        try:
            return WorkloadSpec.from_json(json.loads(self.spec_file.read_text()))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def read(self, name: str) -> dict[str, Any]:
        """Return a JSON file's content, or nothing while it has none."""
        for _ in range(3):
            try:
                text = (self.path / name).read_text()
                return dict(json.loads(text)) if text.strip() else {}
            except OSError:
                return {}
            except ValueError:
                time.sleep(0.001)  # between the old block and the new one
        return {}

    def log(self, since: int) -> Iterator[bytes]:
        """Yield the output from byte `since` on; what was given back to the disk is skipped."""
        try:
            file = self.log_file.open("rb", buffering=0)
        except OSError:
            return
        with file:
            try:
                file.seek(os.lseek(file.fileno(), max(since, 0), os.SEEK_DATA))
            except (OSError, OverflowError):
                return  # nothing behind `since`
            while chunk := file.read(CHUNK):
                yield chunk

    def remove(self) -> None:
        """Remove the folder, never following a link out of it."""
        shutil.rmtree(self.path, ignore_errors=True)
