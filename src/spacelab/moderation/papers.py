"""What a version starts from: its packages beside those of the version before, and what is known against them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spacelab.builds.models import Build
from spacelab.datalabs.models import DatalabVersion
from spacelab.images import queries as images
from spacelab.images.rules.report import Report
from spacelab.images.rules.sbom import Contents
from spacelab.kit.refusals import NotFound
from spacelab.publishing.models import PublishedVersion


@dataclass(frozen=True)
class Papers:
    """What is known of the image or environment that a version starts from."""

    contents: Contents | None = None
    report: Report | None = None
    said: str = ""
    passed: bool = True


@dataclass(frozen=True)
class Package:
    """A package that another version has not, or in another version: the numbers are empty where it is missing."""

    name: str
    kind: str
    before: str
    now: str


def papers_of(version: PublishedVersion) -> Papers:
    """Read the list of contents and the last report on vulnerabilities, and ask the gate."""
    key = _key_of(version)
    if not key:
        return Papers()
    try:
        contents, report = images.contents(key), images.last_report(key)
    except NotFound:
        return Papers()
    if report is None:
        return Papers(contents)
    decision = images.judge(report)
    return Papers(contents, report, images.sentences(report, decision), images.passes(report, decision))


def contents_file(version: PublishedVersion) -> Path:
    """Return the list of contents as CycloneDX; raise `NotFound` where none is kept."""
    key = _key_of(version)
    file = images.contents_file(key) if key else None
    if file is None or not file.is_file():
        raise NotFound(f"No list of contents of {version} is kept.", advice="An operator can make one again.")
    return file


def changed_packages(version: PublishedVersion, before: PublishedVersion | None) -> list[Package]:
    """List the packages that differ from those of the version before, by kind and name; none where one is unknown."""
    now, then = _packages(version), _packages(before) if before else {}
    if not now or not then:
        return []
    changed = [key for key in sorted(now.keys() | then.keys()) if now.get(key) != then.get(key)]
    return [Package(name, kind, then.get((kind, name), ""), now.get((kind, name), "")) for kind, name in changed]


def _packages(version: PublishedVersion) -> dict[tuple[str, str], str]:
    """Return the versions of each package, by kind and name: one may be there in several."""
    key = _key_of(version)
    found: dict[tuple[str, str], list[str]] = {}
    for one in images.components(key) if key else []:
        found.setdefault((one.type, one.name), []).append(one.version)
    return {package: ", ".join(sorted(versions)) for package, versions in found.items()}


def _key_of(version: PublishedVersion) -> str:
    if not isinstance(version, DatalabVersion):
        return ""
    image_id = ""
    if version.image:
        build = Build.objects.filter(datalab_version=version).exclude(result={}).order_by("-created_at").first()
        image_id = str(build.result.get("image_id", "")) if build else ""
    if not image_id and not version.environment:
        return ""
    return images.key_of(image_id=image_id, environment=version.environment)
