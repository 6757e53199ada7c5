"""Decisions about launch tests: their states, when one has passed, and what is said of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a launch test stands. The last four are final."""

    WAITING = "waiting"
    INTERFACE = "interface"
    """The datalab is started, and its interface looked at."""
    NOTEBOOKS = "notebooks"
    """The notebooks of its package are run."""
    PASSED = "passed"
    FAILED = "failed"
    GIVEN_UP = "given-up"
    """The platform itself failed, again and again: nothing is said about the version."""
    DROPPED = "dropped"
    """The version has changed meanwhile, or is gone."""


FINAL = frozenset({State.PASSED, State.FAILED, State.GIVEN_UP, State.DROPPED})
AT_WORK = frozenset({State.INTERFACE, State.NOTEBOOKS})

MOST_TRIES = 3
"""A test that the platform itself broke is begun again, until it was begun so often."""
LONGEST_SUMMARY = 300
GOOD = range(200, 400)
"""Answers of an interface that count as a page; it may send on to a sign-in of its own."""
MOST_NOTEBOOKS = 50
"""Notebooks of one package that are run."""


@dataclass(frozen=True)
class Page:
    """What the interface answered: its status (0: nothing), the type of its content, how many bytes of it, why not."""

    status: int
    content_type: str = ""
    size: int = 0
    trouble: str = ""

    @property
    def is_good(self) -> bool:
        """Whether that is a page."""
        return self.status in GOOD


@dataclass(frozen=True)
class Ran:
    """How a notebook ran: its name, whether to its end, seconds, and the code cell (from 1) with its error."""

    name: str
    passed: bool
    seconds: float = 0.0
    cell: int = 0
    error: str = ""

    @property
    def in_words(self) -> str:
        """What went wrong, with where."""
        return f"{self.name}, code cell {self.cell}: {self.error}" if self.cell else f"{self.name}: {self.error}"


def clean_results(left: object, names: Collection[str]) -> list[Ran]:
    """Read what the notebooks' program left, which anybody's code may have written; one without a result failed."""
    rows = left.get("notebooks") if isinstance(left, Mapping) else None
    found = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and row.get("name") in names:
            found[row["name"]] = Ran(
                name=row["name"],
                passed=row.get("passed") is True,
                seconds=_number(row.get("seconds")),
                cell=int(_number(row.get("cell"))),
                error=str(row.get("error") or "")[:2000],
            )
    lost = "It was not run to its end: the session ended before that."
    return [found.get(name) or Ran(name, passed=False, error=lost) for name in names]


def cannot_run(left: object) -> str:
    """Say why no notebook could be run, in the words of the notebooks' program; nothing if they were."""
    told = left.get("unavailable") if isinstance(left, Mapping) else None
    return str(told)[:300] if told else ""


def _number(value: object) -> float:
    sound = isinstance(value, int | float) and 0 <= value < 1e9  # noqa: PLR2004  thirty years
    return round(float(value), 2) if sound else 0.0  # type: ignore[arg-type]


def verdict(findings: Mapping[str, Any]) -> tuple[bool, str]:
    """Decide whether a test has passed, and say so in a sentence."""
    if trouble := findings.get("trouble"):
        return False, str(trouble)[:LONGEST_SUMMARY]
    page = Page(**findings["page"]) if "page" in findings else Page(0)
    if not page.is_good:
        said = f"answered with the status {page.status}" if page.status else f"did not answer: {page.trouble}"
        return False, f"It became ready, but its start page {said}."[:LONGEST_SUMMARY]
    ran = [Ran(**one) for one in findings.get("notebooks", ())]
    failed = [one for one in ran if not one.passed]
    if failed:
        more = f" And {len(failed) - 1} more." if len(failed) > 1 else ""
        return False, f"{failed[0].in_words}"[: LONGEST_SUMMARY - len(more)] + more
    ready = f"Ready after {findings.get('ready_seconds', 0):g} s"
    plural = "" if len(ran) == 1 else "s"
    return True, f"{ready}; {len(ran)} notebook{plural} ran to the end." if ran else f"{ready}."
