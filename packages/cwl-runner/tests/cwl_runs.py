"""Helpers of these tests: run folders, and runs in children forked from this process, as a preloaded parent does it."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cwl_runner import cli, warm

PATIENCE = 60.0


@functools.cache
def preloaded() -> None:
    """Warm this process, once."""
    warm.preload()


def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)


@dataclasses.dataclass
class Run:
    """A run folder with what tests ask of it."""

    path: Path

    def start(self) -> int:
        """Fork a coordinator and give its process id."""
        preloaded()
        process = os.fork()
        if process == 0:
            code = 70
            try:
                os.setsid()
                code = cli.main(["run", str(self.path)])
            finally:
                os._exit(code)
        return process

    def carry_out(self) -> int:
        """Run to the end and give the exit code."""
        return wait(self.start())

    @property
    def events(self) -> list[dict[str, Any]]:
        """All whole events so far."""
        path = self.path / "events.jsonl"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def told(self, event: str, attempt: int = 0) -> list[dict[str, Any]]:
        """Give the events of one kind, of one attempt or of all."""
        return [one for one in self.events if one["event"] == event and attempt in (0, one["attempt"])]

    def states(self, attempt: int = 0) -> dict[str, str]:
        """Give the state that each job ended in."""
        return {one["job"]: one["state"] for one in self.told("job-ended", attempt)}

    @property
    def end(self) -> dict[str, Any]:
        """The last event."""
        return self.events[-1]

    def write(self, name: str, content: Any) -> None:
        """Write one of the folder's files."""
        text = content if isinstance(content, str) else json.dumps(content)
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def options(self, **changes: Any) -> None:
        """Change options."""
        self.write("options.json", {**json.loads((self.path / "options.json").read_text()), **changes})


def make_run(folder: Path, document: str, order: dict[str, Any] | None = None, **options: Any) -> Run:
    """Make a run folder with one document; the cache is shared by all runs beside it."""
    run = Run(folder)
    run.write("bundle/main.cwl", document)
    run.write("job.json", order or {})
    given = {"main": "main.cwl", "outdir": str(folder / "out"), "cache": str(folder.parent / "cache"), "parallel": 2}
    run.write("options.json", {**given, **options})
    return run


def wait(process: int) -> int:
    """Wait for a child and give its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def kill(process: int, number: int = signal.SIGKILL) -> int:
    """Send a signal, wait, and give the exit code."""
    os.kill(process, number)
    return wait(process)


def alive(mark: str) -> list[int]:
    """List the processes whose command line has a mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def a_file(path: Path, text: str = "text\n") -> dict[str, Any]:
    """Write a file and give its entry for a job order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return {"class": "File", "location": str(path)}
