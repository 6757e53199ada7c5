"""What the metadata form says of a version and its files do not yet say: written into the files with the next build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datalab_package
from datalab_package import PackageProblem
from spacelab.builds import packages, queries
from spacelab.builds.models import Build
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.rules import authors_terms, words
from spacelab.publishing.rules import terms

NAMES = frozenset({"alternateName", "displayName", "version"})
"""Terms that name a version: the form never changes them."""


def described_before(build: Build) -> DatalabVersion | None:
    """Find the version whose metadata go on in what is planned: the same one, else the newest of its datalab."""
    own = DatalabVersion.objects.filter(datalab__maintainer=build.person_id).select_related("datalab").order_by("-id")
    if build.slug:
        known = own.filter(datalab__slug=build.slug)
        return known.filter(version=build.version).first() or known.first()
    previous = build.previous
    return own.filter(pk=previous.datalab_version_id).first() if previous and previous.datalab_version_id else None


def changes(build: Build) -> dict[str, Any]:
    """Return the terms that the form has changed since the last build and the planned files have not.

    An empty value takes a term away. Where both were changed, the file counts: it was written by hand for this build.
    """
    version = described_before(build)
    if version is None:
        return {}
    folder = queries.package_of(version)
    built, planned = _terms(folder) if folder else {}, _terms(packages.folder_of(build.package))
    changed = {}
    for key in {*built, *version.metadata} - NAMES:
        before, said = built.get(key), version.metadata.get(key)
        if _by_authors(key) and _plain(key, before) != _plain(key, said) and _same(key, planned, built):
            changed[key] = said or ""
    return changed


def as_answers(changed: Mapping[str, Any]) -> dict[str, str]:
    """Return those of the changed terms that the plan's own form asks for, by its fields."""
    fields = {field: changed[key] for field, key in packages.META_KEYS.items() if changed.get(key)}
    return {field: ", ".join(value) if isinstance(value, list) else str(value) for field, value in fields.items()}


def _terms(folder: Path) -> dict[str, Any]:
    try:
        return authors_terms(datalab_package.read_manifest(folder).metadata)[0]
    except PackageProblem:
        return {}


def _by_authors(key: str) -> bool:
    return key not in terms.TERMS or terms.TERMS[key].writer is terms.Writer.AUTHOR


def _same(key: str, planned: Mapping[str, Any], built: Mapping[str, Any]) -> bool:
    return _plain(key, planned.get(key)) == _plain(key, built.get(key))


def _plain(key: str, value: Any) -> list[str]:
    """Return a value as the form and the file both may mean it: one text, or a list with that text alone."""
    if key == "keywords":
        return words(value)
    parts = value if isinstance(value, list) else [value or ""]
    return [text for one in parts if (text := str(one).strip().replace("\r\n", "\n"))]
