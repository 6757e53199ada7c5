"""Watches workloads' interfaces: whether they answer, and whether the application behind them is at work."""

from __future__ import annotations

import contextlib
import logging
import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from spacelab.workloads.rules import WorkloadSpec
from spacelab.workloads.runtimes.shared import probe

logger = logging.getLogger(__name__)

PROBE_WAIT = 0.25
"""Seconds that one observation waits for interfaces; an answer that takes longer counts at the next observation."""

BUSY_INTERVAL = 15.0
"""Seconds between two questions whether an application is at work."""


@dataclass
class InterfaceWatch:
    """What is known of one workload's interface. Once ready it stays so; a file, the mark, keeps that over restarts."""

    ready: bool = False
    busy: bool = False
    _readiness: Future[bool] | None = None
    _business: Future[bool] | None = None
    _busy_at: float = 0.0

    def ask(self, pool: Executor, spec: WorkloadSpec, socket: Path, mark: Path) -> list[Future[bool]]:
        """Send the questions that are due; return those whose answer is worth a short wait."""
        if spec.interface is None:
            return []
        now = time.monotonic()
        if not self.was_ready(mark) and self._readiness is None:
            path = spec.interface.health_path.replace("{id}", spec.id)
            self._readiness = pool.submit(probe.answers, socket, path)
        due = self._business is None and now - self._busy_at > BUSY_INTERVAL
        if self.ready and spec.activity_probe == "jupyter" and due:
            prefix = spec.interface.path.replace("{id}", spec.id).strip("/").split("/")
            base = f"/datalabs/{spec.id}" if prefix[:2] == ["datalabs", spec.id] else ""
            self._busy_at = now
            self._business = pool.submit(probe.jupyter_is_busy, socket, base)
        return [question for question in (self._readiness, self._business) if question]

    def take(self, mark: Path) -> None:
        """Take in the answers that have come."""
        if self._readiness and self._readiness.done():
            self.ready = _answer(self._readiness)
            self._readiness = None
            if self.ready:
                with contextlib.suppress(FileNotFoundError):  # forgotten meanwhile
                    mark.touch()
        if self._business and self._business.done():
            self.busy = _answer(self._business)
            self._business = None

    def was_ready(self, mark: Path) -> bool:
        """Say whether the interface has ever answered."""
        self.ready = self.ready or mark.exists()
        return self.ready


def _answer(question: Future[bool]) -> bool:
    """Return what an application answered; whatever it made the question fail with counts as no."""
    error = question.exception()
    if error is not None:
        logger.warning("An application's answer could not be read: %r", error)
        return False
    return question.result()
