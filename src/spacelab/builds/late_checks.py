"""The checks that no build waits for: made one after the other once it has come out."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from functools import cache

from django.db import connection

from spacelab.builds import checks, queries, waiting
from spacelab.builds.actions import SYSTEM, save_checks
from spacelab.builds.models import Build
from spacelab.builds.ports import CheckResult
from spacelab.builds.rules import State
from spacelab.kit.refusals import Refusal


def finish_checks(build: Build) -> None:
    """Make the scans that a build did not wait for, and note what they found."""
    facts = checks.facts_of(build, queries.build_folder(build.pk) / "reports")
    found = []
    for title, check in checks.EVERY.items():
        try:
            found.append(asdict(check(facts, now=True)))
        except Refusal as refusal:
            found.append(asdict(CheckResult(title, True, f"{refusal.message} {refusal.advice}")))
    save_checks(by=SYSTEM, build=build, checks=found)


def finish_noted() -> None:
    """Finish the checks of every build that has come out meanwhile."""
    for build_id in waiting.noted():
        build = queries.builds().filter(pk=build_id).first()
        if build is not None and not build.is_final:
            continue
        if build is not None and build.state == State.BUILT:
            finish_checks(build)
        waiting.strike(build_id)


def _at_work() -> None:
    try:
        finish_noted()
    finally:
        connection.close()


class _Clerk:
    """One thread that makes the scans nobody waits for, one after the other."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="papers")
        self._at_work: Future[None] | None = None

    def look(self) -> None:
        """Begin the next scan unless one is at work."""
        if self._at_work is not None:
            if not self._at_work.done():
                return
            done, self._at_work = self._at_work, None
            done.result()
        if waiting.noted():
            self._at_work = self._pool.submit(_at_work)


@cache
def _clerk() -> _Clerk:
    return _Clerk()


def attend_late_checks() -> None:
    """Make the scans that builds did not wait for; the controller calls this again and again."""
    _clerk().look()
