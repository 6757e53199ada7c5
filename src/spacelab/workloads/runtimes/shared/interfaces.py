"""Watches workloads' interfaces: whether they answer, and whether the application behind them is at work."""

from __future__ import annotations

import contextlib
import logging
import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from spacelab.workloads.rules import WorkloadSpec
from spacelab.workloads.runtimes.shared import probe

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer", int, bool)

PROBE_WAIT = 0.25
"""Seconds that one observation waits for interfaces; an answer that takes longer counts at the next observation."""

BUSY_INTERVAL = 15.0
"""Seconds between two questions whether an application is at work."""

LOOK_AGAIN = 5.0
"""Seconds between two questions to an application that answered, and found nothing at its path."""
LOOKS = 12
"""Such questions at most: who puts her pages in place so much later is believed when people open them."""

NOTHING_THERE = "It answers “not found” at {path}, where it is opened."
"""What is said of an application with `InterfaceWatch.misplaced`."""


@dataclass
class InterfaceWatch:
    """What is known of one workload's interface. Once ready it stays so; a file, the mark, keeps that over restarts."""

    ready: bool = False
    busy: bool = False
    misplaced: str = ""
    """The path where it is opened, if it answers there that there is nothing."""
    _readiness: Future[int] | None = None
    _business: Future[bool] | None = None
    _busy_at: float = 0.0
    _asked_at: float = 0.0
    _opened_at: str = ""
    _looks: int = 0

    def ask(self, pool: Executor, spec: WorkloadSpec, socket: Path, mark: Path) -> list[Future[Any]]:
        """Send the questions that are due; return those whose answer is worth a short wait."""
        if spec.interface is None:
            return []
        now = time.monotonic()
        path = spec.interface.health_path.replace("{id}", spec.id)
        if self._readiness is None and (not self.was_ready(mark) or self._looks_again(path, now)):
            self._asked_at = now
            self._opened_at = path if spec.interface.path == spec.interface.health_path else ""
            self._readiness = pool.submit(probe.answers, socket, path)
        due = self._business is None and now - self._busy_at > BUSY_INTERVAL
        if self.ready and spec.activity_probe == "jupyter" and due:
            prefix = spec.interface.path.replace("{id}", spec.id).strip("/").split("/")
            base = f"/datalabs/{spec.id}" if prefix[:2] == ["datalabs", spec.id] else ""
            self._busy_at = now
            self._business = pool.submit(probe.jupyter_is_busy, socket, base)
        return [question for question in (self._readiness, self._business) if question]

    def _looks_again(self, path: str, now: float) -> bool:
        due = self.misplaced == path and self._looks < LOOKS and now - self._asked_at > LOOK_AGAIN
        self._looks += due
        return due

    def take(self, mark: Path) -> None:
        """Take in the answers that have come."""
        if self._readiness and self._readiness.done():
            status = _answer(self._readiness)
            self._readiness = None
            if status:
                self.ready = True
                self.misplaced = self._opened_at if status == HTTPStatus.NOT_FOUND else ""
                with contextlib.suppress(FileNotFoundError):  # forgotten meanwhile
                    mark.write_text(self.misplaced)
        if self._business and self._business.done():
            self.busy = bool(_answer(self._business))
            self._business = None

    def was_ready(self, mark: Path) -> bool:
        """Say whether the interface has ever answered."""
        if not self.ready and mark.exists():
            self.ready, self.misplaced = True, mark.read_text()
        return self.ready


def _answer(question: Future[Answer]) -> Answer | None:
    """Return what an application answered; None for whatever it made the question fail with."""
    error = question.exception()
    if error is not None:
        logger.warning("An application's answer could not be read: %r", error)
        return None
    return question.result()
