"""Looking at workloads one apart from the other, so that what one of them left behind never hides the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Observation, Seen

logger = logging.getLogger(__name__)

UNREADABLE = "What is known of it can't be read just now."


class Apart:
    """The last report on each workload, for when the next one fails."""

    def __init__(self) -> None:
        self._last: dict[str, Observation] = {}

    def look(self, at: Mapping[str, Callable[[], Observation | None]]) -> dict[str, Observation]:
        """Return a report on each workload that has one; where looking raises, the last one stands."""
        found: dict[str, Observation] = {}
        for workload_id, look in at.items():
            try:
                observation = look()
            except RuntimeFault:
                raise  # this one concerns them all
            except Exception:  # whatever it is, it concerns this workload alone
                logger.exception("looking at %s failed", workload_id)
                observation = self._last.get(workload_id) or Observation(Seen.STARTING, reason=UNREADABLE)
            if observation:
                found[workload_id] = observation
        self._last = dict(found)
        return found
