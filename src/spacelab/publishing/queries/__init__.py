"""Reads that all published things share, and the thesaurus that keywords come from."""

from spacelab.publishing.queries.keywords import concepts_of, suggest_keywords, thesaurus, thesaurus_file
from spacelab.publishing.queries.lifecycle import (
    entry_of,
    facts_of,
    has_passed,
    missing_terms,
    newer_than,
    state_of,
)
from spacelab.publishing.queries.seeing import (
    MODERATED,
    NEWEST_FIRST,
    admitted,
    find_described,
    inside_for,
    kept_by,
    launchable_by,
    offered_to,
    seen_by,
    seers_of,
)

__all__ = [
    "MODERATED",
    "NEWEST_FIRST",
    "admitted",
    "concepts_of",
    "entry_of",
    "facts_of",
    "find_described",
    "has_passed",
    "inside_for",
    "kept_by",
    "launchable_by",
    "missing_terms",
    "newer_than",
    "offered_to",
    "seen_by",
    "seers_of",
    "state_of",
    "suggest_keywords",
    "thesaurus",
    "thesaurus_file",
]
