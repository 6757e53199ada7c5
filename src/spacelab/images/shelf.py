"""Where lists of contents, reports and provenance are kept: files named after what they are about."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from spacelab.kit.refusals import NotFound

KEY = re.compile(r"(sha256-[0-9a-f]{64}|environment-[A-Za-z0-9][A-Za-z0-9._-]{0,120})", re.ASCII)

CONTENTS = ".cdx.json"
SUMMARY = ".summary.json"
REPORT = ".vulnerabilities.json"
PROVENANCE = ".provenance.json"
KINDS = (CONTENTS, SUMMARY, REPORT, PROVENANCE)


def image_key(image_id: str) -> str:
    """Name an image's papers: `sha256-…` for the image id `sha256:…`, the digest of its configuration.

    It is the same on every engine; only the way from Docker's form of a configuration into OCI's makes a new one.
    """
    return image_id.replace(":", "-", 1)


def environment_key(name: str) -> str:
    """Name an environment's papers."""
    return f"environment-{name}"


def folder() -> Path:
    """Return the folder of all papers, making it if need be."""
    place: Path = settings.SPACELAB.state / "sboms"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def paper(key: str, kind: str) -> Path:
    """Return the file of one paper, there or not; raise `NotFound` for a key of no possible form."""
    if not KEY.fullmatch(key):
        raise NotFound("There is no such image or environment.", advice="Look for it in the list of images.")
    return folder() / f"{key}{kind}"


def put(key: str, kind: str, document: dict[str, Any]) -> Path:
    """Write one paper, whole or not at all."""
    target = paper(key, kind)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False, separators=(",", ":"))
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
    return target


def get(key: str, kind: str) -> dict[str, Any] | None:
    """Read one paper; None where there is none, or what is there can't be read."""
    try:
        found = json.loads(paper(key, kind).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def remove(key: str) -> None:
    """Remove all papers of something that is gone."""
    for kind in KINDS:
        paper(key, kind).unlink(missing_ok=True)
