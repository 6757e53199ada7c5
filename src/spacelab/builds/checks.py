"""What every build is checked for: its contents, known vulnerabilities, and where it comes from."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from django.conf import settings

from spacelab.builds import scanning, shelf
from spacelab.builds.findings import Finding
from spacelab.builds.gate import Decision, Gate
from spacelab.builds.models import Build
from spacelab.builds.ports import BuildFacts, CheckResult, Result
from spacelab.builds.provenance import PACKAGES_DIGEST, Origin, packages_digest, provenance
from spacelab.builds.report import Report
from spacelab.builds.rules import PENDING
from spacelab.builds.sbom import components_of

CONTENTS, VULNERABILITIES, PROVENANCE = "Contents", "Known vulnerabilities", "Origin"
NAMED = 5
"""Findings that a sentence names before it says how many more there are."""


def _key(facts: BuildFacts) -> str:
    """Make the list of contents of what was built unless it is there, and return the key of its papers."""
    if facts.result.image:
        return scanning.describe_image(facts.result.image_id or facts.result.image)
    folder = Path(facts.result.folder or settings.ENVIRONMENTS_DIRECTORY / facts.result.environment)
    return scanning.describe_environment(facts.result.environment, folder)


def _can_wait(facts: BuildFacts) -> bool:
    """Say whether the scan can be made after the build is offered: no gate is set, and it was not made before."""
    image = facts.result.image_id
    key = shelf.image_key(image) if image else shelf.environment_key(facts.result.environment)
    return scanning.gate() is Gate.OFF and not shelf.paper(key, shelf.CONTENTS).exists()


def _later(title: str, facts: BuildFacts) -> CheckResult:
    shelf.note(facts.build_id)
    return CheckResult(title, True, PENDING)


def _hand_over(key: str, kind: str, facts: BuildFacts, name: str) -> str:
    facts.reports.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shelf.paper(key, kind), facts.reports / name)
    return name


def describe_contents(facts: BuildFacts, *, now: bool = False) -> CheckResult:
    """List what a build contains; it passes whenever that can be told."""
    if not now and _can_wait(facts):
        return _later(CONTENTS, facts)
    key = _key(facts)
    contents = scanning.contents(key)
    said = contents.sentence if contents else "no packages"
    return CheckResult(CONTENTS, True, f"{said}.", _hand_over(key, shelf.CONTENTS, facts, "contents.cdx.json"))


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


def look_for_vulnerabilities(facts: BuildFacts, *, now: bool = False) -> CheckResult:
    """Look up what is known about a build's packages, and ask the gate."""
    if not now and _can_wait(facts):
        return _later(VULNERABILITIES, facts)
    key = _key(facts)
    report = scanning.look_up(key)
    decision = scanning.judge(report)
    name = _hand_over(key, shelf.REPORT, facts, "vulnerabilities.json")
    return CheckResult(VULNERABILITIES, passes(report, decision), sentences(report, decision), name)


def _base_of(result: Result) -> str:
    """Name what a build stands on, with its digest where the image says it."""
    found = scanning.image_store().find(result.image_id or result.image) if result.image else None
    digest = found.labels.get("org.spacelab.base", "") if found else ""
    return f"{result.base}@{digest}" if result.base and digest.startswith("sha256:") else result.base


def record_provenance(facts: BuildFacts, *, now: bool = False) -> CheckResult:
    """Write down where a build comes from."""
    if not now and _can_wait(facts):
        return _later(PROVENANCE, facts)
    key, build, result = _key(facts), Build.objects.filter(pk=facts.build_id).first(), facts.result
    origin = Origin(
        kind="image" if result.image else "environment",
        package_hash=facts.package_hash,
        base=_base_of(result),
        source=build.git_url if build else "",
        revision=build.git_commit if build else "",
        build_id=facts.build_id,
        builder=settings.SPACELAB.portal_url,
        builder_version=version("spacelab"),
        begun_at=build.begun_at if build else None,
    )
    if result.image:
        digest = {"sha256": key.removeprefix("sha256-")}
    else:
        document = shelf.get(key, shelf.CONTENTS) or {}
        digest = {PACKAGES_DIGEST: packages_digest(one.purl for one in components_of(document))}
    shelf.put(key, shelf.PROVENANCE, provenance(result.image or result.environment, digest, origin))
    said = f"Package {facts.package_hash[:12]}" + (f" on {result.base[:60]}" if result.base else "") + "."
    return CheckResult(PROVENANCE, True, said, _hand_over(key, shelf.PROVENANCE, facts, "provenance.json"))


EVERY = {
    CONTENTS: describe_contents,
    VULNERABILITIES: look_for_vulnerabilities,
    PROVENANCE: record_provenance,
}
"""What a build is checked for, in this order."""


def facts_of(build: Build, reports: Path) -> BuildFacts:
    """Return what checks are told, for a build that has come out already."""
    return BuildFacts(
        build.pk,
        build.person.username,
        build.slug,
        build.version,
        build.number or 0,
        Path(),
        build.package,
        Result(**build.result),
        reports,
    )
