"""What is kept about every image and environment: the list for operators."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.conf import settings

from spacelab.images import queries, shelf
from spacelab.images.rules.report import Report
from spacelab.images.rules.sbom import Contents
from spacelab.kit.refusals import NotFound, Refusal

OWN = "org.spacelab."
"""How the labels begin that this platform's images have."""
MARK = ".complete"
"""The file that a finished environment holds."""


@dataclass(frozen=True)
class Subject:
    """An image or environment of this platform, and what is kept about it."""

    kind: str
    """"image" or "environment"."""
    name: str
    key: str
    size: int | None = None
    made_at: datetime | None = None
    base: str = ""
    package: str = ""
    contents: Contents | None = None
    report: Report | None = None
    has_provenance: bool = False


def _environments() -> list[Subject]:
    root: Path = settings.ENVIRONMENTS_DIRECTORY
    if not root.is_dir():
        return []
    found = []
    for folder in sorted(root.iterdir()):
        mark = folder / MARK
        key = shelf.environment_key(folder.name)
        if not mark.exists() or not shelf.KEY.fullmatch(key):
            continue
        made = datetime.fromtimestamp(mark.stat().st_mtime).astimezone()
        found.append(Subject("environment", folder.name, key, made_at=made))
    return found


def _images() -> list[Subject]:
    with contextlib.suppress(Refusal):
        return [
            Subject(
                "image",
                one.names[0],
                shelf.image_key(one.id),
                size=one.size,
                made_at=one.created,
                base=one.labels.get("org.spacelab.base", ""),
                package=one.labels.get("org.spacelab.package", ""),
            )
            for one in queries.image_store().images()
            if any(label.startswith(OWN) for label in one.labels)
        ]
    return []


def subjects() -> list[Subject]:
    """List the platform's own images and environments, without what is kept about them."""
    return [*_images(), *_environments()]


def _with_papers(one: Subject) -> Subject:
    return replace(
        one,
        contents=queries.contents(one.key),
        report=queries.last_report(one.key),
        has_provenance=shelf.paper(one.key, shelf.PROVENANCE).exists(),
    )


def subjects_with_papers() -> list[Subject]:
    """List the platform's own images and environments, the newest first, with what is kept about them."""
    found = [_with_papers(one) for one in subjects()]
    return sorted(found, key=lambda one: one.made_at.timestamp() if one.made_at else 0.0, reverse=True)


def find(key: str) -> Subject:
    """Find one image or environment with what is kept about it; raise `NotFound`."""
    found = next((one for one in subjects() if one.key == key), None)
    if found is None:
        raise NotFound("There is no such image or environment.", advice="Look for it in the list of images.")
    return _with_papers(found)


def origin_of(key: str) -> list[tuple[str, str]]:
    """Return what the provenance says, as names and values for people."""
    document = shelf.get(key, shelf.PROVENANCE)
    if document is None:
        return []
    definition = document["predicate"]["buildDefinition"]
    materials = {one["name"]: one for one in definition["resolvedDependencies"]}
    wanted = [
        ("Package", definition["externalParameters"].get("package", "")[:12]),
        ("Source", definition["externalParameters"].get("source", "")),
        ("Commit", definition["externalParameters"].get("revision", "")[:12]),
        ("Built upon", materials.get("base", {}).get("uri", "")),
        ("Built by", document["predicate"]["runDetails"]["builder"]["id"]),
    ]
    return [(name, value) for name, value in wanted if value]
