"""The checks that no build waits for: made one after the other once it has come out."""

from __future__ import annotations

from dataclasses import asdict

from spacelab.builds import checks, queries, waiting
from spacelab.builds.actions import SYSTEM, save_checks
from spacelab.builds.models import Build
from spacelab.builds.ports import CheckResult
from spacelab.builds.rules import State
from spacelab.kit.background import Background
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


_clerk = Background("papers", finish_noted)


def attend_late_checks() -> None:
    """Make the scans that builds did not wait for, one after the other; the controller calls this again and again."""
    if _clerk.is_free and waiting.noted():
        _clerk.look()
