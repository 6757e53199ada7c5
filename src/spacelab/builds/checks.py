"""What every build is checked for: its contents, known vulnerabilities, and where it comes from."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from spacelab.builds import scanning, shelf
from spacelab.builds.findings import Finding
from spacelab.builds.gate import Decision, Gate
from spacelab.builds.ports import BuildFacts, CheckResult
from spacelab.builds.report import Report

NAMED = 5
"""Findings that a sentence names before it says how many more there are."""


def _key(facts: BuildFacts) -> str:
    """Make the list of contents of what was built unless it is there, and return the key of its papers."""
    if facts.result.image:
        return scanning.describe_image(facts.result.image_id or facts.result.image)
    folder = Path(facts.result.folder or settings.ENVIRONMENTS_DIRECTORY / facts.result.environment)
    return scanning.describe_environment(facts.result.environment, folder)


def _hand_over(key: str, kind: str, facts: BuildFacts, name: str) -> str:
    facts.reports.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shelf.paper(key, kind), facts.reports / name)
    return name


def describe_contents(facts: BuildFacts) -> CheckResult:
    """List what a build contains; it passes whenever that can be told."""
    key = _key(facts)
    contents = scanning.contents(key)
    said = contents.sentence if contents else "no packages"
    return CheckResult("Contents", True, said, _hand_over(key, shelf.CONTENTS, facts, "contents.cdx.json"))


def _names(findings: Iterable[Finding]) -> str:
    every = [
        f"{one.id} in {one.source} {one.version}" + (f" (fixed in {one.fixed})" if one.fixed else "")
        for one in findings
    ]
    more = len(every) - NAMED
    return ", ".join(every[:NAMED]) + (f", and {more} more" if more > 0 else "")


def sentences(report: Report, decision: Decision) -> str:
    """Say in words what a report found and what the gate made of it."""
    if not report.scanned:
        if decision.gate is Gate.OFF:
            return f"{report.sentence.capitalize()}."
        return (
            f"{report.sentence.capitalize()}. The gate is set to “{decision.gate}” and lets nothing through unseen. "
            f"For an operator: {scanning.NO_DATABASE[0].lower()}{scanning.NO_DATABASE[1:]}"
        )
    said = [f"{report.sentence.capitalize()}."]
    if decision.stopped_by:
        said.append(f"The gate is set to “{decision.gate}”, and in its way: {_names(decision.stopped_by)}.")
    if decision.without_fix:
        said.append(f"{len(decision.without_fix)} more would be, if there were a version that mends them.")
    if decision.allowed:
        said.append(f"Allowed for a time: {', '.join(finding.id for finding, _ in decision.allowed)}.")
    if decision.expired:
        said.append(f"No longer allowed: {', '.join(one.id for one in decision.expired)}.")
    return " ".join([*said, scanning.age_warning(report)]).strip()


def passes(report: Report, decision: Decision) -> bool:
    """Say whether the gate lets a build through: never unseen where a gate is set."""
    return decision.passed and (report.scanned or decision.gate is Gate.OFF)


def look_for_vulnerabilities(facts: BuildFacts) -> CheckResult:
    """Look up what is known about a build's packages, and ask the gate."""
    key = _key(facts)
    report = scanning.look_up(key)
    decision = scanning.judge(report)
    name = _hand_over(key, shelf.REPORT, facts, "vulnerabilities.json")
    return CheckResult("Known vulnerabilities", passes(report, decision), sentences(report, decision), name)
