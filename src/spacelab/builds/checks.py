"""What every build is checked for: its contents, known vulnerabilities, and where it comes from."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

from django.conf import settings

from spacelab.builds import waiting
from spacelab.builds.models import Build
from spacelab.builds.ports import BuildFacts, CheckResult, Result
from spacelab.builds.rules import PENDING
from spacelab.images import actions, queries
from spacelab.images.rules.gate import Gate
from spacelab.images.rules.provenance import Origin

CONTENTS, VULNERABILITIES, PROVENANCE = "Contents", "Known vulnerabilities", "Origin"


def _key(facts: BuildFacts) -> str:
    """Make the list of contents of what was built unless it is there, and return the key of its papers."""
    if facts.result.image:
        return actions.describe_image(facts.result.image_id or facts.result.image)
    folder = Path(facts.result.folder or settings.ENVIRONMENTS_DIRECTORY / facts.result.environment)
    return actions.describe_environment(facts.result.environment, folder)


def _can_wait(facts: BuildFacts) -> bool:
    """Say whether the scan can be made after the build is offered: no gate is set, and it was not made before."""
    key = queries.key_of(image_id=facts.result.image_id, environment=facts.result.environment)
    return queries.gate() is Gate.OFF and not queries.contents_file(key).exists()


def _later(title: str, facts: BuildFacts) -> CheckResult:
    waiting.note(facts.build_id)
    return CheckResult(title, True, PENDING)


def _hand_over(paper: Path, facts: BuildFacts, name: str) -> str:
    facts.reports.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(paper, facts.reports / name)
    return name


def describe_contents(facts: BuildFacts, *, now: bool = False) -> CheckResult:
    """List what a build contains; it passes whenever that can be told."""
    if not now and _can_wait(facts):
        return _later(CONTENTS, facts)
    key = _key(facts)
    contents = queries.contents(key)
    said = contents.sentence if contents else "no packages"
    return CheckResult(CONTENTS, True, f"{said}.", _hand_over(queries.contents_file(key), facts, "contents.cdx.json"))


def look_for_vulnerabilities(facts: BuildFacts, *, now: bool = False) -> CheckResult:
    """Look up what is known about a build's packages, and ask the gate."""
    if not now and _can_wait(facts):
        return _later(VULNERABILITIES, facts)
    key = _key(facts)
    report = actions.look_up(key)
    decision = queries.judge(report)
    name = _hand_over(queries.report_file(key), facts, "vulnerabilities.json")
    return CheckResult(VULNERABILITIES, queries.passes(report, decision), queries.sentences(report, decision), name)


def _base_of(result: Result) -> str:
    """Name what a build stands on, with its digest where the image says it."""
    found = queries.image_store().find(result.image_id or result.image) if result.image else None
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
    actions.record_provenance(result.image or result.environment, key, origin)
    said = f"Package {facts.package_hash[:12]}" + (f" on {result.base[:60]}" if result.base else "") + "."
    return CheckResult(PROVENANCE, True, said, _hand_over(queries.provenance_file(key), facts, "provenance.json"))


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
