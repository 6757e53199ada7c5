"""Reads of the catalogue of pipelines and steps."""

from spacelab.pipelines.queries.bundles import bundle, bundle_of, environments_for, users_of
from spacelab.pipelines.queries.listing import (
    SORTS,
    Filters,
    Found,
    is_published,
    listing,
    pipeline,
    shown_to,
    tags,
    versions_of,
)
from spacelab.pipelines.queries.seeing import (
    VISITOR,
    find_launchable,
    find_seen,
    inside_for,
    launchable_by,
    require_launch,
    seen_by,
)

__all__ = [
    "SORTS",
    "VISITOR",
    "Filters",
    "Found",
    "bundle",
    "bundle_of",
    "environments_for",
    "find_launchable",
    "find_seen",
    "inside_for",
    "is_published",
    "launchable_by",
    "listing",
    "pipeline",
    "require_launch",
    "seen_by",
    "shown_to",
    "tags",
    "users_of",
    "versions_of",
]
