"""What the coordinator needs from whatever runs the commands of jobs.

A backend owns *places*: each holds one job at a time, with a folder on this machine and the path under which the
job sees that folder. The coordinator takes a place, lays out the job's files in it, starts an order there, and
collects what the job wrote once `wait` has reported its end. One thread uses a backend: none of this needs locks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Protocol


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one job runs: a folder as this process sees it, and as the job does."""

    number: int
    host: str
    inside: str

    def on_host(self, path: str) -> str:
        """Say where this process finds what the job sees at a path; other paths are the same for both."""
        return self.host + path[len(self.inside) :] if path.startswith(self.inside + "/") else path

    def in_job(self, path: str) -> str:
        """Say where the job finds what this process sees at a path."""
        return self.inside + path[len(self.host) :] if path.startswith(self.host + "/") else path


@dataclasses.dataclass(frozen=True)
class Order:
    """One command to start; paths are those of the job's view, the streams are open file descriptors."""

    argv: list[str]
    environment: Mapping[str, str]
    folder: str
    stdin: int
    stdout: int
    stderr: int
    network: bool = False
    image: str = ""
    cores: float = 1
    memory_mb: float = 256
    seconds: float | None = None
    input: str = ""
    """The file behind `stdin` as the job sees it, for backends that show jobs files as ones to be read only."""


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended.

    `exit_code` is minus the signal's number where one ended it; `trouble` says why none began (an errno's text);
    `overtime` that the order's `seconds` were over. CPU time is of the command and all that it waited for; memory is
    the largest resident size of one of those processes.
    """

    exit_code: int
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    trouble: str = ""
    overtime: bool = False


class BackendError(Exception):
    """A backend can't do its work at all; the text is for people."""


class Backend(Protocol):
    """Starts orders in places and reports their ends."""

    name: str
    isolated: bool

    def take(self) -> Place | None:
        """Give a free place with an empty folder, or None while all are in use."""

    def start(self, place: Place, order: Order) -> None:
        """Start a command in a place; returns at once. The order's streams may be closed afterwards."""

    def wait(self, seconds: float | None) -> list[tuple[Place, Ended]]:
        """Report commands that ended, waiting at most so long for the first; `wake` descriptors end the wait too."""

    def kill(self, place: Place) -> None:
        """End the place's command with everything it started; `wait` then reports it."""

    def give_back(self, place: Place) -> None:
        """Free a place; what its folder still holds is thrown away."""

    def wake_by(self, descriptor: int) -> None:
        """Let `wait` return early when this descriptor is readable."""

    def close(self) -> None:
        """End whatever runs and remove the places."""
